"""Single files of a host over SSH, by SFTP."""

import os
import secrets
import stat
from contextlib import suppress

import paramiko
from paramiko.sftp import CMD_EXTENDED, SFTPError

from sentry.domain.errors import HostError
from sentry.remote.failures import shown

LARGEST_PACKET_BYTES = 1_000_000
"""OpenSSH sends a quarter of that at most; what calls itself larger would fill our memory."""


class BoundedSftp(paramiko.SFTPClient):
    """A client that takes no packet of any size."""

    def _read_all(self, n: int) -> bytes:
        if n > LARGEST_PACKET_BYTES:
            raise SFTPError("an answer of the host is too large")
        answer: bytes = super()._read_all(n)  # type: ignore[misc]  # not in the stubs
        return answer


class SftpFiles:
    """Reads and writes files; raises what the library raises.

    Args:
        host: its name, for messages.
        client: used by one thread at a time.
    """

    def __init__(self, host: str, client: paramiko.SFTPClient) -> None:
        self._host, self._client = host, client

    def close(self) -> None:
        """Ends its channel."""
        self._client.close()

    def read(self, path: bytes, at_most_bytes: int) -> bytes:
        """Returns the beginning of a regular file."""
        # SFTP has no way to refuse links and pipes while opening.
        status = self._client.lstat(path)
        if not stat.S_ISREG(status.st_mode or 0):
            raise HostError(f"{self._host}: cannot read {shown(path)}: no regular file")
        with self._client.open(path, "rb") as file:
            file.prefetch(min(status.st_size or 0, at_most_bytes))
            return file.read(at_most_bytes)

    def write(self, path: bytes, content: bytes, mode: int) -> None:
        """Writes a file beside, syncs it where the host can, and renames it into place."""
        beside = os.path.join(os.path.dirname(path), b".online-sentry-" + secrets.token_hex(8).encode())
        try:
            with self._client.open(beside, "wbx") as file:
                file.chmod(0o600)
                file.set_pipelined(True)
                file.write(content)
                file.set_pipelined(False)
                _check_size(file, len(content))
                file.chmod(mode)
                with suppress(OSError):
                    self._client._request(CMD_EXTENDED, "fsync@openssh.com", file.handle)  # type: ignore[attr-defined] # noqa: SLF001  # the library has no name for it
            self._client.posix_rename(beside, path)
        except BaseException:
            with suppress(OSError, EOFError, paramiko.SSHException):
                self._client.remove(beside)
            raise

    def rename(self, old: bytes, new: bytes) -> None:
        """Renames, over what is there."""
        self._client.posix_rename(old, new)

    def remove(self, path: bytes) -> None:
        """Removes a file or a link."""
        with suppress(FileNotFoundError):
            self._client.remove(path)

    def make_folder(self, path: bytes, mode: int) -> None:
        """Makes a folder and those above it."""
        above = os.path.dirname(path)
        if self._is_folder(path):
            return
        if above not in (b"", b"/") and not self._is_folder(above):
            self.make_folder(above, mode)
        try:
            self._client.mkdir(path, mode)
        except OSError:
            if not self._is_folder(path):
                raise

    def _is_folder(self, path: bytes) -> bool:
        try:
            return stat.S_ISDIR(self._client.stat(path).st_mode or 0)
        except OSError:
            return False


def _check_size(file: paramiko.SFTPFile, size_bytes: int) -> None:
    """An error in a pipelined write, as when the disk is full, is told by the size alone."""
    if file.stat().st_size != size_bytes:
        raise OSError("it is not whole; the disk may be full")
