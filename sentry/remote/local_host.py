"""This machine as a host: an agency that audits its own server needs no SSH for it."""

import os
import secrets
import select
import signal
import socket
import stat
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from sentry.domain.errors import HostError
from sentry.ports.hosts import Outcome
from sentry.remote.failures import shown, wrapped
from sentry.remote.running import SILENCE_AFTER_DEADLINE_S, RunningCommand

CONNECT_WITHIN_S = 10.0
COMPLAINT_WITHIN_S = 0.5
NO_SUCH_PROGRAM, NO_PROGRAM = 127, 126
"""What a shell answers for a program that is not there, or that may not be run."""


class LocalHost:
    """Fills `Host` by processes and files of this machine; no shell is between."""

    name = "this machine"

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
        with _started(command, silent_s) as pipes, RunningCommand(self.name, command, pipes, stdin) as running:
            yield running

    def read(self, path: bytes, at_most_bytes: int) -> bytes:
        """Returns the beginning of a regular file; see `Host`."""
        with wrapped(self.name, "read", path):
            # A pipe must not make us wait for who writes into it.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise HostError(f"{self.name}: cannot read {shown(path)}: no regular file")
                return file.read(at_most_bytes)

    def write(self, path: bytes, content: bytes, mode: int) -> None:
        """Writes a file whole or not at all; see `Host`."""
        beside = os.path.join(os.path.dirname(path), b".online-sentry-" + secrets.token_hex(8).encode())
        with wrapped(self.name, "write", path):
            try:
                descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fchmod(descriptor, mode)
                    os.fsync(descriptor)
                os.rename(beside, path)
            except BaseException:
                with suppress(OSError):
                    os.unlink(beside)
                raise
            _sync_folder(os.path.dirname(path))

    def rename(self, old: bytes, new: bytes) -> None:
        """Renames, over what is there."""
        with wrapped(self.name, "rename", old):
            os.rename(old, new)
            _sync_folder(os.path.dirname(new))

    def remove(self, path: bytes) -> None:
        """Removes a file or a link; one that is not there is removed already."""
        with wrapped(self.name, "remove", path), suppress(FileNotFoundError):
            os.unlink(path)

    def make_folder(self, path: bytes, mode: int = 0o700) -> None:
        """Makes a folder and those above it; one that is there is left as it is."""
        with wrapped(self.name, "make the folder", path):
            _make_folder(path.rstrip(b"/"), mode)

    def connect(self, host: str, port: int) -> socket.socket:
        """Connects to an address; see `Host`."""
        try:
            return socket.create_connection((host, port), CONNECT_WITHIN_S)
        except OSError as error:
            raise HostError(f"{self.name}: cannot connect to {shown(host)}:{port}: {error}") from error

    def close(self) -> None:
        """Nothing is open."""


class _ProcessPipes:
    """Fills `Pipes` by a process of this machine."""

    def __init__(self, process: subprocess.Popen[bytes], silent_s: float) -> None:
        assert process.stdin is not None  # noqa: S101  # all three are pipes, which its type cannot say
        assert process.stdout is not None  # noqa: S101  # as above
        assert process.stderr is not None  # noqa: S101  # as above
        self._process, self._silent_s = process, silent_s
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr

    def receive(self, size: int) -> bytes:
        return _received(self._stdout.fileno(), size, self._silent_s)

    def receive_complaint(self, size: int) -> bytes:
        return _received(self._stderr.fileno(), size, COMPLAINT_WITHIN_S)

    def send(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._stdin.fileno(), left) :]

    def end_input(self) -> None:
        self._stdin.close()

    def status(self) -> int:
        try:
            return max(-1, self._process.wait(self._silent_s))
        except subprocess.TimeoutExpired as error:
            raise TimeoutError from error

    def close(self) -> None:
        # Not once it was waited for: another process may have its number by then.
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


class _NoProcess:
    """Fills `Pipes` for a program that could not be started, as a shell would tell it."""

    def __init__(self, error: OSError, status: int) -> None:
        self._complaints, self._status = str(error).encode(), status

    def receive(self, size: int) -> bytes:  # noqa: ARG002  # the protocol's name
        return b""

    def receive_complaint(self, size: int) -> bytes:
        given, self._complaints = self._complaints[:size], self._complaints[size:]
        return given

    def send(self, data: bytes) -> None:
        pass

    def end_input(self) -> None:
        pass

    def status(self) -> int:
        return self._status

    def close(self) -> None:
        pass


@contextmanager
def _started(command: Sequence[str | bytes], silent_s: float) -> Iterator[_ProcessPipes | _NoProcess]:
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(  # noqa: S603  # no shell: each word reaches the program as it is
            command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, start_new_session=True
        )
    except FileNotFoundError as error:
        yield _NoProcess(error, NO_SUCH_PROGRAM)
        return
    except PermissionError as error:
        yield _NoProcess(error, NO_PROGRAM)
        return
    with process:
        yield _ProcessPipes(process, silent_s)


def _received(descriptor: int, size: int, within_s: float) -> bytes:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if not poll.poll(within_s * 1000):
        raise TimeoutError
    return os.read(descriptor, size)


def _make_folder(path: bytes, mode: int) -> None:
    above = os.path.dirname(path)
    if above and not os.path.lexists(above):
        _make_folder(above, mode)
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        if not os.path.isdir(path):
            raise


def _sync_folder(path: bytes) -> None:
    """Makes a rename last; a file system that cannot is as safe as it can be."""
    with suppress(OSError):
        descriptor = os.open(path or b".", os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
