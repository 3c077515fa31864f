"""Signatures of authorities over what they say, verified with the keys of their certificates."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.x509.oid import SignatureAlgorithmOID

UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises of a part of a document that it does not understand; strangers write them."""


def is_signed_by(
    signer: x509.Certificate,
    signature: bytes,
    signed: bytes,
    hashed: HashAlgorithm | None,
    algorithm: x509.ObjectIdentifier,
) -> bool:
    """Whether a certificate's key has made a signature over some bytes.

    Args:
        signer: whose key it is.
        signature: the signature.
        signed: what it is over.
        hashed: the hash of its algorithm, None where the algorithm has its own.
        algorithm: what it says of itself.
    """
    try:
        key = signer.public_key()
        if isinstance(key, rsa.RSAPublicKey) and hashed is not None:
            key.verify(signature, signed, _padding(algorithm, hashed), hashed)
        elif isinstance(key, ec.EllipticCurvePublicKey) and hashed is not None:
            key.verify(signature, signed, ec.ECDSA(hashed))
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(signature, signed)
        else:
            return False
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def _padding(algorithm: x509.ObjectIdentifier, hashed: HashAlgorithm) -> padding.AsymmetricPadding:
    if algorithm == SignatureAlgorithmOID.RSASSA_PSS:
        return padding.PSS(padding.MGF1(hashed), padding.PSS.AUTO)
    return padding.PKCS1v15()
