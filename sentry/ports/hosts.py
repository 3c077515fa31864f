"""Reaching the machine that a site stands on. All of it blocks: for the process of an audit, never for the loop."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sentry.domain.finding import Manifest
from sentry.domain.tree_entry import TreeEntry


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended.

    Attributes:
        status: its exit status; -1 where a signal ended it.
        complaints: the end of what it wrote on its standard error, a stranger's bytes.
    """

    status: int
    output: bytes
    complaints: bytes


class Output(Protocol):
    """The standard output of a command that is still running."""

    def read(self, size: int) -> bytes:
        """Returns the next bytes, at most this many; `b""` at the end.

        Raises:
            HostLost: the link broke; an end without the command's exit status is one too.
        """
        ...

    def end(self) -> Outcome:
        """Waits for the command, throws away what was not read, and returns how it ended, without its output."""
        ...


class Tunnel(Protocol):
    """A connection that the host makes for us."""

    def recv(self, size: int, /) -> bytes:
        """Returns the next bytes, `b""` at the end."""
        ...

    def sendall(self, data: bytes, /) -> object:
        """Sends all of it."""
        ...

    def settimeout(self, seconds: float | None, /) -> object:
        """Sets how long a call may take."""
        ...

    def close(self) -> object:
        """Ends it."""
        ...


class Host(Protocol):
    """The machine that a site stands on, as its own account sees it.

    Every call raises `HostLost` where the link broke (the command may still run) and `HostRefused` where the host
    does not let us.
    """

    @property
    def name(self) -> str:
        """As people know it: `user@host:port`, or `this machine`."""
        ...

    def run(
        self,
        command: Sequence[str | bytes],
        *,
        stdin: bytes = b"",
        within_s: float = 60.0,
        at_most_bytes: int = 16_000_000,
    ) -> Outcome:
        """Runs a command to its end, without a shell's expansions: each word is quoted.

        Args:
            command: the program and its arguments.
            stdin: what it reads.
            within_s: it is left alone after that.
            at_most_bytes: of output; more is an error, not a cut.

        Raises:
            HostError: it took too long or wrote too much.
        """
        ...

    def stream(
        self, command: Sequence[str | bytes], *, stdin: Iterable[bytes] = (), silent_s: float = 60.0
    ) -> AbstractContextManager[Output]:
        """Starts a command and reads it as it runs; leaving the context ends it.

        Args:
            command: the program and its arguments, each quoted.
            stdin: written while the output is read, so that neither waits for the other.
            silent_s: without a byte for that long, the link counts as broken.
        """
        ...

    def read(self, path: bytes, at_most_bytes: int) -> bytes:
        """Returns the beginning of a regular file; links are not followed in the last part of the path.

        Raises:
            HostError: it is not there, is no regular file, or may not be read.
        """
        ...

    def write(self, path: bytes, content: bytes, mode: int) -> None:
        """Writes a file beside, syncs it and renames it into place: it is there whole or not at all.

        Raises:
            HostError: the disk is full, or it may not be written; what was there is as it was.
        """
        ...

    def rename(self, old: bytes, new: bytes) -> None:
        """Renames, over what is there."""
        ...

    def remove(self, path: bytes) -> None:
        """Removes a file or a link; one that is not there is removed already."""
        ...

    def make_folder(self, path: bytes, mode: int = 0o700) -> None:
        """Makes a folder and those above it; one that is there is left as it is."""
        ...

    def connect(self, host: str, port: int) -> Tunnel:
        """Lets the host connect to an address that it can reach, e.g. its database."""
        ...

    def close(self) -> None:
        """Ends the link."""
        ...


class Tree(Protocol):
    """The files below one folder of a host, never outside it: links are listed and not followed.

    What cannot be read is put into the manifest as skipped, with the reason, and costs nothing else.
    """

    @property
    def root(self) -> bytes:
        """The folder, absolute."""
        ...

    def entries(self, manifest: Manifest) -> Iterator[TreeEntry]:
        """Yields every name below the root, those of one folder by name."""
        ...

    def hashes(self, entries: Sequence[TreeEntry], manifest: Manifest) -> Iterator[tuple[TreeEntry, bytes]]:
        """Yields the SHA-256 digest of regular files, reckoned on the host."""
        ...

    def contents(self, entries: Sequence[TreeEntry], manifest: Manifest) -> Iterator[tuple[TreeEntry, bytes]]:
        """Yields the whole content of regular files, in the order in which they come."""
        ...
