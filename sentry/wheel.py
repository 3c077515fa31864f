"""The minute wheel: a slot per check and interval, at a phase that only the check's key decides.

Slots stand on the wall clock, so a restart keeps them and spreads ten thousand checks evenly. One loop with coarse
ticks starts what is due. A probe never overlaps the one before it, a host is never asked by more probes at once than
its cap, and a probe that does not end is cut. A slot that goes by without a probe is reported, never passed over.

The wheel also knows when the agent itself stood still: failures seen across such a stall accuse nobody.
"""

import heapq
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import count

from sentry.domain.result import ProbeResult, Reason, Status
from sentry.domain.site import Check
from sentry.ports import Clock, Probe, ProbeHandle, SampleKind, Telemetry

TICK_S = 0.01
"""Coarse tick; exact timers cost four to five times the CPU (measured, reference: performance)."""

IDLE_TICK_S = 0.1
"""Longest pause between two ticks while nothing is due; a probe may end in between and leave its place to another."""

STALL_S = 1.0
"""A loop that stood still this long cannot tell a slow site from its own slowness."""

CUT_AFTER_S = 3.0
"""A probe gets this much more than its own deadline before the wheel cuts it."""

FIRST_WITHIN_S = 5.0
"""New checks are probed within this time, spread by their phase, and not only at their first slot."""

CLOCK_JUMP_S = 2.0
"""Wall and monotonic time drifting apart by more than this between two ticks is a jump of the clock."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A probe that ended, as the wheel hands it on. `delay_s` is how late after its slot it had started."""

    check: Check
    result: ProbeResult
    kind: SampleKind
    delay_s: float


@dataclass(slots=True, eq=False)
class _Spoke:
    """One check on the wheel. `generation` makes heap entries of a removed check void."""

    check: Check
    probe: Probe
    phase_s: float
    handle: ProbeHandle | None = None
    kind: SampleKind = SampleKind.SLOT
    due: float = 0.0
    began: float = 0.0
    waiting: bool = False
    stalled: bool = False
    removed: bool = False


def phase_of(check_key: str, interval_s: int) -> float:
    """Returns the seconds into its interval at which a check has its slot; the same on every machine and run."""
    number = int.from_bytes(blake2b(check_key.encode(), digest_size=8).digest())
    return (number % (interval_s * 1000)) / 1000


def next_slot(after: float, phase_s: float, interval_s: int) -> float:
    """Returns the first slot strictly later than an instant, both in seconds since the Unix epoch."""
    slot = after // interval_s * interval_s + phase_s
    return slot if slot > after else slot + interval_s


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
        self._max_concurrent = max_concurrent
        self._spokes: dict[str, _Spoke] = {}
        self._heap: list[tuple[float, int, SampleKind, _Spoke]] = []
        self._sequence = count()
        self._running: set[_Spoke] = set()
        self._per_host: Counter[str] = Counter()
        self._waiting: deque[_Spoke] = deque()
        self._last_tick = clock.monotonic()
        self._pause_s = TICK_S
        self._worst_lag, self._lag_shown = 0.0, self._last_tick
        self._clock_offset = self._offset()

    def replace(self, probes: Mapping[str, tuple[Check, Probe]]) -> None:
        """Takes a new set of checks. One that is equal to what runs keeps running, its probe untouched."""
        now = self._clock.now().timestamp()
        for key in [key for key, spoke in self._spokes.items() if key not in probes]:
            self._remove(key)
        for key, (check, probe) in probes.items():
            standing = self._spokes.get(key)
            if standing is not None and standing.check == check:
                continue
            if standing is not None:
                self._remove(key)
            spoke = _Spoke(check, probe, phase_of(key, check.interval_s))
            self._spokes[key] = spoke
            spread = min(FIRST_WITHIN_S, check.interval_s) * spoke.phase_s / check.interval_s
            self._push(spoke, now + spread, SampleKind.SLOT)

    def recheck(self, check_key: str, at: datetime) -> None:
        """Probes a check once more at an instant, beside its slots."""
        spoke = self._spokes.get(check_key)
        if spoke is not None:
            self._push(spoke, at.timestamp(), SampleKind.RECHECK)

    @property
    def last_tick(self) -> float:
        """Monotonic time of the newest tick; an old one means that the watch stands still."""
        return self._last_tick

    @property
    def probes_running(self) -> int:
        """How many probes are under way."""
        return len(self._running)

    async def run(self) -> None:
        """Turns until it is cancelled; then every probe under way is cancelled too."""
        self._last_tick = self._clock.monotonic()
        try:
            while True:
                self.tick()
                self._pause_s = self._next_pause()
                await self._clock.sleep(self._pause_s)
        finally:
            for spoke in list(self._running):
                self._release(spoke)

    def tick(self) -> None:
        """Starts what is due now and cuts what has run too long."""
        now = self._clock.monotonic()
        lag = max(0.0, now - self._last_tick - self._pause_s)
        self._last_tick = now
        self._show_lag(now, lag)
        if lag > STALL_S:
            self._note_stall(lag)
        if abs(self._offset() - self._clock_offset) > CLOCK_JUMP_S:
            self._note_clock_jump()
        self._cut_overdue(now)
        wall = self._clock.now().timestamp()
        while self._heap and self._heap[0][0] <= wall:
            due, _, kind, spoke = heapq.heappop(self._heap)
            if not spoke.removed:
                self._come_due(spoke, due, kind, wall)
        self._start_waiting()

    def _next_pause(self) -> float:
        """A tick while probes wait for their turn; else until the next slot, in ticks that still notice a stall."""
        if self._waiting or not self._heap:
            return TICK_S if self._waiting else IDLE_TICK_S
        return min(max(self._heap[0][0] - self._clock.now().timestamp(), TICK_S), IDLE_TICK_S)

    def _show_lag(self, now: float, lag: float) -> None:
        """Counts every lag, and shows the worst one of each second."""
        self._telemetry.count("loop_delay_seconds", lag)
        self._worst_lag = max(self._worst_lag, lag)
        if now - self._lag_shown >= 1.0:
            self._telemetry.gauge("loop_lag_seconds", self._worst_lag)
            self._worst_lag, self._lag_shown = 0.0, now

    def _offset(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()

    def _push(self, spoke: _Spoke, due: float, kind: SampleKind) -> None:
        heapq.heappush(self._heap, (due, next(self._sequence), kind, spoke))

    def _come_due(self, spoke: _Spoke, due: float, kind: SampleKind, wall: float) -> None:
        if kind is SampleKind.SLOT:
            due = self._next_slot_and_missed(spoke, due, wall)
        if spoke.waiting:
            if kind is SampleKind.SLOT and spoke.kind is SampleKind.SLOT:
                self._miss(spoke, due, 1, "the probe before it still waits for its turn")
            elif kind is SampleKind.SLOT:
                spoke.due, spoke.kind = due, kind
            return
        if spoke.handle is not None and kind is SampleKind.RECHECK:
            return
        spoke.due, spoke.kind, spoke.waiting = due, kind, True
        self._waiting.append(spoke)

    def _next_slot_and_missed(self, spoke: _Spoke, due: float, wall: float) -> float:
        """Books the slot after this one; when whole intervals went by, reports them and takes the newest slot."""
        interval_s = spoke.check.interval_s
        self._push(spoke, next_slot(wall, spoke.phase_s, interval_s), SampleKind.SLOT)
        passed = int((wall - due) // interval_s)
        if passed:
            self._miss(spoke, due, passed, "the agent stood still")
        return due + passed * interval_s

    def _start_waiting(self) -> None:
        for _ in range(len(self._waiting)):
            spoke = self._waiting.popleft()
            if spoke.removed:
                continue
            if not self._may_start(spoke):
                self._waiting.append(spoke)
            else:
                self._start(spoke)

    def _may_start(self, spoke: _Spoke) -> bool:
        check = spoke.check
        return (
            spoke.handle is None
            and len(self._running) < self._max_concurrent
            and self._per_host[check.host_group] < check.host_cap
        )

    def _start(self, spoke: _Spoke) -> None:
        spoke.waiting = spoke.stalled = False
        spoke.began = self._clock.monotonic()
        self._running.add(spoke)
        self._per_host[spoke.check.host_group] += 1
        due, kind = datetime.fromtimestamp(spoke.due, UTC), spoke.kind
        delay_s = max(0.0, self._clock.now().timestamp() - spoke.due)

        def done(result: ProbeResult) -> None:
            if spoke in self._running:
                stalled = spoke.stalled or self._clock.monotonic() - self._last_tick > STALL_S
                self._release(spoke, cancel=False)
                self._hand_on(spoke, _excused(result) if stalled else result, kind, delay_s)

        handle = spoke.probe.start(due, done)
        if spoke in self._running:
            spoke.handle = handle

    def _release(self, spoke: _Spoke, *, cancel: bool = True) -> None:
        handle, spoke.handle = spoke.handle, None
        if spoke in self._running:
            self._running.remove(spoke)
            group = spoke.check.host_group
            self._per_host[group] -= 1
            if not self._per_host[group]:
                del self._per_host[group]
        if cancel and handle is not None:
            handle.cancel()

    def _remove(self, key: str) -> None:
        spoke = self._spokes.pop(key)
        spoke.removed = True
        self._release(spoke)

    def _hand_on(self, spoke: _Spoke, result: ProbeResult, kind: SampleKind, delay_s: float) -> None:
        if result.reason is Reason.AGENT_STALLED:
            self.recheck(spoke.check.key, self._clock.now())
        self._finished(Finished(spoke.check, result, kind, delay_s))

    def _cut_overdue(self, now: float) -> None:
        for spoke in [s for s in self._running if now - s.began > s.check.options.timeout_s + CUT_AFTER_S]:
            self._release(spoke)
            text = f"the probe did not end by itself {CUT_AFTER_S:g} s after its deadline and was cut"
            self._hand_on(spoke, self._ours(spoke, spoke.due, Reason.AGENT_ERROR, text), spoke.kind, 0.0)

    def _miss(self, spoke: _Spoke, due: float, slots: int, why: str) -> None:
        for _ in range(slots):
            self._telemetry.slot_missed(spoke.check.key)
        text = f"{slots} slot(s) not probed: {why}"
        result = self._ours(spoke, due, Reason.SLOT_MISSED, text)
        self._finished(Finished(spoke.check, result, SampleKind.MISSED, 0.0))

    def _ours(self, spoke: _Spoke, due: float, reason: Reason, text: str) -> ProbeResult:
        scheduled_at = datetime.fromtimestamp(due, UTC)
        now = self._clock.now()
        return ProbeResult(spoke.check.key, scheduled_at, now, 0.0, Status.UNKNOWN, reason, detail=text)

    def _note_stall(self, lag_s: float) -> None:
        self._telemetry.count("stalls_total")
        self._telemetry.count("stalled_seconds_total", lag_s)
        for spoke in self._running:
            spoke.stalled = True
            spoke.began += lag_s  # else it were cut before it can tell what came of it

    def _note_clock_jump(self) -> None:
        """Puts every slot where it belongs on the new time.

        A clock set back must not stop the watch until it is where it was, and one set forward must not fire the
        slots of hours that never were. Re-checks keep their distance.
        """
        jump_s = self._offset() - self._clock_offset
        self._clock_offset += jump_s
        self._telemetry.count("clock_jumps_total")
        wall = self._clock.now().timestamp()
        rechecks = [entry for entry in self._heap if entry[2] is SampleKind.RECHECK]
        self._heap = [(due + jump_s, number, kind, spoke) for due, number, kind, spoke in rechecks]
        heapq.heapify(self._heap)
        for spoke in self._spokes.values():
            self._push(spoke, next_slot(wall, spoke.phase_s, spoke.check.interval_s), SampleKind.SLOT)


def _excused(result: ProbeResult) -> ProbeResult:
    """A failure seen while the agent stood still says nothing of the site; a success still does."""
    if result.status is Status.UP or result.status is Status.UNKNOWN:
        return result
    text = f"the agent stood still while it probed; it had seen: {result.reason} {result.detail}"
    return replace(result, status=Status.UNKNOWN, reason=Reason.AGENT_STALLED, detail=text)
