"""OCSP (RFC 6960): the question about one certificate, and what an answer is worth."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, Hash, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from sentry.domain.errors import LookupFailed
from sentry.domain.revocation import Revocation, RevocationState
from sentry.lookups.signature import UNREADABLE, is_signed_by

MAX_ANSWER_BYTES = 64 * 1024
CONTENT_TYPE = "application/ocsp-request"

SKEW = timedelta(minutes=5)
"""By which an authority's clock may be ahead of ours or behind."""

MAX_AGE = timedelta(days=10)
"""Of an answer that does not say when there will be a newer one (CA/Browser Forum baseline requirements, 4.9.10)."""

STATES = {
    ocsp.OCSPCertStatus.GOOD: RevocationState.GOOD,
    ocsp.OCSPCertStatus.REVOKED: RevocationState.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: RevocationState.UNKNOWN,
}


def responder(certificate: x509.Certificate) -> str | None:
    """Returns where a certificate says that its authority answers, None where it does not say."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return None
    for entry in access:
        if entry.access_method == AuthorityInformationAccessOID.OCSP and isinstance(
            entry.access_location, x509.UniformResourceIdentifier
        ):
            return entry.access_location.value
    return None


def question(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """Returns the request about a certificate, DER."""
    # SHA-1 only names the issuer here, and is what every responder knows (RFC 5019, 2.1.1).
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, SHA1())  # noqa: S303  # as just said
    return builder.build().public_bytes(Encoding.DER)


def verdict(answer: bytes, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> Revocation:
    """Returns what an answer says of a certificate, once it has been proved to be the authority's, and fresh.

    Raises:
        LookupFailed: it is not.
    """
    try:
        response = ocsp.load_der_ocsp_response(answer)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise LookupFailed(f"the authority says {response.response_status.name.lower()}")
        _require_signature(response, issuer, now)
        return _fresh(_about(response, certificate, issuer), now)
    except UNREADABLE as error:
        raise LookupFailed("the answer is no OCSP that can be read") from error


def _require_signature(response: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> None:
    signer = _signer(response, issuer, now)
    signature, signed = response.signature, response.tbs_response_bytes
    hashed, algorithm = response.signature_hash_algorithm, response.signature_algorithm_oid
    if not is_signed_by(signer, signature, signed, hashed, algorithm):
        raise LookupFailed("the signature of the answer is wrong")


def _signer(response: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> x509.Certificate:
    """Returns the issuer, or one that it has given the right to answer for it (RFC 6960, 4.2.2.2)."""
    if _is_named(response, issuer):
        return issuer
    for delegate in response.certificates:
        if _is_named(response, delegate) and _may_answer(delegate, issuer, now):
            return delegate
    raise LookupFailed("the answer is from somebody who may not give it")


def _is_named(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    if response.responder_key_hash is not None:
        return response.responder_key_hash == _key_hash(certificate, SHA1())  # noqa: S303  # what the RFC defines
    return response.responder_name == certificate.subject


def _may_answer(delegate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
    try:
        usage = delegate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        delegate.verify_directly_issued_by(issuer)
    except Exception:  # noqa: BLE001  # whatever is wrong with a stranger's certificate, it may not answer
        return False
    valid = delegate.not_valid_before_utc - SKEW <= now <= delegate.not_valid_after_utc + SKEW
    return valid and ExtendedKeyUsageOID.OCSP_SIGNING in usage


def _about(
    response: ocsp.OCSPResponse, certificate: x509.Certificate, issuer: x509.Certificate
) -> ocsp.OCSPSingleResponse:
    for single in response.responses:
        if (
            single.serial_number == certificate.serial_number
            and single.issuer_key_hash == _key_hash(issuer, single.hash_algorithm)
            and single.issuer_name_hash == _hash(issuer.subject.public_bytes(), single.hash_algorithm)
        ):
            return single
    raise LookupFailed("the answer is about another certificate")


def _fresh(single: ocsp.OCSPSingleResponse, now: datetime) -> Revocation:
    ends = single.next_update_utc or single.this_update_utc + MAX_AGE
    if not single.this_update_utc - SKEW <= now <= ends + SKEW:
        raise LookupFailed(f"the answer is of {single.this_update_utc:%Y-%m-%d %H:%M} UTC and no longer fresh")
    reason = single.revocation_reason
    return Revocation(
        STATES[single.certificate_status],
        "ocsp",
        single.revocation_time_utc,
        reason.value if reason is not None else "",
        ends,
    )


def _key_hash(certificate: x509.Certificate, algorithm: HashAlgorithm) -> bytes:
    """Returns the hash of the key's bits, without their algorithm (RFC 6960, 4.1.1)."""
    whole = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _hash(_bits(whole), algorithm)


def _bits(key_info: bytes) -> bytes:
    """Returns what the BIT STRING at the end of a SubjectPublicKeyInfo holds, without its count of unused bits."""
    place, _ = _inside(key_info, 0)
    _, after = _inside(key_info, place)  # the algorithm
    start, end = _inside(key_info, after)
    return key_info[start + 1 : end]


def _inside(der: bytes, place: int) -> tuple[int, int]:
    """Returns where the content of a DER element begins and ends."""
    size, start = der[place + 1], place + 2
    if size & 0x80:
        count = size & 0x7F
        size, start = int.from_bytes(der[start : start + count], "big"), start + count
    return start, start + size


def _hash(data: bytes, algorithm: HashAlgorithm) -> bytes:
    hashed = Hash(algorithm)
    hashed.update(data)
    return hashed.finalize()
