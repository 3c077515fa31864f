"""Keys that vouch for packs: Ed25519, the secret half in a file, the public half as a line of text."""

import base64
import binascii
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from sentry.domain.errors import PackRefused

PREFIX = "ed25519:"
KEY_BYTES = 32
SIGNATURE_BYTES = 64
MAX_FILE_BYTES = 10_000


class SigningKey:
    """Signs packs."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @property
    def public_bytes(self) -> bytes:
        """The public half."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def public_text(self) -> str:
        """The public half, as settings have it."""
        return public_text(self.public_bytes)

    def sign(self, content: bytes) -> bytes:
        """Returns the signature of a content."""
        return self._key.sign(content)


def make_key(path: Path) -> SigningKey:
    """Makes a key, and writes it to a new file that only its owner can read.

    Raises:
        PackRefused: the file is there already, or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    except OSError as error:
        raise PackRefused(f"the key cannot be written to {path}: {error.strerror}; name a new file") from error
    return SigningKey(key)


def read_key(path: Path) -> SigningKey:
    """Returns the key of a file.

    Raises:
        PackRefused: it cannot be read, or holds no such key.
    """
    try:
        with path.open("rb") as file:
            key = load_pem_private_key(file.read(MAX_FILE_BYTES), password=None)
    except OSError as error:
        raise PackRefused(f"the key {path} cannot be read: {error.strerror}; make one with `pack key`") from error
    except (ValueError, TypeError) as error:
        raise PackRefused(f"{path} holds no key without a password; make one with `pack key`") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise PackRefused(f"{path} holds a key of another kind than Ed25519; make one with `pack key`")
    return SigningKey(key)


def public_text(key: bytes) -> str:
    """Returns a public key as settings have it."""
    return PREFIX + base64.b64encode(key).decode()


def public_bytes(text: str) -> bytes:
    """Returns the bytes of a public key.

    Raises:
        ValueError: it is none.
    """
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not text.startswith(PREFIX) or len(key) != KEY_BYTES:
        raise ValueError("a public key is `ed25519:` and 44 characters, as `online-sentry pack key` prints it")
    return key


def is_signed(content: bytes, key: bytes, signature: bytes) -> bool:
    """Whether a signature is that of a content by a key."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True
