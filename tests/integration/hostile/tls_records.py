"""TLS records made by hand (RFC 5246, RFC 8446): what no TLS library would send."""

import os
import socket

HANDSHAKE, CHANGE_CIPHER, ALERT, DATA = 22, 20, 21, 23
HELLO_REQUEST, SERVER_HELLO, CERTIFICATE = 0, 2, 11
WARNING, FATAL = 1, 2
CLOSE_NOTIFY, UNEXPECTED_MESSAGE, UNRECOGNIZED_NAME = 0, 10, 112

TLS_1_2 = b"\x03\x03"
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random of a ServerHello that asks for another ClientHello (RFC 8446, 4.1.3)."""

ECDHE_ECDSA_AES_128_GCM = b"\xc0\x2b"
SAFE_RENEGOTIATION = bytes.fromhex("0005ff01000100")
AES_128_GCM_SHA256 = b"\x13\x01"
LONGEST = 0xFF_FF_FF
"""The largest length that a handshake message can announce."""


def record(kind: int, payload: bytes) -> bytes:
    """Returns a record in the clear."""
    return bytes([kind]) + TLS_1_2 + len(payload).to_bytes(2, "big") + payload


def message(kind: int, payload: bytes, *, length: int | None = None) -> bytes:
    """Returns a handshake message; `length` lies about its size."""
    return bytes([kind]) + (len(payload) if length is None else length).to_bytes(3, "big") + payload


def alert(level: int, description: int) -> bytes:
    """Returns an alert in the clear."""
    return record(ALERT, bytes([level, description]))


def server_hello() -> bytes:
    """Returns the ServerHello of a TLS 1.2 server."""
    fields = TLS_1_2 + os.urandom(32) + b"\0" + ECDHE_ECDSA_AES_128_GCM + b"\0" + SAFE_RENEGOTIATION
    return record(HANDSHAKE, message(SERVER_HELLO, fields))


def hello_retry(client_hello: bytes) -> bytes:
    """Returns a TLS 1.3 server's wish for another ClientHello, with a key of secp384r1."""
    session = session_of(client_hello)
    extensions = b"\x00\x2b\x00\x02\x03\x04" + b"\x00\x33\x00\x02\x00\x18"
    fields = TLS_1_2 + RETRY + bytes([len(session)]) + session + AES_128_GCM_SHA256 + b"\0"
    return record(HANDSHAKE, message(SERVER_HELLO, fields + len(extensions).to_bytes(2, "big") + extensions))


def session_of(client_hello: bytes) -> bytes:
    """Returns the session id of a ClientHello's record: after both headers, the version and the random."""
    at = 5 + 4 + 2 + 32
    return client_hello[at + 1 : at + 1 + client_hello[at]]


def read_record(peer: socket.socket) -> bytes:
    """Returns one record with its header."""
    header = _exactly(peer, 5)
    return header + _exactly(peer, int.from_bytes(header[3:5], "big"))


def _exactly(peer: socket.socket, size: int) -> bytes:
    seen = b""
    while len(seen) < size:
        piece = peer.recv(size - len(seen))
        if not piece:
            raise ConnectionResetError("the probe hung up")
        seen += piece
    return seen
