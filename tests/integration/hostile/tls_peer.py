"""A TLS server that shakes hands honestly, then writes its own records with the keys of the session.

OpenSSL would refuse to send them; the keys come from its key log.
"""

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from tests.integration.hostile.speech import FULL
from tests.integration.hostile.tls_identity import TRUSTED, fresh_context
from tests.integration.hostile.tls_records import ALERT, DATA, HANDSHAKE, TLS_1_2

KEY_UPDATE = bytes.fromhex("1800000101")
"""A KeyUpdate that asks for one in return."""


class Keys13:
    """The server's write keys of TLS 1.3 with AES-256-GCM (RFC 8446, 5.2 and 7.3)."""

    def __init__(self, secret: bytes) -> None:
        self._take(secret)

    def seal(self, kind: int, payload: bytes, padding: int = 0) -> bytes:
        """Returns an encrypted record, padded with so many zeros (RFC 8446, 5.4)."""
        inner = payload + bytes([kind]) + bytes(padding)
        header = bytes([DATA]) + TLS_1_2 + (len(inner) + 16).to_bytes(2, "big")
        nonce = (int.from_bytes(self._iv, "big") ^ self._sequence).to_bytes(12, "big")
        self._sequence += 1
        return header + self._cipher.encrypt(nonce, inner, header)

    def update(self) -> None:
        """Goes on to the next keys, as after a KeyUpdate."""
        self._take(_expand(self._secret, "traffic upd", 48))

    def _take(self, secret: bytes) -> None:
        self._secret, self._sequence = secret, 0
        self._cipher, self._iv = AESGCM(_expand(secret, "key", 32)), _expand(secret, "iv", 12)


class Keys12:
    """The server's write keys of TLS 1.2 with ECDHE-ECDSA-AES128-GCM-SHA256 (RFC 5246, 6.3; RFC 5288)."""

    def __init__(self, master: bytes, client_random: bytes, server_random: bytes) -> None:
        block = _prf(master, b"key expansion" + server_random + client_random, 40)
        self._cipher, self._salt = AESGCM(block[16:32]), block[36:40]
        self._sequence = 1  # Finished was 0

    def seal(self, kind: int, payload: bytes) -> bytes:
        """Returns an encrypted record."""
        number = self._sequence.to_bytes(8, "big")
        self._sequence += 1
        about = number + bytes([kind]) + TLS_1_2 + len(payload).to_bytes(2, "big")
        sealed = number + self._cipher.encrypt(self._salt + number, payload, about)
        return bytes([kind]) + TLS_1_2 + len(sealed).to_bytes(2, "big") + sealed


@dataclass
class TlsPeer:
    """A probe that has shaken hands, and the keys to write to it."""

    peer: socket.socket
    tls: ssl.SSLObject
    incoming: ssl.MemoryBIO
    keys: Keys13 | Keys12

    def read_request(self) -> bytes:
        """Returns the head of the request."""
        seen = b""
        while b"\r\n\r\n" not in seen:
            try:
                seen += self.tls.read(FULL)
            except ssl.SSLWantReadError:
                data = self.peer.recv(FULL)
                if not data:
                    raise ConnectionResetError("the probe hung up") from None
                self.incoming.write(data)
        return seen

    def data(self, payload: bytes) -> None:
        """Sends application data in one record."""
        self.peer.sendall(self.keys.seal(DATA, payload))

    def alert(self, level: int, description: int) -> None:
        """Sends an alert."""
        self.peer.sendall(self.keys.seal(ALERT, bytes([level, description])))

    def handshake(self, payload: bytes) -> None:
        """Sends a handshake message."""
        self.peer.sendall(self.keys.seal(HANDSHAKE, payload))


def shake_hands(peer: socket.socket, version: ssl.TLSVersion) -> TlsPeer:
    """Shakes hands over an accepted connection."""
    with NamedTemporaryFile() as log:
        context = fresh_context(TRUSTED, version)
        if version is ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        context.keylog_filename = log.name
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        said = _handshake(peer, tls, incoming, outgoing)
        secrets = dict(_secrets(Path(log.name)))
    if version is ssl.TLSVersion.TLSv1_3:
        keys: Keys13 | Keys12 = Keys13(secrets["SERVER_TRAFFIC_SECRET_0"][1])
    else:
        client_random, master = secrets["CLIENT_RANDOM"]
        keys = Keys12(master, client_random, said[11:43])
    return TlsPeer(peer, tls, incoming, keys)


def _handshake(peer: socket.socket, tls: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> bytes:
    """Returns all that the server said."""
    said = b""
    while True:
        try:
            tls.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            done = False
        piece = outgoing.read()
        said += piece
        peer.sendall(piece)
        if done:
            return said
        incoming.write(peer.recv(FULL))


def _secrets(log: Path) -> list[tuple[str, tuple[bytes, bytes]]]:
    lines = [line.split() for line in log.read_text().splitlines() if not line.startswith("#")]
    return [(label, (bytes.fromhex(random), bytes.fromhex(secret))) for label, random, secret in lines]


def _expand(secret: bytes, label: str, size: int) -> bytes:
    """HKDF-Expand-Label without a context (RFC 8446, 7.1)."""
    name = b"tls13 " + label.encode()
    info = size.to_bytes(2, "big") + bytes([len(name)]) + name + b"\0"
    return HKDFExpand(SHA384(), size, info).derive(secret)


def _prf(secret: bytes, seed: bytes, size: int) -> bytes:
    """P_SHA256 (RFC 5246, 5)."""
    made, step = b"", seed
    while len(made) < size:
        step = _hmac(secret, step)
        made += _hmac(secret, step + seed)
    return made[:size]


def _hmac(key: bytes, data: bytes) -> bytes:
    signer = HMAC(key, SHA256())
    signer.update(data)
    return signer.finalize()
