"""The wheel itself: one loop with coarse ticks that starts what is due and hands on what it found.

Slots stand on the wall clock, so a restart keeps them and spreads ten thousand checks evenly. A probe never overlaps
the one before it, a host is never asked by more probes at once than its cap, and a probe that does not end is cut. A
slot that goes by without a probe is reported, never passed over.

The wheel also knows when the agent itself stood still: failures seen across such a stall accuse nobody. And a tick
costs what it starts, however many probes run or wait: a dead data centre is no reason to be late elsewhere.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from sentry.domain.result import ProbeResult, Reason, Status
from sentry.domain.site import Check
from sentry.ports import Clock, Probe, SampleKind, Telemetry, Timer
from sentry.wheel.places import Deadlines, Places, Run, Spoke
from sentry.wheel.slots import Rechecks, Rim, next_slot, phase_of

TICK_S = 0.005
"""Least pause between two ticks: who is due meanwhile starts this much late at most, and all of them at one waking.

Exact timers cost four to five times the CPU (measured, reference: performance).
"""

IDLE_TICK_S = 0.1
"""Longest pause between two ticks while nothing is due, so that a stall is noticed."""

STALL_S = 1.0
"""A loop that stood still this long cannot tell a slow site from its own slowness."""

LAG_SHARE = 0.25
"""Nor can one that stood still for this share of a probe's deadline, where that is less."""

HITCH_S = 0.1
"""Below this no lag is looked at: no deadline is so short that it mattered."""

CUT_AFTER_S = 3.0
"""A probe gets this much more than its own deadline before the wheel cuts it."""

FIRST_WITHIN_S = 5.0
"""New checks are probed within this time, spread by their phase, and not only at their first slot."""

FIRST_PER_S = 200.0
"""New checks beyond `FIRST_WITHIN_S` of these take their time, up to their first slot: ten thousand handshakes within
seconds would cost 60 MB that the C library never gives back, and start late."""

CLOCK_JUMP_S = 2.0
"""Wall and monotonic time drifting apart by more than this between two ticks is a jump of the clock."""


class Finished(NamedTuple):
    """A probe that ended, as the wheel hands it on. `delay_s` is how late after its slot it had started."""

    check: Check
    result: ProbeResult
    kind: SampleKind
    delay_s: float


class Wheel:
    """Starts probes in their slots and hands on what they found.

    Args:
        clock: the time.
        telemetry: told of missed slots, loop lag and clock jumps.
        finished: called in the event loop with each result.
        max_concurrent: probes under way at once, over all hosts.
    """

    def __init__(
        self, clock: Clock, telemetry: Telemetry, finished: Callable[[Finished], None], *, max_concurrent: int = 1000
    ) -> None:
        self._clock = clock
        self._telemetry = telemetry
        self._finished = finished
        self._spokes: dict[str, Spoke] = {}
        self._strides: Mapping[str, int] = {}
        self._rim = Rim()
        self._rechecks = Rechecks()
        self._places = Places(max_concurrent)
        self._running: set[Run] = set()
        self._last_tick = clock.monotonic()
        self._deadlines = Deadlines(self._last_tick)
        self._pause_s = TICK_S
        self._worst_lag, self._lag_shown = 0.0, self._last_tick
        self._offset = self._settled_offset = clock.now().timestamp() - self._last_tick
        self._timer: Timer | None = None

    def replace(self, probes: Mapping[str, tuple[Check, Probe]]) -> None:
        """Takes a new set of checks. One that is equal to what runs keeps running, its probe untouched."""
        now = self._clock.now().timestamp()
        for key in [key for key, spoke in self._spokes.items() if key not in probes]:
            self._remove(key)
        self._places.keep({check.host_group for check, _ in probes.values()})
        first_within_s = max(FIRST_WITHIN_S, (len(probes) - len(self._spokes)) / FIRST_PER_S)
        for key, (check, probe) in probes.items():
            standing = self._spokes.get(key)
            if standing is not None and standing.check == check:
                continue
            if standing is not None:
                self._remove(key)
            group = self._places.group(check.host_group)
            spoke = self._spokes[key] = Spoke(check, probe, phase_of(key, check.interval_s), group)
            spoke.stride = self._strides.get(key, 1)
            spread = min(first_within_s, check.interval_s) * spoke.phase_s / check.interval_s
            self._rim.add(spoke, min(now + spread, next_slot(now, spoke.phase_s, check.interval_s)))

    def recheck(self, check_key: str, at: datetime) -> None:
        """Probes a check once more at an instant, beside its slots."""
        spoke = self._spokes.get(check_key)
        if spoke is not None:
            self._rechecks.add(spoke, at.timestamp())

    def stretch(self, strides: Mapping[str, int]) -> None:
        """Has only each so-manieth slot of these checks probed from now on, and every one of all others."""
        self._strides = dict(strides)
        for key, spoke in self._spokes.items():
            spoke.stride = strides.get(key, 1)

    @property
    def last_tick(self) -> float:
        """Monotonic time of the newest tick; an old one means that the watch stands still."""
        return self._last_tick

    @property
    def probes_running(self) -> int:
        """How many probes are under way."""
        return len(self._running)

    # ── turning ──────────────────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Turns until it is cancelled; then every probe under way is cancelled too."""
        self._last_tick = self._clock.monotonic()
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            self._turn(failed)
            await failed
        finally:
            if self._timer is not None:
                self._timer.cancel()
            for run in list(self._running):
                self._cancel(run)

    def _turn(self, failed: asyncio.Future[None]) -> None:
        """A tick and the timer of the next; a callback, for a task's waking would cost as much as the tick."""
        try:
            self.tick()
            self._pause_s = self._next_pause()
            self._timer = self._clock.call_later(self._pause_s, lambda: self._turn(failed))
        except Exception as error:  # noqa: BLE001  # whatever it was, it is raised where the wheel is run
            if not failed.done():
                failed.set_exception(error)

    def tick(self) -> None:
        """Starts what is due now and cuts what has run too long."""
        now, wall = self._clock.monotonic(), self._clock.now().timestamp()
        self._note_lag(now, max(0.0, now - self._last_tick - self._pause_s))
        self._last_tick = now
        self._offset = wall - now
        if abs(self._offset - self._settled_offset) > CLOCK_JUMP_S:
            self._note_clock_jump(wall)
        if now >= self._deadlines.next_look:
            self._cut_overdue(now)
        for spoke in self._rim.take(wall):
            if not spoke.removed:
                due = self._next_slot_and_missed(spoke, wall)
                if spoke.stride == 1 or not due // spoke.check.interval_s % spoke.stride:
                    self._come_due(spoke, due, SampleKind.SLOT)
        while wall >= self._rechecks.next_due:
            due, spoke = self._rechecks.take()
            if not spoke.removed:
                self._come_due(spoke, due, SampleKind.RECHECK)
        while (starting := self._places.next()) is not None:
            self._start(starting)

    def _next_pause(self) -> float:
        """Until the next slot, in ticks that still notice a stall and a place that has become free."""
        if self._places.has_next:
            return TICK_S
        due = min(self._rim.next_within(IDLE_TICK_S), self._rechecks.next_due)
        return min(max(due - self._clock.monotonic() - self._offset, TICK_S), IDLE_TICK_S)

    def _note_lag(self, now: float, lag: float) -> None:
        """Counts every lag, and shows the worst one of each second."""
        self._telemetry.count("loop_delay_seconds", lag)
        self._worst_lag = max(self._worst_lag, lag)
        if lag > STALL_S:
            self._note_stall(lag)
        elif lag > HITCH_S:
            self._note_hitch(lag)
        if now - self._lag_shown >= 1.0:
            self._telemetry.gauge("loop_lag_seconds", self._worst_lag)
            self._worst_lag, self._lag_shown = 0.0, now

    # ── a probe from its slot to its end ─────────────────────────────────────────────────────────────────────

    def _next_slot_and_missed(self, spoke: Spoke, wall: float) -> float:
        """Books the slot after this one; when whole intervals went by, reports them and takes the newest slot."""
        due, interval_s = spoke.slot, spoke.check.interval_s
        self._rim.add(spoke, next_slot(wall, spoke.phase_s, interval_s))
        passed = int((wall - due) // interval_s)
        if passed:
            self._miss(spoke, due, passed, "the agent stood still")
        return due + passed * interval_s

    def _come_due(self, spoke: Spoke, due: float, kind: SampleKind) -> None:
        if spoke.waiting:
            if kind is SampleKind.SLOT and spoke.kind is SampleKind.SLOT:
                self._miss(spoke, due, 1, "the probe before it still waits for its turn")
            elif kind is SampleKind.SLOT:
                spoke.due, spoke.kind = due, kind
            return
        if spoke.run is not None and kind is SampleKind.RECHECK:
            return
        spoke.due, spoke.kind, spoke.waiting = due, kind, True
        if spoke.run is None:
            self._places.ask(spoke)

    def _start(self, spoke: Spoke) -> None:
        began, due = self._clock.monotonic(), spoke.due
        cut_at = began + spoke.check.options.timeout_s + CUT_AFTER_S
        run = spoke.run = Run(spoke, spoke.kind, due, max(0.0, began + self._offset - due), cut_at)
        spoke.waiting = False
        self._running.add(run)
        self._deadlines.add(run)
        handle = spoke.probe.start(datetime.fromtimestamp(due, UTC), partial(self._done, run))
        if spoke.run is run:
            run.handle = handle

    def _done(self, run: Run, result: ProbeResult) -> None:
        if run not in self._running:
            return
        self._end(run)
        if run.stalled or self._clock.monotonic() - self._last_tick - self._pause_s > _tolerable_lag_s(run):
            result = _excused(result)
        self._hand_on(run, result)

    def _end(self, run: Run) -> None:
        spoke = run.spoke
        spoke.run = None
        self._running.remove(run)
        self._places.leave(spoke.group)
        if spoke.waiting and not spoke.removed:
            self._places.ask(spoke)

    def _cancel(self, run: Run) -> None:
        self._end(run)
        if run.handle is not None:
            run.handle.cancel()

    def _remove(self, key: str) -> None:
        spoke = self._spokes.pop(key)
        spoke.removed = True
        if spoke.run is not None:
            self._cancel(spoke.run)

    def _hand_on(self, run: Run, result: ProbeResult) -> None:
        if result.reason is Reason.AGENT_STALLED:
            self.recheck(run.spoke.check.key, self._clock.now())
        self._finished(Finished(run.spoke.check, result, run.kind, run.delay_s))

    def _cut_overdue(self, now: float) -> None:
        for run in self._deadlines.passed(now):
            if run not in self._running:
                continue
            if now <= run.cut_at:  # the agent stood still meanwhile, and the run was given that time
                self._deadlines.add(run)
                continue
            self._cancel(run)
            text = f"the probe did not end by itself {CUT_AFTER_S:g} s after its deadline and was cut"
            self._hand_on(run, self._ours(run.spoke, run.due, Reason.AGENT_ERROR, text))

    # ── what went wrong with ourselves ───────────────────────────────────────────────────────────────────────

    def _miss(self, spoke: Spoke, due: float, slots: int, why: str) -> None:
        for _ in range(slots):
            self._telemetry.slot_missed(spoke.check.key)
        text = f"{slots} slot(s) not probed: {why}"
        result = self._ours(spoke, due, Reason.SLOT_MISSED, text)
        self._finished(Finished(spoke.check, result, SampleKind.MISSED, 0.0))

    def _ours(self, spoke: Spoke, due: float, reason: Reason, text: str) -> ProbeResult:
        scheduled_at = datetime.fromtimestamp(due, UTC)
        now = self._clock.now()
        return ProbeResult(spoke.check.key, scheduled_at, now, 0.0, Status.UNKNOWN, reason, detail=text)

    def _note_stall(self, lag_s: float) -> None:
        self._telemetry.count("stalls_total")
        self._telemetry.count("stalled_seconds_total", lag_s)
        for run in self._running:
            run.stalled = True
            run.cut_at += lag_s  # else it were cut before it can tell what came of it

    def _note_hitch(self, lag_s: float) -> None:
        """Voids the failures of probes under way whose deadline is so short that the lag may have eaten it up."""
        for run in self._running:
            run.stalled = run.stalled or lag_s > _tolerable_lag_s(run)

    def _note_clock_jump(self, wall: float) -> None:
        """Puts every slot where it belongs on the new time.

        A clock set back must not stop the watch until it is where it was, and one set forward must not fire the
        slots of hours that never were. Re-checks keep their distance.
        """
        self._telemetry.count("clock_jumps_total")
        self._rechecks.shift(self._offset - self._settled_offset)
        self._settled_offset = self._offset
        self._rim.clear(wall)
        for spoke in self._spokes.values():
            self._rim.add(spoke, next_slot(wall, spoke.phase_s, spoke.check.interval_s))


def _tolerable_lag_s(run: Run) -> float:
    return min(STALL_S, max(HITCH_S, LAG_SHARE * run.spoke.check.options.timeout_s))


def _excused(result: ProbeResult) -> ProbeResult:
    """A failure seen while the agent stood still says nothing of the site; a success still does."""
    if result.status is Status.UP or result.status is Status.UNKNOWN:
        return result
    text = f"the agent stood still while it probed; it had seen: {result.reason} {result.detail}"
    return replace(result, status=Status.UNKNOWN, reason=Reason.AGENT_STALLED, detail=text)
