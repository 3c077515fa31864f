"""One response, parsed while it arrives: interim responses, chunks, trailers, bodies that end with the connection."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

import httptools

MAX_HEAD_BYTES = 65_536
"""Bound of the header section with all interim responses before it; servers themselves send 8 to 16 KiB at most."""

MAX_HEADERS = 200
MAX_FRAMING_BYTES = 65_536
"""Bound of what arrives and is not body: chunk extensions, trailers, headers without an end."""

FRAMING_SHARE = 8
"""Framing allowed beside that for each byte of the body; chunks of one byte take five."""

LENGTH_DIGITS = 20
"""Of the largest number of 64 bits."""

INTERIM = range(100, 200)
SWITCHING_PROTOCOLS = 101
BODILESS = frozenset({204, 304})


class HttpBrokenError(Exception):
    """What came is no HTTP, or ended too early; the message says how.

    Attributes:
        pieces: of the body, from the same read as what is broken; None where the headers are not complete. Whoever
            reads takes the head and these first: else the verdict would depend on how TCP cut the bytes up.
    """

    pieces: Sequence[bytes] | None = None


class Head:
    """Status line and headers of a response, as received."""

    __slots__ = ("_by_name", "received", "status", "version")

    def __init__(self, status: int = 0, version: str = "", received: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Begins with what is known, which is nothing while it arrives."""
        self.status, self.version = status, version
        self.received = list(received)
        self._by_name: dict[bytes, bytes] | None = None

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Every header in the order received, as text."""
        return [(name.decode("latin-1"), _header_text(value)) for name, value in self.received]

    def get(self, name: str) -> str | None:
        """Returns a header's value, several joined by commas, None where it is absent."""
        if self._by_name is None:
            self._by_name = {name.lower(): value for name, value in self.received}
        value = self._by_name.get(_key(name))
        if value is None:
            return None
        if len(self._by_name) != len(self.received):
            return ", ".join(self.all(name))
        return _header_text(value)

    def all(self, name: str) -> Sequence[str]:
        """Returns the values of every header of this name."""
        wanted = _key(name)
        return [_header_text(value) for key, value in self.received if key.lower() == wanted]


class ResponseParser:
    """Feeds bytes to httptools and collects what it says of the final response.

    It is as lenient as browsers are with line ends, with a Content-Length beside chunks and with what follows the
    end: a page that people see must not count as down. There is one response to a connection, so nothing can be
    smuggled.
    """

    __slots__ = (
        "_body",
        "_body_bytes",
        "_framing_bytes",
        "_header_bytes",
        "_method",
        "_parser",
        "_received",
        "_received_bytes",
        "complete",
        "head",
        "headers_complete",
        "interim",
    )

    def __init__(self, *, method: str) -> None:
        """Starts before the first byte.

        Args:
            method: of the request; the answer to HEAD has no body whatever its headers say.
        """
        self.head = Head()
        self.headers_complete = False
        self.complete = False
        self.interim = 0
        self._method = method
        self._header_bytes = 0
        self._received: Callable[[tuple[bytes, bytes]], None] = self.head.received.append
        self._received_bytes = self._framing_bytes = 0
        self._body: list[bytes] = []
        self._body_bytes = 0
        parser = httptools.HttpResponseParser(self)
        parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_chunked_length=True,
            lenient_keep_alive=True,
            lenient_data_after_close=True,
            lenient_optional_lf_after_cr=True,
            lenient_optional_cr_before_lf=True,
            lenient_optional_crlf_after_chunk=True,
            lenient_spaces_after_chunk_size=True,
        )
        self._parser: httptools.HttpResponseParser | None = parser

    def feed(self, data: bytes | memoryview) -> Sequence[bytes]:
        """Takes what has arrived.

        Returns:
            The pieces of the body in it, content codings not yet undone.

        Raises:
            HttpBrokenError: it is no HTTP, or its header section passes a bound.
        """
        self._body = []
        if self._parser is None:
            return ()  # what follows the end of the response is none of our business
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise HttpBrokenError("the server switches protocols without being asked") from None
        except httptools.HttpParserError as error:
            if not self.complete:
                broken = self._broken(error, data)
                broken.pieces = self._body if self.headers_complete else None
                raise broken from None
        if self.complete:
            self._parser = None  # which refers to us: a cycle would keep the body until the collector comes by
            return self._body
        self._received_bytes += len(data)
        self._framing_bytes = self._received_bytes - self._body_bytes
        if self._framing_bytes > MAX_FRAMING_BYTES + FRAMING_SHARE * self._body_bytes:
            raise HttpBrokenError(f"{self._framing_bytes:,} bytes of headers or chunk framing have no end")
        return self._body

    def end_of_stream(self) -> None:
        """Takes note that the server has closed.

        Raises:
            HttpBrokenError: something is still missing.
        """
        if self.complete:
            return
        if not self.headers_complete:
            if self._framing_bytes == 0:
                raise HttpBrokenError("the server closed the connection without an answer")
            raise HttpBrokenError(f"the server closed within the headers, after {self._framing_bytes:,} bytes")
        if self.is_chunked:
            raise HttpBrokenError(f"the server closed before the last chunk, after {self._body_bytes:,} bytes")
        if self.content_length is not None and self._body_bytes < self.content_length:
            raise HttpBrokenError(
                f"the server closed after {self._body_bytes:,} of {self.content_length:,} bytes of the body"
            )
        self.complete = True
        self._parser = None

    @property
    def is_bodiless(self) -> bool:
        """Whether there is no body, whatever the headers say (RFC 9112, 6.3)."""
        return self._method == "HEAD" or self.head.status in BODILESS

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks."""
        coding = self.head.get("Transfer-Encoding")
        return coding is not None and coding.rpartition(",")[2].strip().lower() == "chunked"

    @property
    def content_length(self) -> int | None:
        """The Content-Length header."""
        value = self.head.get("Content-Length")
        if value is None or not (value.isascii() and value.isdigit()):
            return None
        return int(value[-LENGTH_DIGITS:])  # llhttp has refused more than 64 bits: what is cut off are zeros

    # ── what httptools calls ─────────────────────────────────────────────────────────────────────────────────────

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer once the headers are complete; they are looked at together, for speed."""
        self._received((name, value))

    def on_headers_complete(self) -> None:
        """The header section has ended."""
        parser, head = self._parser, self.head
        if self.complete or parser is None:
            return
        self._refuse_hostile(head.received)
        status = parser.get_status_code()
        if status in INTERIM and status != SWITCHING_PROTOCOLS:
            self.interim += 1
            self.head = Head()
            self._received = self.head.received.append
            return
        head.status, head.version = status, parser.get_http_version()
        self._received = _unread
        self.headers_complete = True
        self.complete = self._method == "HEAD" or status in BODILESS

    def _refuse_hostile(self, received: Sequence[tuple[bytes, bytes]]) -> None:
        if len(received) > MAX_HEADERS:
            raise HttpBrokenError(f"there are more than {MAX_HEADERS} headers")
        joined = b"  ".join([part for pair in received for part in pair])  # two bytes each, as on the wire
        self._header_bytes += len(joined)
        if self._header_bytes > MAX_HEAD_BYTES:
            raise HttpBrokenError(f"the header section is larger than {MAX_HEAD_BYTES:,} bytes")
        if 0 in joined:
            raise HttpBrokenError("a header holds a NUL byte, which no browser takes")

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if not self.complete:
            self._body.append(data)
            self._body_bytes += len(data)

    def on_message_complete(self) -> None:
        """A response has ended, the final one or an interim one."""
        self.complete = self.headers_complete

    def _broken(self, error: httptools.HttpParserError, data: bytes | memoryview) -> HttpBrokenError:
        if isinstance(error.__context__, HttpBrokenError):
            return error.__context__
        where = "chunks" if self.headers_complete else "response"
        return HttpBrokenError(f"the {where} cannot be read as HTTP: {error}; it begins {bytes(data[:40])!r}")


def _unread(_trailer: tuple[bytes, bytes]) -> None:
    """Takes a trailer, which nobody reads."""


@lru_cache(maxsize=256)
def _key(name: str) -> bytes:
    """Returns a header's name as we or a user write it in the form that names are compared in."""
    return name.lower().encode("latin-1", "replace")


def _header_text(value: bytes) -> str:
    """Returns a value as UTF-8 where it is that (Location headers often are), else as ISO 8859-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
