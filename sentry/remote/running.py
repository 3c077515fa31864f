"""One command that runs: its three streams served at once, so that none can hold another up."""

import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Protocol, Self

from sentry.domain.errors import HostError, HostLost
from sentry.ports.hosts import Outcome
from sentry.remote.failures import shown

CHUNK_BYTES = 262_144
COMPLAINTS_KEPT_BYTES = 8_192
"""The end of the standard error; the rest is read and thrown away, else the command would wait for us."""

THREADS_END_WITHIN_S = 2.0
SILENCE_AFTER_DEADLINE_S = 30.0
"""A command with a deadline is ended by that, and not by its silence."""


class Pipes(Protocol):
    """The streams of a command and its end, as a kind of host has them."""

    def receive(self, size: int) -> bytes:
        """Returns output, `b""` at its end.

        Raises:
            TimeoutError: nothing came for as long as silence is borne.
        """
        ...

    def receive_complaint(self, size: int) -> bytes:
        """Returns standard error, `b""` at its end.

        Raises:
            TimeoutError: nothing came for some time.
        """
        ...

    def send(self, data: bytes) -> None:
        """Writes all of it.

        Raises:
            OSError: the command does not read any more.
        """
        ...

    def end_input(self) -> None:
        """Says that no more input comes."""
        ...

    def status(self) -> int:
        """Waits for the exit status; -1 where a signal ended it.

        Raises:
            TimeoutError: it did not end for as long as silence is borne.
            HostLost: the link broke before it came.
        """
        ...

    def close(self) -> None:
        """Ends the command where it still runs."""
        ...


class RunningCommand:
    """Fills `Output`; as a context it ends the command when it is left.

    Args:
        host: its name, for messages.
        command: for messages.
        pipes: its streams.
        stdin: written by a thread of its own.
    """

    def __init__(self, host: str, command: Sequence[str | bytes], pipes: Pipes, stdin: Iterable[bytes]) -> None:
        self._pipes = pipes
        self._what = f"{host}: {shown(command[0])}"
        self._complaints = bytearray()
        self._fault: Exception | None = None
        self._closed = False
        self._threads = [
            threading.Thread(target=self._feed, args=(stdin,), daemon=True),
            threading.Thread(target=self._drain, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def read(self, size: int) -> bytes:
        """Returns the next bytes, `b""` at the end; see `Output`."""
        try:
            chunk = self._pipes.receive(size)
            if not chunk:
                self._pipes.status()
        except TimeoutError as error:
            raise self._fault or HostLost(f"{self._what} was silent for too long") from error
        except HostLost as lost:
            raise self._fault or lost from lost
        if not chunk and self._fault is not None:
            raise self._fault
        return chunk

    def end(self) -> Outcome:
        """Waits for the end; see `Output`."""
        while self.read(CHUNK_BYTES):
            pass
        status = self._pipes.status()
        self._threads[1].join(THREADS_END_WITHIN_S)
        return Outcome(status, b"", bytes(self._complaints))

    def whole(self, within_s: float, at_most_bytes: int) -> Outcome:
        """Returns how it ended, with all its output; see `Host.run`."""
        late = threading.Timer(within_s, self._give_up, (f"took longer than {within_s:g} s",))
        late.daemon = True
        late.start()
        parts, count = [], 0
        try:
            while chunk := self.read(CHUNK_BYTES):
                count += len(chunk)
                if count > at_most_bytes:
                    raise HostError(f"{self._what} wrote more than {at_most_bytes:,} bytes")
                parts.append(chunk)
            return replace(self.end(), output=b"".join(parts))
        finally:
            late.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closed = True
        self._pipes.close()
        for thread in self._threads:
            thread.join(THREADS_END_WITHIN_S)

    def _give_up(self, why: str) -> None:
        self._fault = self._fault or HostError(f"{self._what} {why}")
        self._pipes.close()

    def _feed(self, stdin: Iterable[bytes]) -> None:
        """Writes the input; a command that does not want all of it says by its status whether that is wrong."""
        try:
            for data in stdin:
                try:
                    self._pipes.send(data)
                except OSError:
                    return
            with suppress(OSError):
                self._pipes.end_input()
        except Exception as fault:  # noqa: BLE001  # whatever makes the input broke: told where the output is read
            self._fault = fault
            self._pipes.close()

    def _drain(self) -> None:
        while not self._closed:
            try:
                complaint = self._pipes.receive_complaint(CHUNK_BYTES)
            except TimeoutError:
                continue
            except OSError:
                return
            if not complaint:
                return
            self._complaints += complaint
            del self._complaints[:-COMPLAINTS_KEPT_BYTES]
