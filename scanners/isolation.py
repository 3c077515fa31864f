"""Judges files in processes of their own, so that one written against its judge costs nobody else anything.

A file that crashes its judge, keeps it too long or wants too much memory is said not to have been looked at. That is
never a verdict, the judge is started anew, and every other file is judged.
"""

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import IO, Self, cast

from pydantic import ValidationError

from scanners.engine import AuditedFile
from scanners.judging import JUDGED, Bounds, Orders, framed
from scanners.malware import Judged, Malware
from sentry.ports.clock import Clock

BATCH_FILES, BATCH_BYTES = 64, 1_000_000
"""What one judge is given at once: small files cost little, and a judge seldom has to be waited for."""

MAX_ANSWER_BYTES = 4_000_000
READ_BYTES = 262_144
ENDS: Mapping[int, str] = {
    signal.SIGXCPU: "took too long",
    signal.SIGKILL: "took too long, or its judge was ended from outside",
    signal.SIGABRT: "needed too much memory, or broke its judge",
    signal.SIGSEGV: "broke its judge",
}
"""What the end of a judge by a signal says of the file that it was at."""


class JudgeBroken(Exception):  # noqa: N818  # as the errors of the domain are called: by what happened
    """A judge cannot even be started: that is our own fault, and no file's."""


class Isolation:
    """Judges, each in its process, which are started for the first file. To be closed, or used in `with`.

    Args:
        clock: tells when a judge has been silent for too long.
        make: builds what judges; a name of a module, or a partial of one, for it is called in the other process.
        bounds: of each.
        judges: how many work at once.
    """

    def __init__(
        self, clock: Clock, make: Callable[[], Malware] = Malware, bounds: Bounds | None = None, judges: int = 1
    ) -> None:
        self._clock = clock
        self._orders = Orders(make, bounds or Bounds())
        self._selector = selectors.DefaultSelector()
        self._number = judges
        self._judges: list[_Judge] = []

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Ends every judge."""
        self.close()

    def close(self) -> None:
        """Ends every judge."""
        for judge in self._judges:
            self._end(judge)
        self._judges.clear()
        self._selector.close()

    def judge_all(self, files: Iterable[AuditedFile]) -> Iterator[tuple[AuditedFile, Judged]]:
        """Yields every file with what was said of it, in the order in which that becomes known.

        One call at a time, each to its end; the next files are fetched while the judges work.

        Args:
            files: taken a few at a time, so that no more than those are in memory.

        Raises:
            JudgeBroken: no judge can be started.
        """
        for batch in _batches(files):
            if not self._judges:  # many an audit has nothing to judge
                self._judges = [self._started() for _ in range(self._number)]
            while all(judge.waiting for judge in self._judges):
                yield from self._heard()
            next(judge for judge in self._judges if not judge.waiting).take(batch, self._clock.monotonic())
        while any(judge.waiting for judge in self._judges):
            yield from self._heard()

    def judge(self, file: AuditedFile, _is_late: Callable[[], bool]) -> Judged:
        """Judges one file, as `Malware.judge` does; how long that may take, the bounds say.

        Raises:
            JudgeBroken: no judge can be started.
        """
        ((_, judged),) = self.judge_all((file,))
        return judged

    def _started(self) -> "_Judge":
        judge = _Judge(self._orders, self._clock.monotonic())
        self._selector.register(judge.output, selectors.EVENT_READ, judge)
        return judge

    def _heard(self) -> list[tuple[AuditedFile, Judged]]:
        """Waits for the next answer, or for the end of a judge, of any of them; one that is silent is ended."""
        silent_s = self._orders.bounds.silent_s
        waiting = [judge for judge in self._judges if judge.waiting]
        silent_at = min(judge.heard_at for judge in waiting) + silent_s
        events = self._selector.select(max(0.0, silent_at - self._clock.monotonic()))
        found = [answer for key, _ in events for answer in self._answers(key.data)]
        now = self._clock.monotonic()
        for judge in waiting:
            if judge.waiting and now - judge.heard_at >= silent_s:
                judge.process.kill()  # its end is seen where its answers are read
        return found

    def _answers(self, judge: "_Judge") -> list[tuple[AuditedFile, Judged]]:
        found, is_at_end = judge.answers(self._clock.monotonic())
        return [*found, *self._replaced(judge)] if is_at_end else found

    def _replaced(self, judge: "_Judge") -> list[tuple[AuditedFile, Judged]]:
        """Starts another judge for what the old one has left; the first file of that is the one it ended at."""
        self._end(judge)
        self._judges.remove(judge)
        code = judge.process.returncode
        if not judge.is_ready:
            raise JudgeBroken(f"a judge of files ended with code {code} before it could begin")
        self._judges.append(other := self._started())
        if judge.waiting[1:]:
            other.take(judge.waiting[1:], self._clock.monotonic())
        why = ENDS.get(-code, f"its judge ended with code {code}")
        return [(file, Judged(finding=None, is_script=False, left_out=why)) for file in judge.waiting[:1]]

    def _end(self, judge: "_Judge") -> None:
        self._selector.unregister(judge.output)
        judge.end()


class _Judge:
    """One process, and the files that it has not answered for."""

    def __init__(self, orders: Orders, now: float) -> None:
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            [sys.executable, "-P", "-m", "scanners.judging"],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # a key that stops the audit ends a judge by its closed pipe, not in the middle
        )
        self.output = cast("IO[bytes]", self.process.stdout)
        self.waiting: list[AuditedFile] = []
        self.is_ready = False
        self.heard_at = now
        self._unread = b""
        self._send(framed(orders))

    def take(self, files: list[AuditedFile], now: float) -> None:
        """Gives it files; it has answered for all that it had."""
        self.waiting, self.heard_at = files, now
        self._send(framed(files))

    def answers(self, now: float) -> tuple[list[tuple[AuditedFile, Judged]], bool]:
        """Returns what it said of its files, and whether it has come to its end, by itself or by what it says."""
        read = os.read(self.output.fileno(), READ_BYTES)
        *lines, self._unread = (self._unread + read).split(b"\n")
        if lines and not self.is_ready:
            self.is_ready, lines = True, lines[1:]
        self.heard_at = now if read else self.heard_at
        found: list[tuple[AuditedFile, Judged]] = []
        try:
            for line in lines[: len(self.waiting)]:
                judged = JUDGED.validate_json(line)
                found.append((self.waiting.pop(0), judged))
        except ValidationError:  # whatever broke it, no file has to pay for it but the one that it was at
            return found, True
        return found, not read or len(self._unread) > MAX_ANSWER_BYTES

    def end(self) -> None:
        """Ends it, if it has not ended by itself."""
        self.process.kill()
        self.process.wait()
        self.output.close()
        cast("IO[bytes]", self.process.stdin).close()

    def _send(self, words: bytes) -> None:
        pipe = cast("IO[bytes]", self.process.stdin)
        rest = memoryview(words)
        try:
            while rest:
                rest = rest[pipe.write(rest) :]
        except BrokenPipeError:
            return  # its end is seen where its answers are read


def _batches(files: Iterable[AuditedFile]) -> Iterator[list[AuditedFile]]:
    batch: list[AuditedFile] = []
    size = 0
    for file in files:
        batch.append(file)
        size += len(file.content)
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
