"""Attacks by what is in a body: its size, its pace, and what it unfolds to."""

import gzip
import socket
import zlib
from collections.abc import Callable
from functools import cache

import brotli  # type: ignore[import-untyped]  # it ships no annotations

from sentry.domain.result import Phase, Reason
from tests.integration.hostile.attack import Attack
from tests.integration.hostile.speech import drip, head, page, say, say_for_ever

UNFOLDED = 100_000_000
TOO_LARGE = Reason.BODY_TOO_LARGE
SLOW = Reason.TRANSFER_TIMEOUT


def bomb(coding: str, make: Callable[[], bytes], detail: str = "decompressed") -> Attack:
    """Sends a body under a Content-Encoding; it is made beforehand, as packing zeros takes a while."""
    made = cache(make)

    def behave(peer: socket.socket) -> None:
        say(page(made(), f"Content-Encoding: {coding}"))(peer)

    return Attack(behave, TOO_LARGE, Phase.TRANSFER, detail, prepare=made)


def zeros() -> bytes:
    """Returns what a bomb unfolds to."""
    return bytes(UNFOLDED)


def gzip_in_gzip() -> bytes:
    """Returns zeros in gzip in gzip in gzip: less than a kilobyte that unfolds further at every step."""
    return gzip.compress(gzip.compress(gzip.compress(zeros(), 9), 9), 9)


BODY_ATTACKS = {
    "body-for-ever": Attack(say_for_ever(head(), b"x"), TOO_LARGE, Phase.TRANSFER),
    "chunks-for-ever": Attack(
        say_for_ever(head("Transfer-Encoding: chunked"), b"8000\r\n" + b"x" * 0x8000 + b"\r\n"),
        TOO_LARGE,
        Phase.TRANSFER,
    ),
    "body-a-byte-a-second": Attack(drip(head(), b"x", 1.0), SLOW, Phase.TRANSFER),
    "body-a-byte-at-a-time": Attack(drip(head(), b"x", 0.002), SLOW, Phase.TRANSFER),
    "body-of-a-server-error-for-ever": Attack(
        say_for_ever(head(status="500 Sorry"), b"x"), Reason.HTTP_SERVER_ERROR, Phase.PROCESSING
    ),
    "gzip-bomb": bomb("gzip", lambda: gzip.compress(zeros(), 9)),
    "deflate-bomb": bomb("deflate", lambda: zlib.compress(zeros(), 9)),
    "brotli-bomb": bomb("br", lambda: brotli.compress(zeros(), quality=5)),
    "gzip-bomb-in-gzip-in-gzip": bomb("gzip, gzip, gzip", gzip_in_gzip),
    "brotli-bomb-in-gzip": bomb("br, gzip", lambda: gzip.compress(brotli.compress(zeros(), quality=5))),
    "gzip-forty-times": Attack(
        say(page(gzip.compress(b"ok"), f"Content-Encoding: {', '.join(['gzip'] * 40)}")),
        Reason.HTTP_PROTOCOL,
        Phase.TRANSFER,
        "codings",
    ),
    "gzip-of-empty-members": Attack(
        say(page(gzip.compress(b"") * 40_000, "Content-Encoding: gzip")),
        Reason.HTTP_PROTOCOL,
        Phase.TRANSFER,
        "members",
        together=1,
    ),
    "gzip-after-its-end-for-ever": Attack(
        say_for_ever(head("Content-Encoding: gzip") + gzip.compress(b"ok"), b"x"), TOO_LARGE, Phase.TRANSFER
    ),
    "gzip-of-garbage": Attack(
        say_for_ever(head("Content-Encoding: gzip"), b"\xff"), Reason.HTTP_PROTOCOL, Phase.TRANSFER, "damaged"
    ),
    "brotli-of-garbage": Attack(
        say_for_ever(head("Content-Encoding: br"), b"\xff"), Reason.HTTP_PROTOCOL, Phase.TRANSFER, "damaged"
    ),
}
