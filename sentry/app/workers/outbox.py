"""What a worker has seen and not handed over yet: bounded, and never waited for."""

import asyncio
from collections import Counter, deque

from sentry.app.workers.beat import Beat
from sentry.app.workers.frames import FrameKind, Link
from sentry.app.workers.results import Arrival, ResultWriter
from sentry.domain.health import Health
from sentry.domain.result import ProbeResult
from sentry.domain.site import Check
from sentry.ports import SampleKind
from sentry.wheel import Finished

FLUSH_AFTER_S = 0.05
"""Results of so long travel together; far below anything that an alert would notice."""

BATCH_BYTES = 64 * 1024
"""A message this long takes the agent a few milliseconds, and its loop has other things to do in between."""

WAITING_BYTES = 32 * 1024 * 1024
"""Kept while the agent does not read: minutes of five thousand sites. What comes after is dropped and counted."""

CERTIFICATES = 16_384
"""Distinct certificates before their numbering begins anew; one that shows new ones each time fills no memory."""


class Outbox:
    """Takes results from the wheel, and sends them in batches.

    Args:
        link: to the agent.
        missed: slots that went by, by check; taken with the result that tells of them.
        waiting_bytes: kept while the agent does not read.

    Attributes:
        generation: of the checks that are probed now.
        lost: results dropped since the last beat.
    """

    def __init__(self, link: Link, missed: Counter[str], *, waiting_bytes: int = WAITING_BYTES) -> None:
        self._link = link
        self._missed = missed
        self._waiting_bytes = waiting_bytes
        self._writer = ResultWriter()
        self._rows: deque[bytes] = deque()
        self._bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self.generation = 0
        self.lost = 0
        link.resumed = self._schedule

    def put(self, done: Finished) -> None:
        """Takes a result."""
        slots = self._missed.pop(done.check.key, 0) if done.kind is SampleKind.MISSED else 0
        if self._bytes > self._waiting_bytes:
            self.lost += 1
            return
        row = self._writer.row(Arrival(done.result, done.kind, done.delay_s, slots))
        self._rows.append(row)
        self._bytes += len(row)
        self._schedule()

    def flush(self, *, whole: bool = False) -> None:
        """Sends what waits, as far as the agent reads; whole: all of it, whether it reads or not."""
        self._timer = None
        while self._rows and (whole or not self._link.paused):
            self._link.send(FrameKind.RESULTS, self._writer.batch(self.generation, self._next_rows()))
        if not self._rows and self._writer.certificates > CERTIFICATES:
            self._writer.forget()

    def _next_rows(self) -> list[bytes]:
        rows: list[bytes] = []
        size = 0
        while self._rows and size < BATCH_BYTES:
            row = self._rows.popleft()
            rows.append(row)
            size += len(row)
        self._bytes -= size
        return rows

    def _schedule(self) -> None:
        if self._timer is None and self._rows:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_AFTER_S, self.flush)


class WorkerTelemetry:
    """Fills the `Telemetry` port for the wheel of a worker; its figures travel with the next beat.

    Attributes:
        missed: slots that went by, by check.
    """

    def __init__(self) -> None:
        self.missed: Counter[str] = Counter()
        self._lag_s = 0.0
        self._counts: dict[str, float] = {}

    def beat(self, *, tick_age_s: float, running: int, lost: int) -> Beat:
        """Returns what was told since the last beat."""
        counts, self._counts = self._counts, {}
        lag_s, self._lag_s = self._lag_s, 0.0
        stalls, stalled_s = int(counts.get("stalls_total", 0)), counts.get("stalled_seconds_total", 0.0)
        return Beat(tick_age_s, lag_s, running, stalls, stalled_s, lost)

    def probe_finished(self, check: Check, result: ProbeResult, kind: SampleKind, delay_s: float) -> None:
        """Said by the agent's watch, not by a wheel."""

    def forget_check(self, check_key: str) -> None:
        """Said by the agent's watch, not by a wheel."""

    def verdict(self, check_key: str, health: Health) -> None:
        """Said by the agent's watch, not by a wheel."""

    def slot_missed(self, check_key: str) -> None:
        """Keeps it for the result that the wheel hands on next."""
        self.missed[check_key] += 1

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Keeps it for the next beat; a jump of the clock is the agent's own to count, once."""
        del labels
        self._counts[name] = self._counts.get(name, 0) + amount

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Keeps the worst lag for the next beat."""
        del labels
        if name == "loop_lag_seconds":
            self._lag_s = max(self._lag_s, value)
