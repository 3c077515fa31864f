"""Compressed streams of strangers, opened piece by piece: neither memory nor size is ever what they ask for."""

import bz2
import lzma
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Protocol

from sentry.domain.errors import PackRefused

PIECE_BYTES = 256 * 1024
XZ_MEMORY_BYTES = 256_000_000
ZSTD_MEMORY = "--memory=256MB"


class Source(Protocol):
    """Something that can be read from front to back."""

    def read(self, size: int = -1, /) -> bytes:
        """Returns the next bytes; `b""` at the end."""
        ...


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Gzip:
    """What `zlib` offers, in the manner of `bz2` and `lzma`: it keeps by itself what it has not yet opened."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


class _Members:
    """Reads a file that may consist of several compressed streams, one behind the other."""

    def __init__(self, source: Source, make: Callable[[], _Decompressor]) -> None:
        self._source = source
        self._make = make

    def pieces(self) -> Iterator[bytes]:
        one, data = self._make(), b""
        while True:
            data = data or (self._source.read(PIECE_BYTES) if one.needs_input else b"")
            was_asked, is_end = one.needs_input, not data
            piece = one.decompress(data, PIECE_BYTES)
            if was_asked and is_end and not piece and not one.eof:
                raise PackRefused("the compressed data end too early; fetch the package again")
            data = b""
            if piece:
                yield piece
            if one.eof:
                data = one.unused_data.lstrip(b"\0") or self._source.read(PIECE_BYTES).lstrip(b"\0")
                if not data:
                    return
                one = self._make()


class Opened:
    """The opened content, read by size.

    Args:
        pieces: the content, in pieces of any size.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int = -1, /) -> bytes:
        """Returns exactly so many bytes, fewer at the end only.

        Raises:
            PackRefused: the data are damaged.
        """
        parts, wanted = [], size
        while wanted > 0:
            piece = self._rest or self._next()
            if not piece:
                break
            parts.append(piece[:wanted])
            self._rest = piece[wanted:]
            wanted -= len(parts[-1])
        return b"".join(parts)

    def _next(self) -> bytes:
        try:
            return next(self._pieces, b"")
        except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
            raise PackRefused(f"the compressed data are damaged: {error}") from error


def _zstd(source: Source) -> Iterator[bytes]:
    """Opens Zstandard by the program of that name: this Python has no module for it."""
    program = shutil.which("zstd")
    if program is None:
        raise PackRefused("a part is compressed with zstd, and there is no program of that name; install zstd")
    with tempfile.TemporaryFile() as packed:
        while piece := source.read(PIECE_BYTES):
            packed.write(piece)
        packed.seek(0)
        command = [program, "-dcq", ZSTD_MEMORY]
        with subprocess.Popen(command, stdin=packed, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:  # noqa: S603  # a fixed command
            yield from _output(running.stdout)
        if running.returncode:
            raise PackRefused("the data compressed with zstd are damaged, or want more than 256 MB of memory")


def _output(stream: IO[bytes] | None) -> Iterator[bytes]:
    while stream is not None and (piece := stream.read(PIECE_BYTES)):
        yield piece


OPENERS: Mapping[bytes, Callable[[Source], Iterator[bytes]]] = {
    b"\x1f\x8b": lambda source: _Members(source, _Gzip).pieces(),
    b"\xfd7zXZ\0": lambda source: _Members(source, lambda: lzma.LZMADecompressor(memlimit=XZ_MEMORY_BYTES)).pieces(),
    b"BZh": lambda source: _Members(source, bz2.BZ2Decompressor).pieces(),
    b"\x28\xb5\x2f\xfd": _zstd,
}
"""How a compressed stream begins, and what opens it."""

LONGEST_MAGIC = max(map(len, OPENERS))


def opened(source: Source) -> Source:
    """Returns the content of a stream, opened where it is compressed."""
    begin = source.read(LONGEST_MAGIC)
    whole = Opened(_again(begin, source))
    opener = next((opener for magic, opener in OPENERS.items() if begin.startswith(magic)), None)
    return whole if opener is None else Opened(opener(whole))


def _again(begin: bytes, source: Source) -> Iterator[bytes]:
    yield begin
    while piece := source.read(PIECE_BYTES):
        yield piece
