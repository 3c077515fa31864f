"""Attacks within the TLS handshake, on http checks and on tls checks alike."""

import os
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import count

from sentry.domain.result import Phase, Reason
from tests.integration.hostile import tls_records as tls
from tests.integration.hostile.attack import TIMEOUT_S, Attack, Behaviour
from tests.integration.hostile.speech import FULL, PATIENCE_S, again, flood, hold, page, reset
from tests.integration.hostile.tls_identity import BALLAST, CROWDED, OVERLOADED, STRANGER, TRUSTED, context

REFUSED = Reason.TLS_HANDSHAKE
SLOW = Reason.TLS_TIMEOUT


def answer_hello(*records: bytes, for_ever: bytes = b"") -> Behaviour:
    """Reads the ClientHello and answers with records, the last of them again and again."""

    def behave(peer: socket.socket) -> None:
        tls.read_record(peer)
        peer.sendall(b"".join(records))
        if for_ever:
            flood(peer, again(for_ever))
        hold(peer)

    return behave


def honest(certificate: str) -> Behaviour:
    """Shakes hands as one should, with one of the certificates, and serves a page."""

    def behave(peer: socket.socket) -> None:
        with context(certificate).wrap_socket(peer, server_side=True) as secured:
            if secured.recv(FULL):
                secured.sendall(page(b"ok"))
                hold(secured)

    return behave


def serve_in_pieces(peer: socket.socket, records_of: "Repack") -> None:
    """Shakes hands honestly in TLS 1.2, but packs what it says anew."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context(TRUSTED, ssl.TLSVersion.TLSv1_2).wrap_bio(incoming, outgoing, server_side=True)
    while True:
        try:
            server.read(FULL)
            server.write(page(b"ok"))
        except ssl.SSLWantReadError:
            pass
        for piece in records_of(outgoing.read()):
            peer.sendall(piece)
        data = peer.recv(FULL)
        if not data:
            return
        incoming.write(data)


def shown(certificate: str, reason: Reason | None = None, detail: str = "") -> Attack:
    """An honest server of one of the certificates, which takes a while to read and is read beforehand."""
    return Attack(honest(certificate), reason, detail=detail, prepare=partial(context, certificate))


class Repack:
    """Cuts what an honest server says."""

    def __init__(self, *, into_records: bool, every_s: float = 0.0) -> None:
        self._into_records, self._every_s = into_records, every_s

    def __call__(self, said: bytes) -> Iterator[bytes]:
        """Yields the pieces, pausing between them."""
        for piece in self._records(said) if self._into_records else (bytes([byte]) for byte in said):
            yield piece
            time.sleep(self._every_s)

    @staticmethod
    def _records(said: bytes) -> Iterator[bytes]:
        """Handshake messages in the clear may be split over any number of records (RFC 5246, 6.2.1)."""
        encrypted = False
        while said:
            size = 5 + int.from_bytes(said[3:5], "big")
            one, said = said[:size], said[size:]
            encrypted = encrypted or one[0] == tls.CHANGE_CIPHER
            if encrypted or one[0] != tls.HANDSHAKE:
                yield one
            else:
                yield b"".join(tls.record(tls.HANDSHAKE, bytes([byte])) for byte in one[5:])


def one_byte_records(peer: socket.socket) -> None:
    """An honest handshake in records of one byte: slow, but right."""
    serve_in_pieces(peer, Repack(into_records=True))


def a_byte_at_a_time(peer: socket.socket) -> None:
    """An honest handshake that would take many seconds."""
    serve_in_pieces(peer, Repack(into_records=False, every_s=0.01))


def retry_again_and_again(peer: socket.socket) -> None:
    """Asks for another ClientHello, twice; once is all that TLS allows."""
    hello = tls.read_record(peer)
    peer.sendall(tls.hello_retry(hello) * 2)
    hold(peer)


def reset_after_hello(peer: socket.socket) -> None:
    """Reads the ClientHello, then resets."""
    tls.read_record(peer)
    reset(peer)


def reset_after_server_hello(peer: socket.socket) -> None:
    """Resets in the middle of the handshake."""
    tls.read_record(peer)
    peer.sendall(tls.server_hello())
    time.sleep(0.05)
    reset(peer)


def close_after_hello(peer: socket.socket) -> None:
    """Reads the ClientHello and says goodbye."""
    tls.read_record(peer)
    peer.shutdown(socket.SHUT_WR)
    hold(peer)


def stranger_then_silence() -> Behaviour:
    """Shows a bad certificate at the first connection, and nothing to whoever comes back for its chain."""
    turn = count()

    def behave(peer: socket.socket) -> None:
        if next(turn) % 2 == 0:
            honest(STRANGER)(peer)
        else:
            time.sleep(PATIENCE_S / 2)

    return behave


HELLO_REQUEST = tls.record(tls.HANDSHAKE, tls.message(tls.HELLO_REQUEST, b""))
LONG_CERTIFICATES = tls.record(tls.HANDSHAKE, tls.message(tls.CERTIFICATE, b"", length=tls.LONGEST))
LONG_HELLO = tls.record(tls.HANDSHAKE, tls.message(tls.SERVER_HELLO, b"", length=tls.LONGEST))
FILLING = tls.record(tls.HANDSHAKE, bytes(16_000))

HANDSHAKES = {
    "tls-silence": Attack(answer_hello(), SLOW),
    "tls-silence-after-the-server-hello": Attack(answer_hello(tls.server_hello()), SLOW),
    "tls-a-byte-at-a-time": Attack(a_byte_at_a_time, SLOW),
    "tls-records-of-one-byte": Attack(one_byte_records),
    "tls-hello-requests-for-ever": Attack(
        answer_hello(for_ever=HELLO_REQUEST), REFUSED, detail="bytes of TLS hold 0"
    ),
    "tls-empty-records-for-ever": Attack(answer_hello(for_ever=tls.record(tls.HANDSHAKE, b"")), REFUSED),
    "tls-change-cipher-for-ever": Attack(answer_hello(for_ever=tls.record(tls.CHANGE_CIPHER, b"\x01")), REFUSED),
    "tls-warnings-for-ever": Attack(answer_hello(for_ever=tls.alert(tls.WARNING, tls.UNRECOGNIZED_NAME)), REFUSED),
    "tls-alert": Attack(answer_hello(tls.alert(tls.FATAL, tls.UNEXPECTED_MESSAGE)), REFUSED),
    "tls-certificates-for-ever": Attack(
        answer_hello(tls.server_hello(), LONG_CERTIFICATES, for_ever=FILLING),
        REFUSED,
        detail="excessive message size",
    ),
    "tls-server-hello-for-ever": Attack(answer_hello(LONG_HELLO, for_ever=FILLING), REFUSED),
    "tls-record-too-long": Attack(answer_hello(bytes.fromhex("160303ffff") + bytes(FULL)), REFUSED),
    "tls-garbage-for-ever": Attack(answer_hello(for_ever=os.urandom(FULL)), REFUSED),
    "tls-retry-twice": Attack(retry_again_and_again, REFUSED),
    "tls-data-before-the-handshake": Attack(answer_hello(tls.record(tls.DATA, page(b"ok"))), REFUSED),
    "tls-reset-after-hello": Attack(reset_after_hello, Reason.CONNECTION_RESET),
    "tls-reset-after-server-hello": Attack(reset_after_server_hello, Reason.CONNECTION_RESET),
    "tls-half-close": Attack(close_after_hello, REFUSED, detail="closed the connection during the handshake"),
    "tls-ten-megabytes-of-certificates": shown(OVERLOADED, REFUSED, "excessive message size"),
    "tls-a-hundred-certificates": shown(CROWDED),
    "tls-certificate-of-a-thousand-names": shown(BALLAST, Reason.TLS_SELF_SIGNED),
}

RESETS_AT_ONCE = Attack(reset, Reason.CONNECTION_RESET)
"""Where the reset is noticed, in the connection or in the handshake, is a matter of microseconds."""

KINDS = ("http", "tls")

TLS_ATTACKS = {
    **{
        f"{name}-{kind}": replace(attack, scheme="https", kind=kind, phase=Phase.TLS if attack.reason else None)
        for name, attack in HANDSHAKES.items()
        for kind in KINDS
    },
    **{f"tls-reset-at-once-{kind}": replace(RESETS_AT_ONCE, scheme="https", kind=kind) for kind in KINDS},
    **{
        f"tls-stranger-then-silence-{kind}": Attack(
            stranger_then_silence(),
            Reason.TLS_SELF_SIGNED,
            Phase.TLS,
            scheme="https",
            kind=kind,
            together=1,
            options={"timeout_s": TIMEOUT_S},
        )
        for kind in KINDS
    },
}
