"""One real server process: started in its own process group, awaited, ended, and never left behind."""

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

READY_WITHIN_S = 20.0
STOP_WITHIN_S = 10.0
LOG_TAIL_LINES = 60

_running: set["ServerProcess"] = set()


class ServerError(Exception):
    """A server of the kit did not start, or did not become what the test waits for; carries the end of its log."""


def require(program: str, package: str) -> str:
    """Returns the path of a program, or skips the test with the command that installs it."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin:/usr/local/sbin")
    if path is None:
        pytest.skip(f"{program} is not installed; as root: apt-get install --no-install-recommends {package}")
    return path


def wait_until(holds: Callable[[], bool], what: str, within_s: float = READY_WITHIN_S) -> None:
    """Polls until a condition holds.

    Raises:
        ServerError: it did not hold within `within_s` seconds.
    """
    end = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end:
            raise ServerError(f"waited {within_s:g} s in vain for: {what}")
        time.sleep(0.05)


class ServerProcess:
    """A server as a context manager. Subclasses say what is run and when it is ready.

    Attributes:
        folder: where configuration, data and log live; made when it does not exist.
    """

    name = "server"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        """Returns the command line."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        """Whether the server answers."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """Returns the environment of the process."""
        return os.environ

    @property
    def log_path(self) -> Path:
        """Where standard output and error go, one file over all starts."""
        return self.folder / f"{self.name}.log"

    @property
    def log(self) -> str:
        """All that the server has written so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._process is None:
            raise ServerError(f"{self.name} is not running")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts the process and returns once it is ready.

        Raises:
            ServerError: it ended by itself or was not ready in time.
        """
        if self.is_running:
            raise ServerError(f"{self.name} runs already")
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*_dies_with_us(), *self.command()],
                cwd=self.folder,
                env=dict(self.environment()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _running.add(self)
        try:
            wait_until(self._ready_or_dead, f"{self.name} to be ready")
        except ServerError as error:
            self.kill()
            raise ServerError(f"{error}\n{self.log_tail()}") from error

    def stop(self, within_s: float = STOP_WITHIN_S) -> int:
        """Asks the process to end (SIGTERM), kills it when it does not, and returns its exit code."""
        if self._process is None:
            return 0
        if self.is_running:
            self.signal(signal.SIGTERM)
            try:
                self._process.wait(within_s)
            except subprocess.TimeoutExpired:
                sys.stderr.write(f"{self.name} ignored SIGTERM for {within_s:g} s\n{self.log_tail()}\n")
        return self.kill()

    def kill(self) -> int:
        """Kills the whole process group (SIGKILL) and returns the exit code."""
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):  # the group is gone already
            os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait(STOP_WITHIN_S)
        self._process = None
        _running.discard(self)
        return code

    def restart(self) -> None:
        """Stops and starts on the same ports and data."""
        self.stop()
        self.start()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the server itself, not to its children."""
        os.kill(self.pid, number)

    def pause(self) -> None:
        """Freezes it (SIGSTOP): connections are accepted by the kernel and never answered."""
        os.killpg(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it run again after `pause`."""
        os.killpg(self.pid, signal.SIGCONT)

    def log_tail(self) -> str:
        """Returns the last lines of the log, under a heading."""
        lines = self.log.splitlines()[-LOG_TAIL_LINES:]
        return "\n".join([f"── end of {self.log_path}", *lines])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, pytest.skip.Exception):
            sys.stderr.write(self.log_tail() + "\n")
        if self._process is not None and self.is_running:
            self.resume()
        self.stop()

    def _ready_or_dead(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            code = None if self._process is None else self._process.returncode
            raise ServerError(f"{self.name} ended by itself with exit code {code}")
        return self.is_ready()


def _dies_with_us() -> tuple[str, ...]:
    """A killed pytest cannot clean up, so the kernel does; the signal follows the thread, hence only the main one."""
    setpriv = shutil.which("setpriv")
    if setpriv is None or threading.current_thread() is not threading.main_thread():
        return ()
    return (setpriv, "--pdeathsig", "TERM", "--")


@atexit.register
def _kill_what_is_left() -> None:
    for server in tuple(_running):
        server.kill()
