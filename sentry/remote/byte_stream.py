"""Reads records from the output of a command, however it comes in pieces."""

from collections.abc import Iterator

from sentry.domain.errors import HostError
from sentry.ports.hosts import Output
from sentry.remote.running import CHUNK_BYTES

LONGEST_FIELD_BYTES = 65_536
"""Far more than any path may have; without a bound a hostile host would fill our memory with one name."""


class ByteStream:
    """The output of a command, read by length or up to a NUL.

    Args:
        output: what is read.
        host: its name, for messages.
    """

    def __init__(self, output: Output, host: str) -> None:
        self._output, self._host = output, host
        self._waiting = bytearray()

    def exactly(self, size: int) -> bytes:
        """Returns that many bytes.

        Raises:
            EOFError: the output ends before.
        """
        while len(self._waiting) < size:
            chunk = self._output.read(CHUNK_BYTES)
            if not chunk:
                raise EOFError
            self._waiting += chunk
        taken = bytes(self._waiting[:size])
        del self._waiting[:size]
        return taken

    def fields(self) -> Iterator[bytes]:
        """Yields what stands before each NUL; what follows the last one is no whole field.

        Raises:
            HostError: one is longer than any could be.
        """
        while chunk := self._output.read(CHUNK_BYTES):
            self._waiting += chunk
            *whole, rest = self._waiting.split(b"\0")
            if len(rest) > LONGEST_FIELD_BYTES:
                raise HostError(f"{self._host}: a name that a command wrote is longer than any may be")
            self._waiting = rest
            yield from map(bytes, whole)
