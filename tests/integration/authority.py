"""An authority of the tests' own: roots, intermediates and leaves with the names and dates a test needs."""

import base64
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Online Sentry tests"),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


@dataclass(frozen=True)
class Validity:
    """From when to when a certificate is valid."""

    start: datetime
    end: datetime

    @classmethod
    def days(cls, first: float, last: float) -> Self:
        """Returns the validity between two days counted from now, e.g. (-30, -3) for one that ended 3 days ago."""
        return cls(_now() + timedelta(days=first), _now() + timedelta(days=last))


FRESH = (-1.0, 90.0)

ServerKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Identity:
    """A certificate with its key and the intermediates that a well-kept server sends with it."""

    certificate: x509.Certificate
    key: ServerKey
    intermediates: tuple[x509.Certificate, ...] = ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER form, as evidence gives it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def pem(self, *, with_intermediates: bool = True) -> bytes:
        """Returns key, certificate and intermediates in one PEM text."""
        sent = (self.certificate, *(self.intermediates if with_intermediates else ()))
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key + b"".join(one.public_bytes(Encoding.PEM) for one in sent)

    def write(self, path: Path, *, with_intermediates: bool = True) -> Path:
        """Writes the PEM text, for a server of its own process: nginx takes one file as certificate and as key."""
        path.write_bytes(self.pem(with_intermediates=with_intermediates))
        return path

    def server_context(
        self, *, with_intermediates: bool = True, clients_of: "Authority | None" = None
    ) -> ssl.SSLContext:
        """Returns a server's context that shows this certificate; with `clients_of` it asks for one in return."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT@SECLEVEL=0")  # what is weak is for the client to refuse
        with NamedTemporaryFile() as file:
            file.write(self.pem(with_intermediates=with_intermediates))
            file.flush()
            context.load_cert_chain(file.name)
        if clients_of is not None:
            context.load_verify_locations(cadata=clients_of.certificate.public_bytes(Encoding.PEM).decode())
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@dataclass(frozen=True)
class Authority:
    """Something that signs: a root, or an intermediate under one."""

    certificate: x509.Certificate
    key: ServerKey
    above: tuple[x509.Certificate, ...] = ()

    @classmethod
    def root(cls, name: str = "Test Root", *, days: tuple[float, float] = (-10, 3650)) -> Self:
        """Makes a self-signed root."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(name), _name(name), key, Validity.days(*days), key)
        return cls(_as_authority(builder).sign(key, hashes.SHA256()), key)

    def intermediate(
        self,
        name: str = "Test Intermediate",
        *,
        days: tuple[float, float] = (-5, 1825),
        says: Sequence[x509.ExtensionType] = (),
    ) -> "Authority":
        """Makes an authority under this one; `says` are further extensions."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _as_authority(_builder(_name(name), self.certificate.subject, key, Validity.days(*days), self.key))
        builder = _with_issuers_address(builder)
        for extension in says:
            builder = builder.add_extension(extension, critical=False)
        made = builder.sign(self.key, hashes.SHA256())
        above = (made, *self.above)
        return Authority(made, key, above)

    def leaf(
        self,
        *names: str,
        days: tuple[float, float] = FRESH,
        key: ServerKey | None = None,
        says: Sequence[x509.ExtensionType] = (),
    ) -> Identity:
        """Issues a server certificate for DNS names and addresses; the first is its common name.

        Args:
            names: that it is for.
            days: of its validity, counted from now.
            key: its key, an elliptic one when absent.
            says: further extensions.
        """
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(names[0]), self.certificate.subject, key, Validity.days(*days), self.key)
        builder = _as_server(builder, names)
        if self.above and not any(
            isinstance(one, x509.AuthorityInformationAccess) for one in says
        ):  # as public authorities do: they issue from intermediates and name where these are
            builder = _with_issuers_address(builder)
        for extension in says:
            builder = builder.add_extension(extension, critical=False)
        return Identity(builder.sign(self.key, hashes.SHA256()), key, self.above)

    def write(self, path: Path) -> Path:
        """Writes the certificate as PEM, for `ProbeEnvironment.ca_file`."""
        path.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        return path


def small_key() -> ServerKey:
    """Makes a key that is too small to be safe."""
    return rsa.generate_private_key(65_537, 1024)  # noqa: S505  # the point of it


def self_signed(*names: str, days: tuple[float, float] = FRESH) -> Identity:
    """Makes a server certificate that nobody else signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(names[0]), _name(names[0]), key, Validity.days(*days), key)
    return Identity(_as_server(builder, names).sign(key, hashes.SHA256()), key)


def server_with_swapped_key(identity: Identity) -> ssl.SSLContext:
    """Returns the context of a server that shows the very certificate of an identity and has not its key.

    The public half in its key file is the certificate's, which is all that OpenSSL compares; the private half, which
    signs, is another one's.
    """
    right = identity.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    other = ec.generate_private_key(ec.SECP256R1())
    wrong = right.replace(_secret(identity.key), _secret(other))
    lines = base64.encodebytes(wrong).decode()
    key = f"-----BEGIN PRIVATE KEY-----\n{lines}-----END PRIVATE KEY-----\n".encode()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with NamedTemporaryFile() as file:
        sent = (identity.certificate, *identity.intermediates)
        file.write(key + b"".join(one.public_bytes(Encoding.PEM) for one in sent))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _secret(key: ServerKey) -> bytes:
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.private_numbers().private_value.to_bytes(32, "big")


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ServerKey,
    validity: Validity,
    signer: ServerKey,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.start)
        .not_valid_after(validity.end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


def _as_authority(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).add_extension(
        x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        ),
        critical=True,
    )


def _as_server(builder: x509.CertificateBuilder, names: tuple[str, ...]) -> x509.CertificateBuilder:
    return (
        builder.add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
    )


def _with_issuers_address(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    where = x509.UniformResourceIdentifier("http://authority.test/issuer.crt")
    access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, where)
    return builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
