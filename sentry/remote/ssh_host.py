"""A host over SSH."""

import os
import shlex
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import paramiko
from paramiko.sftp import SFTPError

from sentry.domain.access import SshAccess
from sentry.domain.errors import HostError, HostLost
from sentry.ports.hosts import Outcome
from sentry.remote.failures import shown, wrapped
from sentry.remote.running import SILENCE_AFTER_DEADLINE_S, RunningCommand
from sentry.remote.sftp_files import BoundedSftp, SftpFiles
from sentry.remote.ssh_link import CONNECT_WITHIN_S, Link
from sentry.remote.ssh_pipes import ChannelPipes

Result = TypeVar("Result")

CHANNELS = 9
"""At once; OpenSSH allows ten on a connection unless it is told otherwise, and one of them is for files."""

CLOSED = "Socket is closed"
"""What the library says of a channel that has ended, some time before it says so of the link."""

CHANNEL_WITHIN_S = 60.0
ANSWER_WITHIN_S = 30.0
"""Of SFTP."""


class RemoteHost:
    """Fills `Host` over one SSH connection, made when it is first needed and again after it broke.

    Args:
        access: the server, and how it is reached.
    """

    def __init__(self, access: SshAccess) -> None:
        self.name = access.address
        self._access = access
        self._link: Link | None = None
        self._files: SftpFiles | None = None
        self._linking = threading.Lock()
        self._filing = threading.RLock()
        self._channels = threading.BoundedSemaphore(CHANNELS)

    def run(
        self,
        command: Sequence[str | bytes],
        *,
        stdin: bytes = b"",
        within_s: float = 60.0,
        at_most_bytes: int = 16_000_000,
    ) -> Outcome:
        """Runs a command to its end; see `Host`."""
        with self.stream(command, stdin=(stdin,), silent_s=within_s + SILENCE_AFTER_DEADLINE_S) as running:
            return running.whole(within_s, at_most_bytes)

    @contextmanager
    def stream(
        self, command: Sequence[str | bytes], *, stdin: Iterable[bytes] = (), silent_s: float = 60.0
    ) -> Iterator[RunningCommand]:
        """Starts a command and reads it as it runs; see `Host`."""
        with self._channel() as channel:
            with self._wrapped():
                channel.exec_command(command_line(command))
            pipes = ChannelPipes(self.name, channel, silent_s)
            with RunningCommand(self.name, command, pipes, stdin) as running:
                yield running

    def read(self, path: bytes, at_most_bytes: int) -> bytes:
        """Returns the beginning of a regular file; see `Host`."""
        return self._with_files("read", path, lambda files: files.read(path, at_most_bytes))

    def write(self, path: bytes, content: bytes, mode: int) -> None:
        """Writes a file whole or not at all; see `Host`."""
        self._with_files("write", path, lambda files: files.write(path, content, mode))

    def rename(self, old: bytes, new: bytes) -> None:
        """Renames, over what is there."""
        self._with_files("rename", old, lambda files: files.rename(old, new))

    def remove(self, path: bytes) -> None:
        """Removes a file or a link; one that is not there is removed already."""
        self._with_files("remove", path, lambda files: files.remove(path))

    def make_folder(self, path: bytes, mode: int = 0o700) -> None:
        """Makes a folder and those above it; one that is there is left as it is."""
        self._with_files("make the folder", path, lambda files: files.make_folder(path.rstrip(b"/"), mode))

    def connect(self, host: str, port: int) -> paramiko.Channel:
        """Lets the server connect to an address; see `Host`."""
        link = self._linked()
        try:
            return link.transport.open_channel(
                "direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=CONNECT_WITHIN_S
            )
        except paramiko.ChannelException as error:
            raise HostError(f"{self.name}: cannot connect to {shown(host)}:{port}: {shown(error.text)}") from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise HostLost(f"{self.name}: the link broke") from error

    @contextmanager
    def sftp(self) -> Iterator[paramiko.SFTPClient]:
        """Opens a channel of SFTP for one who reads many files.

        Raises:
            HostLost: the link broke, here or in the block.
            HostError: there is no SFTP.
        """
        with self._channel() as channel, self._wrapped():
            yield _sftp_on(channel)

    def close(self) -> None:
        """Ends the link."""
        with self._linking:
            self._drop()

    def _linked(self) -> Link:
        with self._linking:
            if self._link is None or not self._link.is_up:
                self._drop()
                self._link = Link(self._access)
            return self._link

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()
        self._link = self._files = None

    @contextmanager
    def _channel(self) -> Iterator[paramiko.Channel]:
        if not self._channels.acquire(timeout=CHANNEL_WITHIN_S):
            raise HostError(f"{self.name}: {CHANNELS} commands run there already, and none of them ended")
        try:
            with self._wrapped():
                channel = self._linked().transport.open_session()
            with channel:
                yield channel
        finally:
            self._channels.release()

    def _with_files(self, deed: str, path: bytes, work: Callable[[SftpFiles], Result]) -> Result:
        with self._filing, wrapped(self.name, deed, path), self._wrapped():
            link = self._linked()
            if self._files is None:
                self._files = SftpFiles(self.name, _sftp_on(link.transport.open_session()))
            return work(self._files)

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        try:
            yield
        except paramiko.ChannelException as error:
            raise HostError(f"{self.name} opens no channel: {shown(error.text)}") from error
        except (paramiko.SSHException, SFTPError, EOFError, TimeoutError) as error:
            self.close()
            raise HostLost(f"{self.name}: the link broke: {shown(str(error)) or 'no answer'}") from error
        except OSError as error:
            if str(error) != CLOSED and (self._link is None or self._link.is_up):
                raise
            raise HostLost(f"{self.name}: the link broke") from error


def _sftp_on(channel: paramiko.Channel) -> BoundedSftp:
    channel.settimeout(ANSWER_WITHIN_S)
    channel.invoke_subsystem("sftp")
    return BoundedSftp(channel)


def command_line(command: Sequence[str | bytes]) -> bytes:
    """Returns a command for the account's shell, each word quoted so that nothing in it has a meaning.

    The shell makes way for it: what ends the command is told of the command.
    """
    return b" ".join([b"exec", *(os.fsencode(shlex.quote(os.fsdecode(word))) for word in command)])
