"""One worker of the fleet: its checks, its processes one after the other, and the slots that none of them saw."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import structlog

from sentry.app.workers.absence import Absence, MissedSlots
from sentry.app.workers.beat import Beat
from sentry.app.workers.commands import Setup
from sentry.app.workers.life import Life
from sentry.app.workers.results import Arrival
from sentry.domain.result import ProbeResult, Reason, Status
from sentry.domain.site import Check
from sentry.ports import Clock, SampleKind, Telemetry
from sentry.wheel import FIRST_WITHIN_S, Finished

RESTART_AFTER_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Waiting before a worker that ended is started again; the last one repeats."""

SETTLED_AFTER_S = 60.0
"""After a process that lived so long, the waiting begins with the shortest again."""

NEW_FOR_S = 2 * FIRST_WITHIN_S
"""A check is as good as probed for so long after it was given to a worker, which may have to start first."""

MAX_MISSED_AT_ONCE = 10_000
"""Slots of one check counted from one message; a worker that was taken over must not keep the agent counting."""

_log = structlog.get_logger()


class Member:
    """A worker as the agent sees it.

    Args:
        number: from 1, its name in log and metrics.
        setup: how it probes.
        finished: called with each result, and with each slot that went by without one.

    Attributes:
        last_tick: monotonic time at which its wheel last turned, as far as is known.
        running: how many probes it had under way at its last beat.
    """

    def __init__(
        self,
        number: int,
        setup: Setup,
        *,
        clock: Clock,
        telemetry: Telemetry,
        finished: Callable[[Finished], None],
    ) -> None:
        self.number = number
        self._setup = setup
        self._clock = clock
        self._telemetry = telemetry
        self._finished = finished
        self._checks: Mapping[str, Check] = {}
        self._generation = 0
        self._holds_since: dict[str, int] = {}
        self._seen: dict[str, float] = {}
        self._life: Life | None = None
        self._absence: Absence | None = None
        self._staging: set[asyncio.Task[bool]] = set()
        self.last_tick = clock.monotonic()
        self.running = 0

    # ── its checks ───────────────────────────────────────────────────────────────────────────────────────────

    async def stage(self, generation: int, checks: tuple[Check, ...]) -> None:
        """Has a set of checks prepared by the process that runs; one that is not there makes nobody wait."""
        if self._life is not None:
            await self._life.stage(generation, checks)

    def replace(self, generation: int, checks: tuple[Check, ...]) -> None:
        """Puts a set of checks in force: at once where it is prepared, else as soon as it is."""
        new = {check.key: check for check in checks}
        changed = {key for key, check in new.items() if self._checks.get(key) != check}
        known_at = self._clock.now().timestamp() + NEW_FOR_S
        self._seen = {key: known_at if key in changed else self._seen[key] for key in new}
        self._holds_since = {key: generation if key in changed else self._holds_since[key] for key in new}
        self._checks, self._generation = new, generation
        if self._life is None or not self._life.in_force:
            self._absence = Absence(new, self._seen)
        self.staged()

    def recheck(self, check_key: str, at: datetime) -> None:
        """Has a check probed once more. A process that is about to start probes every check anyway."""
        if self._life is not None:
            self._life.recheck(check_key, at)

    def stretch(self, strides: Mapping[str, int]) -> None:
        """Has only some slots of these checks probed; a process that starts later is told when this is said again."""
        if self._life is not None:
            self._life.stretch(strides)

    def staged(self) -> None:
        """Has the set of checks that is in force probed, once it is prepared."""
        life, generation = self._life, self._generation
        if life is None or life.in_force == generation:
            return
        if life.has_staged(generation):
            self._look_for_missed()
            self._absence = None
            life.switch(generation)
        elif not life.was_asked(generation):
            task = asyncio.get_running_loop().create_task(life.stage(generation, tuple(self._checks.values())))
            self._staging.add(task)
            task.add_done_callback(self._staging.discard)

    # ── its processes ────────────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Keeps a process running until cancelled; then it hands over what it has seen."""
        attempt = 0
        self.last_tick = self._clock.monotonic()  # reading the configuration before this is no standstill
        while True:
            began = self._clock.monotonic()
            how = await self._live()
            if self._clock.monotonic() - began > SETTLED_AFTER_S:
                attempt = 0
            wait_s = RESTART_AFTER_S[min(attempt, len(RESTART_AFTER_S) - 1)]
            attempt += 1
            self._telemetry.count("worker_restarts_total", worker=str(self.number))
            _log.error("a worker ended and is started again", worker=self.number, how=how, after_s=wait_s)
            await self._clock.sleep(wait_s)

    async def _live(self) -> str:
        """Runs one process to its end, and returns how it ended."""
        try:
            life = await Life.begin(self.number, self._setup, self)
        except OSError as error:
            return f"it could not be started: {error}"
        self._life = life
        self.staged()
        try:
            return await life.ended()
        except asyncio.CancelledError:
            await life.drain()
            raise
        finally:
            self._life = None
            self._begin_absence(life)

    def _begin_absence(self, life: Life) -> None:
        self._show_up(0)
        self.running = 0
        self._telemetry.gauge("worker_probes_running", 0, worker=str(self.number))
        if life.in_force:
            self._absence = Absence(self._checks, self._seen)

    def _show_up(self, value: int) -> None:
        self._telemetry.gauge("worker_up", value, worker=str(self.number))

    def look(self) -> None:
        """Looks after it: whether it still says a word, and what goes by while it is not there. Once a second."""
        if self._life is not None:
            self._life.look()
        self._look_for_missed()

    def _look_for_missed(self) -> None:
        if self._absence is None:
            return
        now = self._clock.now()
        for missed in self._absence.passed(now.timestamp()):
            self._tell(missed, now)

    def _tell(self, missed: MissedSlots, now: datetime) -> None:
        check, slots = missed.check, missed.count
        text = f"{slots} slot(s) not probed: worker {self.number} was not there"
        first = datetime.fromtimestamp(missed.first, UTC)
        result = ProbeResult(check.key, first, now, 0.0, Status.UNKNOWN, Reason.SLOT_MISSED, detail=text)
        self._take(check, Arrival(result, SampleKind.MISSED, 0.0, slots))

    # ── what a process says (Listener) ───────────────────────────────────────────────────────────────────────

    def arrived(self, generation: int, arrivals: list[Arrival]) -> None:
        """Hands results on; not those of checks that have changed or gone since."""
        for arrival in arrivals:
            check = self._checks.get(arrival.result.check_key)
            if check is not None and generation >= self._holds_since[check.key]:
                self._take(check, arrival)

    def _take(self, check: Check, arrival: Arrival) -> None:
        key, slots = check.key, min(arrival.missed_slots, MAX_MISSED_AT_ONCE)
        for _ in range(slots):
            self._telemetry.slot_missed(key)
        if arrival.kind is not SampleKind.RECHECK:
            slot = arrival.result.scheduled_at.timestamp() + max(0, slots - 1) * check.interval_s
            self._seen[key] = max(self._seen[key], slot)
        self._finished(Finished(check, arrival.result, arrival.kind, arrival.delay_s))

    def beaten(self, beat: Beat) -> None:
        """Shows the figures of a worker."""
        worker = str(self.number)
        self.last_tick = self._clock.monotonic() - beat.tick_age_s
        self.running = beat.running
        self._show_up(1)
        self._telemetry.gauge("worker_loop_lag_seconds", beat.lag_s, worker=worker)
        self._telemetry.gauge("worker_probes_running", beat.running, worker=worker)
        for name, amount in (("stalls_total", beat.stalls), ("stalled_seconds_total", beat.stalled_s)):
            if amount:
                self._telemetry.count(name, amount)
        if beat.lost:
            self._telemetry.count("worker_results_lost_total", beat.lost, worker=worker)
