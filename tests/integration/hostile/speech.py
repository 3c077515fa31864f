"""What hostile servers have in common: reading a request, sending for ever, holding on, hanging up rudely."""

import socket
import struct
import time
from collections.abc import Iterable, Iterator

from tests.integration.hostile.attack import Behaviour

PATIENCE_S = 8.0
"""An attack ends by itself after this time, so that none outlives its test."""

FULL = 65_536


def read_request(peer: socket.socket) -> bytes:
    """Returns the head of a request; what follows it stays unread or is lost."""
    seen = b""
    while b"\r\n\r\n" not in seen:
        piece = peer.recv(FULL)
        if not piece:
            return seen
        seen += piece
    return seen


def head(*lines: str, status: str = "200 OK") -> bytes:
    """Returns a status line and headers, with the empty line after them."""
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")


def page(body: bytes, *lines: str, status: str = "200 OK") -> bytes:
    """Returns a whole and honest response."""
    return head(*lines, f"Content-Length: {len(body)}", status=status) + body


def to(location: str) -> bytes:
    """Returns a redirect."""
    return page(b"", f"Location: {location}", status="302 Found")


def hold(peer: socket.socket) -> None:
    """Says nothing more, and waits until the probe hangs up."""
    peer.settimeout(PATIENCE_S)
    while peer.recv(FULL):
        pass


def reset(peer: socket.socket) -> None:
    """Closes with an RST."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def flood(peer: socket.socket, pieces: Iterable[bytes]) -> None:
    """Sends as fast as the probe reads, until it hangs up."""
    ends = time.monotonic() + PATIENCE_S
    for piece in pieces:
        peer.sendall(piece)
        if time.monotonic() > ends:
            return


def again(piece: bytes) -> Iterator[bytes]:
    """Repeats a piece without an end, about `FULL` bytes at a time."""
    many = piece * max(1, FULL // len(piece))
    while True:
        yield many


# ── behaviours made of these ─────────────────────────────────────────────────────────────────────────────────────


def say(response: bytes) -> Behaviour:
    """Answers a request and stays connected."""

    def behave(peer: socket.socket) -> None:
        read_request(peer)
        peer.sendall(response)
        hold(peer)

    return behave


def say_and_close(response: bytes) -> Behaviour:
    """Answers a request and closes as one should."""

    def behave(peer: socket.socket) -> None:
        read_request(peer)
        peer.sendall(response)
        peer.shutdown(socket.SHUT_WR)
        hold(peer)

    return behave


def say_for_ever(first: bytes, again_and_again: bytes) -> Behaviour:
    """Answers a request without an end."""

    def behave(peer: socket.socket) -> None:
        read_request(peer)
        peer.sendall(first)
        flood(peer, again(again_and_again))

    return behave


def drip(first: bytes, again_and_again: bytes, every_s: float) -> Behaviour:
    """Answers a request, then adds a little again and again."""

    def behave(peer: socket.socket) -> None:
        read_request(peer)
        peer.sendall(first)
        for _ in range(int(PATIENCE_S / every_s)):
            time.sleep(every_s)
            peer.sendall(again_and_again)

    return behave
