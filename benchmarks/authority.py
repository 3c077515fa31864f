"""Certificates for the targets: a short chain, one as long as Let's Encrypt's, and one for each of many sites."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOST = "shop.bench.test"
"""The name that every certificate of a target is for."""

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Issuer:
    """A certificate authority: its name and its key, and its certificate where another signed it."""

    name: x509.Name
    key: PrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class Chain:
    """Files for a server and its clients, all PEM.

    Attributes:
        served: what the server presents, leaf first.
        key: of the leaf.
        ca: the only root that vouches for it.
    """

    served: Path
    key: Path
    ca: Path


def short_chain(folder: Path) -> Chain:
    """A P-256 leaf that a trusted P-256 root signed."""
    root = _root("P-256 root", ec.generate_private_key(ec.SECP256R1()))
    return _written(folder, root, [], root)


def long_chain(folder: Path) -> Chain:
    """What Let's Encrypt serves by default for an ECDSA key.

    A P-256 leaf ← a P-384 intermediate (E7) ← the trusted RSA-4096 root (X1), see
    https://letsencrypt.org/certificates/.
    """
    root = _root("RSA-4096 root", rsa.generate_private_key(65537, 4096))
    intermediate = _issued(root, "P-384 intermediate", ec.generate_private_key(ec.SECP384R1()))
    return _written(folder, intermediate, [intermediate], root)


def stranger(folder: Path) -> Path:
    """Returns a root that vouches for nothing, to see that a prober refuses what it should."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "stranger.pem"
    file.write_bytes(_pem(_root("nobody's root", ec.generate_private_key(ec.SECP256R1())).certificate))
    return file


def many_leaves(folder: Path, count: int) -> Chain:
    """As the short chain, with a certificate of its own for each of many sites, one after the other in `served`.

    All share the leaf's key, by which no prober can gain, and the name, so that nothing need be resolved.
    """
    root = _root("P-256 root", ec.generate_private_key(ec.SECP256R1()))
    key = ec.generate_private_key(ec.SECP256R1())
    return _stored(folder, [_leaf(root, key) for _ in range(count)], key, root)


def _written(folder: Path, issuer: Issuer, above: Sequence[Issuer], root: Issuer) -> Chain:
    key = ec.generate_private_key(ec.SECP256R1())
    return _stored(folder, [_leaf(issuer, key), *(one.certificate for one in above)], key, root)


def _stored(folder: Path, served: Sequence[x509.Certificate], key: PrivateKey, root: Issuer) -> Chain:
    folder.mkdir(parents=True, exist_ok=True)
    chain = Chain(folder / "served.pem", folder / "key.pem", folder / "ca.pem")
    chain.served.write_bytes(b"".join(map(_pem, served)))
    chain.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    chain.ca.write_bytes(_pem(root.certificate))
    return chain


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _root(name: str, key: PrivateKey) -> Issuer:
    subject = _name(name)
    builder = _authority(_begun(subject, subject, key), key, key)
    return Issuer(subject, key, builder.sign(key, hashes.SHA256()))


def _issued(by: Issuer, name: str, key: PrivateKey) -> Issuer:
    subject = _name(name)
    builder = _authority(_begun(subject, by.name, key), key, by.key)
    return Issuer(subject, key, builder.sign(by.key, _digest(by.key)))


def _digest(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384:
    return hashes.SHA384() if isinstance(key.public_key(), ec.EllipticCurvePublicKey) else hashes.SHA256()


def _leaf(by: Issuer, key: PrivateKey) -> x509.Certificate:
    builder = (
        _begun(_name(HOST), by.name, key, days=89)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return builder.sign(by.key, _digest(by.key))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _begun(subject: x509.Name, issuer: x509.Name, key: PrivateKey, days: int = 3650) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
    )


def _authority(builder: x509.CertificateBuilder, key: PrivateKey, issuer_key: PrivateKey) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
