"""Undoes the content codings of a body while it arrives, never producing more than was allowed."""

import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import brotli  # type: ignore[import-untyped]  # it ships no annotations

MAX_CODINGS = 3
SLICE_BYTES = 262_144
"""Decoded in one go; a bomb of ten megabytes must not hold everybody else up for as long as it unfolds."""

GZIP_WBITS = 31
ZLIB_WBITS = 15
RAW_DEFLATE_WBITS = -15
GZIP_MAGIC = b"\x1f\x8b"
MAX_GZIP_MEMBERS = 10_000
"""Each member costs a decoder of its own; millions of empty ones would hold the agent's loop up for seconds."""


class ContentDamagedError(Exception):
    """The body is not what its Content-Encoding says."""


class ContentTooLargeError(Exception):
    """The body would be larger than was allowed."""


class Decoder(Protocol):
    """One coding being undone."""

    name: str

    def feed(self, data: bytes, room: int) -> bytes:
        """Returns at most `room` decoded bytes; `pending` then says whether there is more."""
        ...

    def pending(self) -> bool:
        """Whether the next call gives more without new data."""
        ...

    def complete(self) -> bool:
        """Whether the coding's own end was seen."""
        ...


class Inflater:
    """gzip and deflate, the latter with or without its zlib header: servers send both (RFC 9110, 8.4.1.2).

    What follows the end and is no further gzip member is left unread, as browsers do.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._waiting = b""
        self._begun = False
        self._over = False
        self._members = 1
        self._zlib = zlib.decompressobj(GZIP_WBITS if name == "gzip" else ZLIB_WBITS)

    def feed(self, data: bytes, room: int) -> bytes:
        """Returns at most `room` decoded bytes."""
        if self._over:
            return b""
        self._waiting += data
        if not self._begun and self._waiting:
            self._begin(self._waiting)
        if self._zlib.eof and not self._next_member():
            return b""
        try:
            decoded = self._zlib.decompress(self._waiting, room)
        except zlib.error as error:
            raise ContentDamagedError(f"the {self.name} body is damaged: {error}") from None
        self._waiting = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
        return decoded

    def pending(self) -> bool:
        """Whether the next call gives more without new data."""
        return bool(self._waiting) and (not self._zlib.eof or len(self._waiting) >= len(GZIP_MAGIC))

    def complete(self) -> bool:
        """Whether the end of the stream was seen, or nothing came at all."""
        return self._zlib.eof or not self._begun

    def _begin(self, data: bytes) -> None:
        self._begun = True
        if self.name == "deflate" and data[0] & 0x0F != zlib.DEFLATED:
            self._zlib = zlib.decompressobj(RAW_DEFLATE_WBITS)

    def _next_member(self) -> bool:
        """Begins with what follows the end: a gzip body may be several members in a row."""
        if self.name == "gzip" and self._waiting.startswith(GZIP_MAGIC):
            self._members += 1
            if self._members > MAX_GZIP_MEMBERS:
                raise ContentDamagedError(f"the gzip body has more than {MAX_GZIP_MEMBERS:,} members")
            self._zlib = zlib.decompressobj(GZIP_WBITS)
            return True
        if self.name != "gzip" or not GZIP_MAGIC.startswith(self._waiting):
            self._over, self._waiting = True, b""
        return False


class BrotliDecoder:
    """br."""

    name = "br"

    def __init__(self) -> None:
        self._brotli = brotli.Decompressor()
        self._begun = False
        self._more = False

    def feed(self, data: bytes, room: int) -> bytes:
        """Returns at most about `room` decoded bytes; brotli's limit is where it stops growing, not an exact one."""
        self._begun = self._begun or bool(data)
        try:
            decoded: bytes = self._brotli.process(data, output_buffer_limit=room)
        except brotli.error as error:
            raise ContentDamagedError(f"the br body is damaged: {error}") from None
        self._more = not self._brotli.can_accept_more_data() and bool(decoded)
        return decoded

    def pending(self) -> bool:
        """Whether the next call gives more without new data."""
        return self._more

    def complete(self) -> bool:
        """Whether the end of the stream was seen, or nothing came at all."""
        return self._brotli.is_finished() or not self._begun


DECODERS: dict[str, Callable[[], Decoder]] = {
    "gzip": lambda: Inflater("gzip"),
    "x-gzip": lambda: Inflater("gzip"),
    "deflate": lambda: Inflater("deflate"),
    "br": BrotliDecoder,
}


class Content:
    """A body as it arrives: counted as transferred, decoded, kept, and bounded in both.

    Attributes:
        transferred_bytes: as received, before codings are undone.
        unknown_codings: those that are left as they are, as browsers do.
    """

    __slots__ = ("_decoded_bytes", "_decoders", "_max_bytes", "_pieces", "transferred_bytes", "unknown_codings")

    def __init__(self, codings: str, max_bytes: int) -> None:
        """Starts with an empty body.

        Args:
            codings: value of Content-Encoding.
            max_bytes: bound of the transferred and of the decoded body.

        Raises:
            ContentDamagedError: more codings upon each other than anyone uses.
        """
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self.transferred_bytes = 0
        self.unknown_codings: tuple[str, ...] = ()
        self._decoders: list[Decoder] = []
        self._decoded_bytes: list[int] = []
        if codings:
            self._undo(codings)

    @property
    def body(self) -> bytes:
        """The decoded body so far."""
        if len(self._pieces) > 1:
            self._pieces = [b"".join(self._pieces)]
        return self._pieces[0] if self._pieces else b""

    def feed(self, data: bytes) -> None:
        """Takes what has arrived, all at once.

        Raises:
            ContentDamagedError: it cannot be decoded.
            ContentTooLargeError: a bound is passed.
        """
        for _ in self.feeding(data):
            pass

    @property
    def is_coded(self) -> bool:
        """Whether there is a coding to undo."""
        return bool(self._decoders)

    def feeding(self, data: bytes) -> Iterator[None]:
        """Takes what has arrived; yields after each `SLICE_BYTES` of decoding, for others to get their turn.

        Raises:
            ContentDamagedError: it cannot be decoded.
            ContentTooLargeError: a bound is passed.
        """
        if not self._decoders:
            self.keep(data)
            return
        room = self._max_bytes - self.transferred_bytes
        self.transferred_bytes += len(data)
        # Damage before the bound counts first, wherever the reads were cut.
        yield from self._decode(data[:room], 0)
        if len(data) > room:
            raise self._too_large()

    def keep(self, data: bytes) -> None:
        """Takes what has arrived of a body without codings.

        Raises:
            ContentTooLargeError: a bound is passed.
        """
        self.transferred_bytes += len(data)
        if self.transferred_bytes > self._max_bytes:
            self._pieces.append(data[: self._max_bytes - self.transferred_bytes])
            raise self._too_large()
        self._pieces.append(data)

    def _too_large(self) -> ContentTooLargeError:
        return ContentTooLargeError(f"the body is larger than {self._max_bytes:,} bytes")

    def finish(self) -> None:
        """Checks that nothing is missing at the end.

        Raises:
            ContentDamagedError: a coding has not come to its end.
        """
        for decoder in self._decoders:
            if not decoder.complete():
                raise ContentDamagedError(f"the {decoder.name} body is cut off")

    def progress(self) -> str:
        """Returns how far it has come, for the detail of a deadline that passes."""
        return f"{self.transferred_bytes:,} bytes of the body read"

    def _undo(self, codings: str) -> None:
        named = [name.strip().lower() for name in codings.split(",") if name.strip()]
        if len(named) > MAX_CODINGS:
            raise ContentDamagedError(f"the body has {len(named)} content codings upon each other")
        self.unknown_codings = tuple(name for name in named if name not in DECODERS and name != "identity")
        self._decoders = [DECODERS[name]() for name in reversed(named) if name in DECODERS]
        self._decoded_bytes = [0] * len(self._decoders)

    def _decode(self, data: bytes, level: int) -> Iterator[None]:
        if level == len(self._decoders):
            self._pieces.append(data)
            return
        decoder = self._decoders[level]
        while True:
            # Each level is bounded by itself: codings upon each other could else unfold far more than is kept.
            room = min(self._max_bytes - self._decoded_bytes[level] + 1, SLICE_BYTES)
            decoded = decoder.feed(data, room)
            self._decoded_bytes[level] += len(decoded)
            excess = self._decoded_bytes[level] - self._max_bytes
            # Damage before the bound counts first here, too.
            yield from self._decode(decoded[:-excess] if excess > 0 else decoded, level + 1)
            if excess > 0:
                raise ContentTooLargeError(f"the decompressed body is larger than {self._max_bytes:,} bytes")
            if not decoder.pending():
                return
            data = b""
            yield
