"""Attacks below HTTP: who closes, resets, speaks or falls silent, and when."""

import socket
import time

from sentry.domain.result import Phase, Reason
from tests.integration.hostile.attack import Attack
from tests.integration.hostile.speech import FULL, PATIENCE_S, head, hold, page, read_request, reset

RESET = Reason.CONNECTION_RESET
BROKEN = Reason.HTTP_PROTOCOL
MOMENT_S = 0.1
"""Long enough for what was sent to arrive before what follows."""


def reset_at_once(peer: socket.socket) -> None:
    """Takes the connection and throws it away."""
    reset(peer)


def reset_before_the_first_byte(peer: socket.socket) -> None:
    """Reads the request, then resets."""
    read_request(peer)
    reset(peer)


def reset_in_headers(peer: socket.socket) -> None:
    """Begins to answer, then resets."""
    read_request(peer)
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-")
    time.sleep(MOMENT_S)
    reset(peer)


def reset_in_body(peer: socket.socket) -> None:
    """Resets half way through the body."""
    read_request(peer)
    peer.sendall(head("Content-Length: 4") + b"ok")
    time.sleep(MOMENT_S)
    reset(peer)


def reset_instead_of_the_end(peer: socket.socket) -> None:
    """Resets where a body without a length ends: nobody can tell whether all of it came."""
    read_request(peer)
    peer.sendall(head() + b"ok")
    time.sleep(MOMENT_S)
    reset(peer)


def reset_after_the_end(peer: socket.socket) -> None:
    """Resets once everything has been said and read."""
    read_request(peer)
    peer.sendall(page(b"ok"))
    time.sleep(MOMENT_S)
    reset(peer)


def close_at_once(peer: socket.socket) -> None:
    """Says goodbye before hello, and stays to listen."""
    peer.shutdown(socket.SHUT_WR)
    hold(peer)


def close_before_the_first_byte(peer: socket.socket) -> None:
    """Reads the request, says goodbye, and stays."""
    read_request(peer)
    close_at_once(peer)


def close_in_headers(peer: socket.socket) -> None:
    """Says goodbye within the headers, and stays."""
    read_request(peer)
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-")
    close_at_once(peer)


def close_after_the_body(peer: socket.socket) -> None:
    """Ends a body as HTTP/1.0 does, and keeps the other half of the connection open."""
    read_request(peer)
    peer.sendall(head() + b"ok")
    close_at_once(peer)


def answer_before_the_request(peer: socket.socket) -> None:
    """Does not wait to be asked."""
    peer.sendall(page(b"ok"))
    hold(peer)


def answer_before_the_request_and_reset(peer: socket.socket) -> None:
    """Begins an answer to nothing and is gone."""
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok")
    time.sleep(MOMENT_S)
    reset(peer)


def say_nothing(peer: socket.socket) -> None:
    """Reads everything and never answers."""
    hold(peer)


def never_read(peer: socket.socket) -> None:
    """Neither reads nor answers; the connection fills up."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    time.sleep(PATIENCE_S / 2)


def read_a_byte_at_a_time(peer: socket.socket) -> None:
    """Takes a large request so slowly that it never ends."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    for _ in range(int(PATIENCE_S / 2 / 0.01)):
        if not peer.recv(1):
            return
        time.sleep(0.01)


def answer_without_reading(peer: socket.socket) -> None:
    """Refuses a large request before it is sent, as a proxy with a limit does; the refusal is the answer."""
    peer.sendall(page(b"too much", status="413 Content Too Large"))
    time.sleep(MOMENT_S)
    peer.shutdown(socket.SHUT_WR)
    while peer.recv(FULL):
        pass


def urgent_bytes(peer: socket.socket) -> None:
    """Sends out-of-band bytes into the answer, which a reader never sees."""
    read_request(peer)
    answer = page(b"ok")
    for byte in answer:
        peer.sendall(bytes([byte]))
        if byte == ord(":"):
            peer.send(b"!", socket.MSG_OOB)
    hold(peer)


LARGE_POST = {"method": "POST", "body": "x" * 8_000_000}

CONNECTION_ATTACKS = {
    "reset-at-once": Attack(reset_at_once, RESET),
    "reset-before-the-first-byte": Attack(reset_before_the_first_byte, RESET, Phase.PROCESSING),
    "reset-in-headers": Attack(reset_in_headers, RESET, Phase.TRANSFER),
    "reset-in-body": Attack(reset_in_body, RESET, Phase.TRANSFER),
    "reset-instead-of-the-end": Attack(reset_instead_of_the_end, RESET, Phase.TRANSFER),
    "reset-after-the-end": Attack(reset_after_the_end),
    "half-close-at-once": Attack(close_at_once, BROKEN, Phase.PROCESSING, "without an answer"),
    "half-close-before-the-first-byte": Attack(
        close_before_the_first_byte, BROKEN, Phase.PROCESSING, "without an answer"
    ),
    "half-close-in-headers": Attack(close_in_headers, BROKEN, detail="within the headers"),
    "half-close-after-the-body": Attack(close_after_the_body),
    "answer-before-the-request": Attack(answer_before_the_request),
    "answer-before-the-request-and-reset": Attack(answer_before_the_request_and_reset, RESET),
    "silence": Attack(say_nothing, Reason.PROCESSING_TIMEOUT, Phase.PROCESSING),
    "never-reads": Attack(never_read, Reason.PROCESSING_TIMEOUT, Phase.PROCESSING, options=LARGE_POST),
    "reads-a-byte-at-a-time": Attack(
        read_a_byte_at_a_time, Reason.PROCESSING_TIMEOUT, Phase.PROCESSING, options=LARGE_POST
    ),
    "answers-without-reading": Attack(
        answer_without_reading, Reason.HTTP_CLIENT_ERROR, Phase.PROCESSING, "413", options=LARGE_POST
    ),
    "urgent-bytes": Attack(urgent_bytes),
}
