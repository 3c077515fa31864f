"""The files of an archive that GNU tar writes, as they come; one that grows beyond all bounds is not read."""

from collections.abc import Iterator
from dataclasses import dataclass

from sentry.domain.errors import HostError
from sentry.remote.byte_stream import LONGEST_FIELD_BYTES, ByteStream

BLOCK_BYTES = 512
REGULAR = frozenset({b"0", b"\0", b"7"})
LONG_NAME = b"L"
LONG_LINK = b"K"
BINARY_SIZE = 0x80
OPTIONS = ("--format=gnu", "--hard-dereference", "--no-recursion", "--no-unquote", "--null")
"""A name as it is; each file whole, also one that has two names; a folder that was a file before is not walked."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive; its content must be read, by `size_bytes`, before the next one."""

    path: bytes
    size_bytes: int


class TarStream:
    """Reads an archive.

    Args:
        stream: what tar writes.
        host: its name, for messages.
    """

    def __init__(self, stream: ByteStream, host: str) -> None:
        self._stream, self._host = stream, host

    def members(self) -> Iterator[Member]:
        """Yields each regular file.

        Raises:
            HostError: that is no archive.
            EOFError: it ends in its middle.
        """
        long_name = b""
        while any(header := self._stream.exactly(BLOCK_BYTES)):
            size, kind = self._size(header), header[156:157]
            if kind in (LONG_NAME, LONG_LINK):
                if size > LONGEST_FIELD_BYTES:
                    raise HostError(f"{self._host}: a name in the archive is longer than any may be")
                text = self._padded(size).rstrip(b"\0")
                long_name = text if kind == LONG_NAME else long_name
                continue
            path, long_name = long_name or header[:100].rstrip(b"\0"), b""
            if kind in REGULAR:
                yield Member(path, size)

    def content(self, member: Member) -> bytes:
        """Returns the content of the member that has just come."""
        return self._padded(member.size_bytes)

    def _padded(self, size: int) -> bytes:
        return self._stream.exactly(-(-size // BLOCK_BYTES) * BLOCK_BYTES)[:size]

    def _size(self, header: bytes) -> int:
        # The sum is reckoned as though its own eight bytes were blanks.
        try:
            if int(header[148:156].strip(b" \0"), 8) != sum(header[:148]) + sum(header[156:]) + 8 * ord(" "):
                raise HostError(f"{self._host}: what tar wrote is no archive")
            field = header[124:136]
            return int.from_bytes(field[1:]) if field[0] & BINARY_SIZE else int(field.strip(b" \0") or b"0", 8)
        except ValueError as error:
            raise HostError(f"{self._host}: what tar wrote is no archive") from error
