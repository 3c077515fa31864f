"""Attacks within a TLS session, after an honest handshake."""

import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator

from sentry.domain.result import Phase, Reason
from tests.integration.hostile import tls_records as tls
from tests.integration.hostile.attack import Attack, Behaviour
from tests.integration.hostile.speech import FULL, flood, head, hold, page
from tests.integration.hostile.tls_peer import KEY_UPDATE, Keys13, TlsPeer, shake_hands

BROKEN = Reason.TLS_HANDSHAKE
MANY = 256
"""Records sent in one go."""

Act = Callable[[TlsPeer], None]


def session(version: ssl.TLSVersion, act: Act) -> Behaviour:
    """Shakes hands, reads the request and acts."""

    def behave(peer: socket.socket) -> None:
        secured = shake_hands(peer, version)
        secured.read_request()
        act(secured)
        hold(peer)

    return behave


def sealed_for_ever(kind: int, payload: bytes, before: bytes = b"") -> Act:
    """Sends some data, then the same record again and again."""

    def act(secured: TlsPeer) -> None:
        if before:
            secured.data(before)
        flood(secured.peer, _batches(secured, kind, payload))

    return act


def _batches(secured: TlsPeer, kind: int, payload: bytes) -> Iterator[bytes]:
    while True:
        yield b"".join(secured.keys.seal(kind, payload) for _ in range(MANY))


def key_updates_for_ever(secured: TlsPeer) -> None:
    """Changes the keys with every record, each as long as a record may be."""
    flood(secured.peer, _key_updates(secured.keys, padding=16_000))


def key_updates_now_and_then(secured: TlsPeer) -> None:
    """Changes the keys a few hundred times a second, and says nothing else."""
    flood(secured.peer, _key_updates(secured.keys, every_s=0.002))


def _key_updates(keys: object, *, padding: int = 0, every_s: float = 0.0) -> Iterator[bytes]:
    assert isinstance(keys, Keys13)
    while True:
        yield keys.seal(tls.HANDSHAKE, KEY_UPDATE, padding)
        keys.update()
        time.sleep(every_s)


def records_of_one_byte(secured: TlsPeer) -> None:
    """Answers in records of one byte."""
    for byte in page(b"ok" * 500):
        secured.data(bytes([byte]))


def alert_instead_of_an_answer(secured: TlsPeer) -> None:
    """Answers with an alert."""
    secured.alert(tls.FATAL, tls.UNEXPECTED_MESSAGE)


def goodbye_before_the_answer(secured: TlsPeer) -> None:
    """Says goodbye and then answers all the same."""
    secured.alert(tls.WARNING, tls.CLOSE_NOTIFY)
    secured.data(page(b"ok"))


def goodbye_within_the_body(secured: TlsPeer) -> None:
    """Says goodbye half way and sends the rest afterwards."""
    secured.data(head("Content-Length: 4") + b"ok")
    secured.alert(tls.WARNING, tls.CLOSE_NOTIFY)
    secured.data(b"ok")


def more_after_goodbye(secured: TlsPeer) -> None:
    """Answers, says goodbye and goes on for ever."""
    secured.data(page(b"ok"))
    secured.alert(tls.WARNING, tls.CLOSE_NOTIFY)
    flood(secured.peer, _batches(secured, tls.DATA, b"x" * 1000))


def no_goodbye(secured: TlsPeer) -> None:
    """Ends a body by the connection alone, as many servers do."""
    secured.data(head() + b"ok")
    secured.peer.shutdown(socket.SHUT_WR)


def forged(secured: TlsPeer) -> None:
    """Answers with a record that nobody with the keys wrote."""
    secured.peer.sendall(tls.record(tls.DATA, os.urandom(200)))


def in_the_clear(secured: TlsPeer) -> None:
    """Answers without encryption."""
    secured.peer.sendall(page(b"ok"))


def too_long(secured: TlsPeer) -> None:
    """Announces a record that no record can be."""
    secured.peer.sendall(bytes.fromhex("170303ffff") + bytes(FULL))


def say_nothing(secured: TlsPeer) -> None:
    """Shakes hands and falls silent."""


TICKET = tls.message(4, bytes(8) + b"\x08" + bytes(8) + b"\x01\x00" + bytes(256) + b"\x00\x00")
CERTIFICATE_REQUEST = tls.message(13, b"\0" + b"\x00\x08" + b"\x00\x0d\x00\x04\x00\x02\x04\x03")
HELLO_REQUEST = tls.message(tls.HELLO_REQUEST, b"")

TLS_1_3: dict[str, tuple[Act, Reason | None, Phase | None]] = {
    "key-updates-for-ever": (key_updates_for_ever, BROKEN, None),
    "key-updates-now-and-then": (key_updates_now_and_then, Reason.PROCESSING_TIMEOUT, Phase.PROCESSING),
    "tickets-for-ever": (sealed_for_ever(tls.HANDSHAKE, TICKET), BROKEN, None),
    "certificate-asked-for-late": (sealed_for_ever(tls.HANDSHAKE, CERTIFICATE_REQUEST), BROKEN, None),
}

TLS_1_2: dict[str, tuple[Act, Reason | None, Phase | None]] = {
    "hello-requests-for-ever": (sealed_for_ever(tls.HANDSHAKE, HELLO_REQUEST), BROKEN, None),
    "hello-requests-within-the-body": (
        sealed_for_ever(tls.HANDSHAKE, HELLO_REQUEST, head("Content-Length: 4") + b"ok"),
        BROKEN,
        None,
    ),
}

EITHER: dict[str, tuple[Act, Reason | None, Phase | None]] = {
    "records-of-one-byte": (records_of_one_byte, None, None),
    "empty-records-for-ever": (sealed_for_ever(tls.DATA, b""), BROKEN, None),
    "warnings-for-ever": (sealed_for_ever(tls.ALERT, bytes([tls.WARNING, 90])), BROKEN, None),
    "alert-instead-of-an-answer": (alert_instead_of_an_answer, BROKEN, None),
    "goodbye-before-the-answer": (goodbye_before_the_answer, Reason.HTTP_PROTOCOL, Phase.PROCESSING),
    "goodbye-within-the-body": (goodbye_within_the_body, Reason.HTTP_PROTOCOL, Phase.TRANSFER),
    "more-after-goodbye": (more_after_goodbye, None, None),
    "no-goodbye": (no_goodbye, None, None),
    "body-for-ever": (sealed_for_ever(tls.DATA, b"x" * 16_000, head()), Reason.BODY_TOO_LARGE, Phase.TRANSFER),
    "forged-record": (forged, BROKEN, None),
    "answer-in-the-clear": (in_the_clear, BROKEN, None),
    "record-too-long": (too_long, BROKEN, None),
    "silence": (say_nothing, Reason.PROCESSING_TIMEOUT, Phase.PROCESSING),
}

VERSIONS = {
    "tls-1.3": (ssl.TLSVersion.TLSv1_3, {**EITHER, **TLS_1_3}),
    "tls-1.2": (ssl.TLSVersion.TLSv1_2, {**EITHER, **TLS_1_2}),
}

PATIENT = {"timeout_s": 4}
"""Enough for the handshake of a session that then comes to no end."""

SESSION_ATTACKS = {
    f"{label}-{name}": Attack(
        session(version, act),
        reason,
        phase,
        scheme="https",
        options=PATIENT if reason is Reason.PROCESSING_TIMEOUT else {},
    )
    for label, (version, acts) in VERSIONS.items()
    for name, (act, reason, phase) in acts.items()
}
