"""Server processes of a benchmark: started on a core, awaited, ended and never left behind."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.measure import RunRejected, pinned

READY_WITHIN_S = 30.0
STOP_WITHIN_S = 15.0
LOG_TAIL_CHARS = 2000
LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Returns a TCP port of the loopback address that nobody listens on."""
    with closing(socket.socket()) as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with closing(socket.socket()) as client:
        client.settimeout(1)
        return client.connect_ex((LOOPBACK, port)) == 0


@contextmanager
def serving(
    command: Sequence[str | Path],
    *,
    on: frozenset[int],
    folder: Path,
    ready: Callable[[], bool],
    ready_within_s: float = READY_WITHIN_S,
) -> Iterator[int]:
    """Runs a server until the block ends, and gives its process id.

    Args:
        command: program and arguments; output goes to a log file in `folder`.
        on: the cores it may use, from its first instruction (Go counts them when it starts).
        folder: its working folder; made where it is not there.
        ready: asked again and again until it says yes.
        ready_within_s: how long.

    Raises:
        RunRejected: it ended by itself, or was not ready in time; with the end of its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{Path(command[0]).name}.log"
    with pinned(on), log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  # the benchmark's own programs
            [os.fspath(word) for word in command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(process, ready, ready_within_s, log)
        yield process.pid
        if process.poll() is not None:
            raise RunRejected(f"{log.stem} ended by itself during the run\n{_tail(log)}")
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], ready: Callable[[], bool], within_s: float, log: Path) -> None:
    end = time.monotonic() + within_s
    while not ready():
        if process.poll() is not None:
            raise RunRejected(f"{log.stem} ended with code {process.returncode}\n{_tail(log)}")
        if time.monotonic() > end:
            raise RunRejected(f"{log.stem} was not ready within {within_s:g} s\n{_tail(log)}")
        time.sleep(0.05)


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL_CHARS:]
