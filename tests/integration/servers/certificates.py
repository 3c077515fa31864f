"""A certificate authority of the test's own, and the certificates, good and bad, that its servers show."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAMES = ("localhost", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """What a TLS server is given: the chain that it presents, leaf first, and the leaf's key, both PEM."""

    chain_pem: bytes
    key_pem: bytes


class Certificates:
    """A root, an intermediate under it, and leaves issued by the intermediate for `NAMES`.

    Attributes:
        ca_path: the root as a PEM file. An agent that is started with `SSL_CERT_FILE` set to it trusts it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.ca_path = folder / "ca.pem"
        self._root = trustme.CA()
        self._intermediate = self._root.create_child_ca()
        self._root.cert_pem.write_to_path(self.ca_path)

    def valid(self, *names: str, lifetime: timedelta = timedelta(days=90)) -> ServerCertificate:
        """Returns a certificate that verifies, valid since yesterday."""
        now = datetime.now(UTC)
        return self._issue(*names, not_before=now - timedelta(days=1), not_after=now + lifetime)

    def expired(self, *names: str) -> ServerCertificate:
        """Returns a certificate that ended yesterday."""
        now = datetime.now(UTC)
        return self._issue(*names, not_before=now - timedelta(days=91), not_after=now - timedelta(days=1))

    def not_yet_valid(self, *names: str) -> ServerCertificate:
        """Returns a certificate that begins tomorrow."""
        now = datetime.now(UTC)
        return self._issue(*names, not_before=now + timedelta(days=1), not_after=now + timedelta(days=91))

    def wrong_host(self) -> ServerCertificate:
        """Returns a certificate of another name."""
        return self.valid("other.example")

    def missing_intermediate(self, *names: str) -> ServerCertificate:
        """Returns a valid leaf presented without the intermediate that issued it."""
        whole = self.valid(*names)
        leaf = x509.load_pem_x509_certificates(whole.chain_pem)[0]
        return ServerCertificate(leaf.public_bytes(serialization.Encoding.PEM), whole.key_pem)

    def self_signed(self, *names: str) -> ServerCertificate:
        """Returns a certificate that vouches for itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self-signed")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=90))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names or NAMES[:1]]), False)  # noqa: FBT003  # positional in the library's own examples
            .sign(key, hashes.SHA256())
        )
        key_pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return ServerCertificate(certificate.public_bytes(serialization.Encoding.PEM), key_pem)

    def _issue(self, *names: str, not_before: datetime, not_after: datetime) -> ServerCertificate:
        leaf = self._intermediate.issue_cert(*(names or NAMES), not_before=not_before, not_after=not_after)
        chain = b"".join(pem.bytes() for pem in leaf.cert_chain_pems)
        return ServerCertificate(chain, leaf.private_key_pem.bytes())
