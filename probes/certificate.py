"""Reads a certificate of a presented chain into the domain's form; what it holds was written by strangers."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import AuthorityInformationAccessOID

from probes.plain_text import one_line
from sentry.domain.result import Certificate

NAME_CHARS = 512
MAX_NAMES = 250
"""Let's Encrypt allows 100 names in a certificate; others up to 250. More would be of no use to a reader."""

UNREADABLE = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises of a certificate, or a part of one, that it does not understand; none is our fault."""

KEPT_DER_BYTES = 8192
"""Larger certificates are read anew each time: a server that shows another one to each probe must not fill memory."""


def read_certificate(der: bytes) -> Certificate | None:
    """Returns the certificate, decoded once for as long as it is among the last 512 seen.

    Returns:
        None where it cannot be read as X.509.
    """
    return _read_once(der) if len(der) <= KEPT_DER_BYTES else _read(der)


@lru_cache(maxsize=512)  # each check keeps its own; these are the issuers that many share
def _read_once(der: bytes) -> Certificate | None:
    return _read(der)


def _read(der: bytes) -> Certificate | None:
    try:
        with _odd_ones_allowed():
            return _certificate(x509.load_der_x509_certificate(der))
    except UNREADABLE:
        return None


@contextmanager
def _odd_ones_allowed() -> Iterator[None]:
    """Silences cryptography about serial numbers and the like that strangers must not use, and do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _certificate(parsed: x509.Certificate) -> Certificate:
    return Certificate(
        subject=_name(parsed.subject),
        issuer=_name(parsed.issuer),
        names=_alternative_names(parsed),
        serial_number=f"{parsed.serial_number:x}",
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        fingerprint_sha256=parsed.fingerprint(SHA256()).hex(),
        key=_key_text(parsed),
        signature=_signature_text(parsed),
    )


def is_self_issued(certificate: Certificate) -> bool:
    """Whether subject and issuer are the same, as in a root."""
    return certificate.subject == certificate.issuer


@lru_cache(maxsize=256)
def names_its_issuer(der: bytes) -> bool:
    """Whether the certificate says where its issuer's certificate is to be had, and the issuer is no root.

    Every public authority issues from an intermediate and writes `caIssuers` into what it issues (CA/Browser Forum
    baseline requirements, 7.1.2.7.7). An own root that signs leaves directly has no reason to. Where the key
    identifier names the issuer's own issuer, that decides instead.
    """
    try:
        with _odd_ones_allowed():
            parsed = x509.load_der_x509_certificate(der)
            above = _issuer_of_issuer(parsed)
        if above is not None:
            return above != parsed.issuer
        access = parsed.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (*UNREADABLE, x509.ExtensionNotFound):
        return False
    return any(entry.access_method == AuthorityInformationAccessOID.CA_ISSUERS for entry in access)


def _issuer_of_issuer(parsed: x509.Certificate) -> x509.Name | None:
    try:
        key = parsed.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    except x509.ExtensionNotFound:
        return None
    for name in key.authority_cert_issuer or ():
        if isinstance(name, x509.DirectoryName):
            return name.value
    return None


def _name(name: x509.Name) -> str:
    return sys.intern(one_line(name.rfc4514_string(), NAME_CHARS))  # one issuer has issued thousands


def _alternative_names(parsed: x509.Certificate) -> tuple[str, ...]:
    try:
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (*UNREADABLE, x509.ExtensionNotFound):
        return ()
    found = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    return tuple(one_line(name, NAME_CHARS) for name in found[:MAX_NAMES])


def _key_text(parsed: x509.Certificate) -> str:
    try:
        key = parsed.public_key()
    except UNREADABLE:  # an algorithm or a curve that cryptography does not know
        return parsed.public_key_algorithm_oid.dotted_string
    if isinstance(key, rsa.RSAPublicKey):
        return sys.intern(f"RSA {key.key_size}")
    if isinstance(key, ec.EllipticCurvePublicKey):
        return sys.intern(f"EC {key.curve.name}")
    if isinstance(key, dsa.DSAPublicKey):
        return sys.intern(f"DSA {key.key_size}")
    return type(key).__name__.removeprefix("_").removesuffix("PublicKey")


def _signature_text(parsed: x509.Certificate) -> str:
    oid = parsed.signature_algorithm_oid
    known: str = oid._name  # noqa: SLF001  # cryptography offers the readable name nowhere else
    return oid.dotted_string if known == "Unknown OID" else known
