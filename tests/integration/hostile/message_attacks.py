"""Attacks by what an HTTP response says: its start, its headers, its framing."""

import socket

from sentry.domain.result import Phase, Reason
from tests.integration.hostile.attack import Attack
from tests.integration.hostile.speech import (
    FULL,
    drip,
    flood,
    head,
    hold,
    page,
    read_request,
    say,
    say_and_close,
    say_for_ever,
)

START = b"HTTP/1.1 200 OK\r\n"
CHUNKED = head("Transfer-Encoding: chunked")
BROKEN = Reason.HTTP_PROTOCOL

HTTP2_SETTINGS = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def growing_headers(peer: socket.socket) -> None:
    """Every header a new and longer one."""
    read_request(peer)
    peer.sendall(START)
    flood(peer, (f"X-{number}: {'x' * number}\r\n".encode() for number in range(1, FULL)))


STARTS = {
    "http-0.9": Attack(say_and_close(b"<html>No headers at all</html>"), BROKEN, Phase.PROCESSING),
    "http2-preface": Attack(say(HTTP2_PREFACE), BROKEN, Phase.PROCESSING),
    "http2-settings": Attack(say(HTTP2_SETTINGS), BROKEN, Phase.PROCESSING),
    "http2-in-the-status-line": Attack(say_and_close(b"HTTP/2.0 200 OK\r\n\r\nok")),
    "status-of-six-digits": Attack(say(b"HTTP/1.1 200000 OK\r\n\r\n"), BROKEN, Phase.PROCESSING),
    "status-below-zero": Attack(say(b"HTTP/1.1 -200 OK\r\n\r\n"), BROKEN, Phase.PROCESSING),
    "status-line-without-end": Attack(say_for_ever(b"HTTP/1.1 200 ", b"O"), BROKEN),
    "nul-bytes-for-ever": Attack(say_for_ever(b"", bytes(FULL)), BROKEN, Phase.PROCESSING),
    "newlines-for-ever": Attack(say_for_ever(b"", b"\r\n"), BROKEN, detail="no end"),
    "another-request": Attack(say(b"GET / HTTP/1.1\r\nHost: site.test\r\n\r\n"), BROKEN, Phase.PROCESSING),
    "interim-responses-for-ever": Attack(say_for_ever(b"", head(status="103 Early Hints")), BROKEN),
    "interim-responses-slowly": Attack(
        drip(b"", head(status="100 Continue"), 0.05), Reason.TRANSFER_TIMEOUT, Phase.TRANSFER
    ),
    "upgrade-nobody-asked-for": Attack(
        say(head("Upgrade: websocket", "Connection: Upgrade", status="101 Switching Protocols")), BROKEN
    ),
}

HEADERS = {
    "headers-for-ever": Attack(say_for_ever(START, b"A: b\r\n"), BROKEN, detail="or chunk framing have no end"),
    "headers-that-grow": Attack(growing_headers, BROKEN),
    "header-without-end": Attack(say_for_ever(START + b"X: ", b"x"), BROKEN, detail="no end"),
    "header-of-a-megabyte": Attack(say(head(f"X: {'x' * 1_000_000}") + b"ok"), BROKEN),
    "header-name-of-a-megabyte": Attack(say(head(f"{'x' * 1_000_000}: x") + b"ok"), BROKEN),
    "header-of-60-kilobytes": Attack(say(page(b"ok", f"X: {'x' * 60_000}"))),
    "header-folded-for-ever": Attack(say_for_ever(START + b"X: x\r\n", b" x\r\n"), BROKEN),
    "headers-a-byte-a-second": Attack(
        drip(b"H", b"T", 1.0),
        Reason.TRANSFER_TIMEOUT,
        Phase.TRANSFER,
    ),
    "headers-a-byte-at-a-time": Attack(drip(START + b"X: ", b"x", 0.005), Reason.TRANSFER_TIMEOUT, Phase.TRANSFER),
    "nul-in-a-header": Attack(say(page(b"ok", "X: a\0b")), BROKEN),
    "bare-carriage-return-in-a-header": Attack(say(page(b"ok", "X: a\rX-Injected: yes")), BROKEN),
    "nul-in-a-header-name": Attack(say(page(b"ok", "X\0: a")), BROKEN),
    "escape-codes-in-a-header": Attack(
        say(page(b"no", "X: \x1b[2J\x1b]0;owned\x07\x0b\x85", status="500 \x1b[31m")), Reason.HTTP_SERVER_ERROR
    ),
    "cookies-for-ever": Attack(say_for_ever(START, b"Set-Cookie: a=" + b"b" * 3000 + b"\r\n"), BROKEN),
}

LENGTHS = {
    "length-below-zero": Attack(say(head("Content-Length: -1") + b"ok"), BROKEN),
    "length-that-overflows": Attack(say(head(f"Content-Length: {10**30}") + b"ok"), BROKEN),
    "length-of-a-terabyte": Attack(
        say_for_ever(head(f"Content-Length: {10**12}"), b"x"),
        Reason.BODY_TOO_LARGE,
        Phase.TRANSFER,
        "Content-Length is 1,000,000,000,000 bytes",
    ),
    "length-in-words": Attack(say(head("Content-Length: two") + b"ok"), BROKEN),
    "length-with-a-sign": Attack(say(head("Content-Length: +2") + b"ok"), BROKEN),
    "length-in-hex": Attack(say(head("Content-Length: 0x2") + b"ok"), BROKEN),
    "two-lengths-that-differ": Attack(say(head("Content-Length: 2", "Content-Length: 3") + b"ok"), BROKEN),
    "two-lengths-in-one-header": Attack(say(head("Content-Length: 2, 3") + b"ok"), BROKEN),
    "length-never-reached": Attack(
        say(head("Content-Length: 3") + b"ok"), Reason.TRANSFER_TIMEOUT, Phase.TRANSFER, "2 bytes of the body read"
    ),
    "length-cut-short": Attack(
        say_and_close(head("Content-Length: 3") + b"ok"), BROKEN, Phase.TRANSFER, "after 2 of 3 bytes"
    ),
}

CHUNKS = {
    "chunk-of-100-megabytes": Attack(
        say_for_ever(CHUNKED + b"6400000\r\n", b"x"), Reason.BODY_TOO_LARGE, Phase.TRANSFER
    ),
    "chunk-of-100-megabytes-that-never-comes": Attack(
        say(CHUNKED + b"6400000\r\n"), Reason.TRANSFER_TIMEOUT, Phase.TRANSFER
    ),
    "chunk-size-that-overflows": Attack(say(CHUNKED + b"FFFFFFFFFFFFFFFFF\r\nx"), BROKEN),
    "chunk-size-below-zero": Attack(say(CHUNKED + b"-2\r\nok\r\n0\r\n\r\n"), BROKEN),
    "chunk-size-without-end": Attack(say_for_ever(CHUNKED, b"0"), BROKEN),
    "chunks-of-one-byte": Attack(say_for_ever(CHUNKED, b"1\r\nx\r\n"), Reason.BODY_TOO_LARGE, Phase.TRANSFER),
    "chunk-extension-without-end": Attack(say_for_ever(CHUNKED + b"2;a=", b"b"), BROKEN, detail="no end"),
    "chunk-extensions-of-60-kilobytes": Attack(
        say_for_ever(CHUNKED, b"1;a=" + b"b" * 60_000 + b"\r\nx\r\n"), BROKEN, detail="no end"
    ),
    "trailers-for-ever": Attack(say_for_ever(CHUNKED + b"2\r\nok\r\n0\r\n", b"A: b\r\n"), BROKEN),
    "trailer-without-end": Attack(say_for_ever(CHUNKED + b"2\r\nok\r\n0\r\nA: ", b"b"), BROKEN),
    "chunked-twice": Attack(say(head("Transfer-Encoding: chunked, chunked") + b"2\r\nok\r\n0\r\n\r\n")),
}


def hold_after_204(peer: socket.socket) -> None:
    """A response that has no body by its status, followed by one."""
    read_request(peer)
    peer.sendall(head("Content-Length: 2", status="204 No Content") + b"ok")
    hold(peer)


ENDS = {
    "body-where-none-may-be": Attack(hold_after_204),
    "body-after-a-head-request": Attack(
        say_for_ever(head("Content-Length: 9999999999"), b"x"), options={"method": "HEAD"}
    ),
    "more-after-the-end": Attack(say_for_ever(page(b"ok"), page(b"more"))),
}

MESSAGE_ATTACKS = {**STARTS, **HEADERS, **LENGTHS, **CHUNKS, **ENDS}
