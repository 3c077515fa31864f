"""The process of one audit: it reads its order from standard input, and writes frames to standard output.

Started as `python -P -m sentry.app.auditing.process`. It is slow on purpose where others need the machine, holds no
more memory than it is given, and ends with whoever started it: what it reads was written by strangers.
"""

import logging
import os
import resource
import sys
from contextlib import suppress
from typing import BinaryIO

import structlog

from sentry.app.auditing.composition import audit
from sentry.app.auditing.frames import FRAME, Done, Failed, Frame, Progress
from sentry.app.auditing.order import AuditOrder
from sentry.app.lifeline import die_with_the_agent
from sentry.app.workers.commands import unpickled
from sentry.clock import SystemClock
from sentry.domain.errors import SentryError
from sentry.ports import Clock

NICENESS = 10
MAX_MEMORY_BYTES = 2 * 1024 * 1024 * 1024
"""Of address space, which is more than what is really used: threads and mapped files count as well."""

TOLD_EVERY_S = 0.1


class Teller:
    """Writes frames; of progress no more than anybody can read."""

    def __init__(self, out: BinaryIO, clock: Clock) -> None:
        self._out = out
        self._clock = clock
        self._part = ""
        self._next_s = 0.0

    def progress(self, part: str, done: int, whole: int) -> None:
        """Tells how far a part has come."""
        now_s = self._clock.monotonic()
        if part != self._part or now_s >= self._next_s or done == whole:
            self._part, self._next_s = part, now_s + TOLD_EVERY_S
            self.tell(Progress(part, done, whole))

    def tell(self, frame: Frame) -> None:
        """Writes one frame."""
        self._out.write(FRAME.dump_json(frame) + b"\n")
        self._out.flush()


def main() -> None:
    """Audits what standard input says."""
    die_with_the_agent()
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    teller = Teller(_own_output(), SystemClock())
    order: AuditOrder = unpickled(sys.stdin.buffer.read())
    with suppress(BrokenPipeError):  # nobody waits for it any more
        _work(order, teller)


def _work(order: AuditOrder, teller: Teller) -> None:
    try:
        report = audit(order, SystemClock(), teller.progress)
        teller.tell(Done(report))
    except BrokenPipeError:
        raise
    except SentryError as error:
        teller.tell(Failed(str(error), type(error).__name__))
    except Exception as error:  # noqa: BLE001  # whatever it was, it is said, and no verdict
        teller.tell(Failed(f"{type(error).__name__}: {error}"))


def _own_output() -> BinaryIO:
    """Keeps standard output for frames: whatever else is printed goes to the log."""
    frames = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return frames


if __name__ == "__main__":
    main()
