"""Changes recorded responses a little or a lot, as broken servers, proxies and attackers do."""

import random
import re
from collections.abc import Callable, Sequence

TOKENS: tuple[bytes, ...] = (
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    b"HTTP/2.0 200\r\n",
    b"HTTP/1.1 204 No Content\r\n",
    b"HTTP/1.1 304 Not Modified\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: /next\r\n",
    b"HTTP/1.1 500 Internal Server Error\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\n\n",
    b"\0",
    b" ",
    b"\t",
    b":",
    b";",
    b",",
    b"0\r\n\r\n",
    b"0\r\nTrailer: x\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"5;name=value\r\nhello\r\n",
    b"-1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: 18446744073709551616\r\n",
    b"Content-Length: 5, 5\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Content-Encoding: deflate\r\n",
    b"Content-Encoding: br\r\n",
    b"Content-Encoding: gzip, br\r\n",
    b"Content-Encoding: zstd\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Connection: upgrade\r\n",
    b"Upgrade: websocket\r\n",
    b"Location: //other.test/\r\n",
    b"Location: file:///etc/passwd\r\n",
    b"Location: http://[::1\r\n",
    b"Location: \xff\xfe\r\n",
    b"Set-Cookie: a=b; Domain=.test; Max-Age=0\r\n",
    b"Content-Type: text/html; charset=utf-16\r\n",
    b"Content-Type: text/html; charset=idna\r\n",
    b"Last-Modified: Tue, 31 Feb 99999 25:61:61 +9999\r\n",
    b"Last-Modified: Fri, 31 Dec 9999 23:59:59 -0100\r\n",
    b"Link: <https://u:p@h/?key=1>; rel=next\r\n",
    b"hash",
    b"charset=",
    b"X: folded\r\n more\r\n\tand more\r\n",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00",
    b"\x78\x9c\x03\x00\x00\x00\x00\x01",
    b"\x1f",
    b"\x8b",
    b"\x3b",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"<html",
    b"<title>x</title>",
    b'{"items": [{"ok": true}]}',
    b"[" * 500,
)
NUMBERS = (b"0", b"1", b"-1", b"00", b"0x10", b"99", b"100", b"199", b"204", b"304", b"599", b"999", b"20001", b"+5")
NUMBER = re.compile(rb"[0-9]+")
MAX_REPEATS = 300
MAX_BYTES = 60_000


class Mutator:
    """Changes bytes by chance; the same seed makes the same changes."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._ways: Sequence[Callable[[bytearray, bytes], None]] = (
            self._flip,
            self._set,
            self._delete,
            self._double,
            self._insert_token,
            self._insert_token,
            self._overwrite_with_token,
            self._change_number,
            self._truncate,
            self._repeat,
            self._splice,
            self._swap_lines,
        )

    def changed(self, data: bytes, other: bytes) -> bytes:
        """Returns the data with one to six changes.

        Args:
            data: what is changed.
            other: another response, for splices.
        """
        changed = bytearray(data or b"\n")
        for _ in range(self._chance.choice((1, 1, 1, 2, 2, 3, 4, 6))):
            self._chance.choice(self._ways)(changed, other)
            changed = changed or bytearray(b"\n")
        return bytes(changed[:MAX_BYTES])

    def _at(self, data: bytearray) -> int:
        """Picks a place: half of the time among the first bytes, where the headers are."""
        end = len(data) if self._chance.random() < 0.5 else min(len(data), 400)
        return self._chance.randrange(end)

    def _span(self, data: bytearray, longest: int) -> slice:
        at = self._at(data)
        return slice(at, at + self._chance.randint(1, longest))

    def _flip(self, data: bytearray, _other: bytes) -> None:
        data[self._at(data)] ^= 1 << self._chance.randrange(8)

    def _set(self, data: bytearray, _other: bytes) -> None:
        data[self._at(data)] = self._chance.choice((0, 9, 10, 13, 32, 58, 127, 128, 255, self._chance.randrange(256)))

    def _delete(self, data: bytearray, _other: bytes) -> None:
        del data[self._span(data, 60)]

    def _double(self, data: bytearray, _other: bytes) -> None:
        span = self._span(data, 200)
        data[span.start : span.start] = data[span]

    def _insert_token(self, data: bytearray, _other: bytes) -> None:
        at = self._at(data)
        if self._chance.random() < 0.5:  # a whole header is read as one only at the begin of a line
            at = data.find(b"\n", at) + 1
        data[at:at] = self._chance.choice(TOKENS)

    def _overwrite_with_token(self, data: bytearray, _other: bytes) -> None:
        token = self._chance.choice(TOKENS)
        at = self._at(data)
        data[at : at + len(token)] = token

    def _change_number(self, data: bytearray, _other: bytes) -> None:
        numbers = list(NUMBER.finditer(data[:2000]))
        if numbers:
            found = self._chance.choice(numbers)
            data[found.start() : found.end()] = self._chance.choice(NUMBERS)

    def _truncate(self, data: bytearray, _other: bytes) -> None:
        del data[self._at(data) :]

    def _repeat(self, data: bytearray, _other: bytes) -> None:
        span = self._span(data, 40)
        data[span.start : span.start] = data[span] * self._chance.randrange(MAX_REPEATS)

    def _splice(self, data: bytearray, other: bytes) -> None:
        if other:
            data[self._at(data) :] = other[self._chance.randrange(len(other)) :]

    def _swap_lines(self, data: bytearray, _other: bytes) -> None:
        lines = bytes(data).split(b"\r\n")
        first, second = self._chance.randrange(len(lines)), self._chance.randrange(len(lines))
        lines[first], lines[second] = lines[second], lines[first]
        data[:] = b"\r\n".join(lines)
