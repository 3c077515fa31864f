from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from probes.certificate import is_self_issued, names_its_issuer, read_certificate
from probes.tls_handshake import expires_soon
from probes.tls_verdict import spoken_span
from sentry.domain.result import Certificate

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def certificate_der(
    common_name: str, *, names: list[str], key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(0xABCDEF)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    )
    signed_with = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, signed_with).public_bytes(Encoding.DER)


def read(der: bytes) -> Certificate:
    certificate = read_certificate(der)
    assert certificate is not None
    return certificate


def test_certificate_is_read_whole() -> None:
    """Names, dates, serial, key and signature are there in the domain's form."""
    der = certificate_der("shop.test", names=["shop.test", "*.shop.test"], key=rsa.generate_private_key(65537, 2048))
    certificate = read(der)
    assert certificate.subject == certificate.issuer == "CN=shop.test"
    assert certificate.names == ("shop.test", "*.shop.test")
    assert (certificate.serial_number, certificate.key) == ("abcdef", "RSA 2048")
    assert certificate.signature == "sha256WithRSAEncryption"
    assert (certificate.not_before, certificate.not_after) == (NOW, NOW + timedelta(days=90))
    assert len(certificate.fingerprint_sha256) == 64
    assert is_self_issued(certificate)
    assert not names_its_issuer(der)
    assert read_certificate(der) is certificate, "decoded once"


def test_certificate_of_a_stranger_is_made_harmless_and_bounded() -> None:
    """Escape sequences in names and very many names do no harm."""
    key = ed25519.Ed25519PrivateKey.generate()
    certificate = read(certificate_der("a\x1b[2Jb", names=[f"h{n}.test" for n in range(400)], key=key))
    assert certificate.subject == "CN=a\ufffd[2Jb"
    assert len(certificate.names) == 250
    assert certificate.key == "Ed25519"


@pytest.mark.parametrize("der", [b"", b"\x30\x03\x02\x01\x01", b"no certificate"])
def test_certificate_that_is_none_is_none(der: bytes) -> None:
    """What cannot be read is left out and raises nothing."""
    assert read_certificate(der) is None
    assert not names_its_issuer(der)


def test_expires_soon_looks_at_whichever_certificate_ends_first() -> None:
    """The day counts from now to the earliest end; exactly as many days as wanted are enough."""
    chain = (read(certificate_der("leaf", names=["x.test"], key=ed25519.Ed25519PrivateKey.generate())),)
    ends = NOW + timedelta(days=90)
    assert expires_soon((), 14, NOW) is None
    assert expires_soon(chain, 14, ends - timedelta(days=14)) is None
    assert expires_soon(chain, 14, ends - timedelta(days=13, hours=23)) == (
        "certificate CN=leaf expires in 13 days (2027-01-31 09:00 UTC), wanted 14 days"
    )


@pytest.mark.parametrize(
    ("span", "spoken"),
    [
        (timedelta(days=3, hours=5), "3 days"),
        (timedelta(days=1), "1 day"),
        (timedelta(minutes=90), "1 hour"),
        (timedelta(seconds=59), "59 seconds"),
        (timedelta(milliseconds=5), "less than a second"),
    ],
)
def test_spoken_span_uses_the_largest_whole_unit(span: timedelta, spoken: str) -> None:
    """People read days, hours or minutes, not all of them."""
    assert spoken_span(span) == spoken
