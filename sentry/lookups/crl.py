"""Revocation lists (RFC 5280, 5): where a certificate's list lies, and what it says of the certificate."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from sentry.domain.errors import LookupFailed
from sentry.domain.revocation import Revocation, RevocationState
from sentry.lookups.signature import UNREADABLE

MAX_LIST_BYTES = 10 * 1024 * 1024
SKEW = timedelta(minutes=5)
SIGNING_KEYS = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)


def places(certificate: x509.Certificate) -> list[str]:
    """Returns the addresses at which a certificate says that its list lies."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return []
    return [
        name.value
        for point in points
        if point.crl_issuer is None and point.reasons is None
        for name in point.full_name or ()
        if isinstance(name, x509.UniformResourceIdentifier) and name.value.startswith(("http://", "https://"))
    ]


def read(document: bytes) -> x509.CertificateRevocationList:
    """Returns a list, from DER or PEM.

    Raises:
        LookupFailed: it is none.
    """
    try:
        if document.lstrip().startswith(b"-----BEGIN"):
            return x509.load_pem_x509_crl(document)
        return x509.load_der_x509_crl(document)
    except UNREADABLE as error:
        raise LookupFailed("the document is no revocation list") from error


def verdict(
    listed: x509.CertificateRevocationList,
    place: str,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    now: datetime,
) -> Revocation:
    """Returns what a list says of a certificate, once it has been proved to be its issuer's, for it, and fresh.

    Args:
        listed: the list.
        place: where it was had from.
        certificate: that is asked about.
        issuer: of the certificate.
        now: the instant.

    Raises:
        LookupFailed: it is not.
    """
    try:
        _require_own(listed, place, certificate, issuer)
        entry = listed.get_revoked_certificate_by_serial_number(certificate.serial_number)
        ends = listed.next_update_utc
        if ends is None or not listed.last_update_utc - SKEW <= now <= ends + SKEW:
            raise LookupFailed(f"the list is of {listed.last_update_utc:%Y-%m-%d %H:%M} UTC and no longer fresh")
        if entry is None:
            return Revocation(RevocationState.GOOD, "crl", next_update=ends)
        return Revocation(RevocationState.REVOKED, "crl", entry.revocation_date_utc, _reason(entry), ends)
    except UNREADABLE as error:
        raise LookupFailed("the list cannot be read") from error


def _require_own(
    listed: x509.CertificateRevocationList, place: str, certificate: x509.Certificate, issuer: x509.Certificate
) -> None:
    key = issuer.public_key()
    if listed.issuer != issuer.subject or not isinstance(key, SIGNING_KEYS):
        raise LookupFailed("the list is another authority's")
    if not listed.is_signature_valid(key):
        raise LookupFailed("the signature of the list is wrong")
    try:
        scope = listed.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return
    names = {name.value for name in scope.full_name or () if isinstance(name, x509.UniformResourceIdentifier)}
    authority = _is_authority(certificate)
    if (
        scope.indirect_crl
        or scope.only_contains_attribute_certs
        or scope.only_some_reasons
        or (scope.only_contains_user_certs and authority)
        or (scope.only_contains_ca_certs and not authority)
        or (names and place not in names)  # another of many: it would say of no certificate here that it is revoked
    ):
        raise LookupFailed("the list is not about certificates of this kind")


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _reason(entry: x509.RevokedCertificate) -> str:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except x509.ExtensionNotFound:
        return ""
