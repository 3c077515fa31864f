"""The hearing: a failure that the agent itself may have caused waits until the agent has looked at itself.

One look hears all failures that were known when it began; what fails meanwhile is heard by the next. So whatever the
agent sees, it sees after the failure, and a dead server with eighty sites costs a look and not eighty. Good results
pass at once.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address

from sentry.domain.concern import cleared
from sentry.domain.own_fault import EXPLAINABLE, Examination, OwnFault, excused
from sentry.domain.result import ProbeResult, Reason, Status
from sentry.ports import Clock, SampleKind, Timer
from sentry.services.self_examination import TICK_S, Correct, SelfExamination, key_of

SPACING_S = 1.0
"""Least time from the beginning of a look to that of the next."""

DOUBT_S = 2.0
"""From look to look while a fault of ours lasts: its end is found so soon."""

HOLD_S = 5.0
"""The longest that a failure waits; then it counts, and says that nobody looked."""

Take = Callable[[ProbeResult, SampleKind, float], None]


@dataclass(slots=True, eq=False)
class Waiting:
    """A result that waits, for a look or behind one that does; `since`: monotonic time."""

    result: ProbeResult
    kind: SampleKind
    delay_s: float
    since: float


class Hearing:
    """Stands between the probes and the watch.

    Args:
        examination: the look.
        take: where results go on, as they count.
        correct: told of spans that a former run left open.
        every_s: from look to look where nothing fails, seconds: so it is known who ordinarily answers.
    """

    def __init__(
        self, examination: SelfExamination, clock: Clock, *, take: Take, correct: Correct, every_s: float
    ) -> None:
        self._examination = examination
        self._clock = clock
        self._take = take
        self._correct = correct
        self._every_s = every_s
        self._held: dict[str, deque[Waiting]] = {}
        self._asked = asyncio.Event()
        self._overdue: Timer | None = None

    def take(self, result: ProbeResult, kind: SampleKind, delay_s: float) -> None:
        """Takes a result; what need not wait goes on at once, behind what waits of the same check."""
        if result.status is Status.UP:
            self._examination.answered(result)
            if not self._held or result.check_key not in self._held:
                self._take(result, kind, delay_s)
                return
        elif _may_be_ours(result):
            self._examination.failed(result)
            self._asked.set()
        elif result.reason is Reason.AGENT_NETWORK:
            self._asked.set()
        elif result.status is not Status.UNKNOWN:
            self._examination.answered(result)
        if result.check_key not in self._held and not _may_be_ours(result):
            self._take(excused(result, self._examination.faults), kind, delay_s)
            return
        self._hold(Waiting(result, kind, delay_s, self._clock.monotonic()))

    def _hold(self, waiting: Waiting) -> None:
        self._held.setdefault(waiting.result.check_key, deque()).append(waiting)
        if self._overdue is None:
            self._overdue = self._clock.call_later(HOLD_S, self._let_go)

    # ── the looks ────────────────────────────────────────────────────────────────────────────────────────────

    def resume(self, faults: Sequence[OwnFault]) -> None:
        """Ends the spans that a former run left open: nobody has watched since, and what lasts is found anew."""
        now = self._clock.now()
        for fault in faults:
            if fault.ended_at is None:
                ended = replace(fault, ended_at=max(now, fault.began_at))
                self._correct(ended, [cleared(key_of(fault.cause), now, now)])

    async def run(self) -> None:
        """Looks whenever something fails, and now and then, until it is cancelled."""
        timing = asyncio.create_task(self._time_loop(), name="hearing:loop")
        try:
            while True:
                await self._look()
                await self._until_asked()
        finally:
            timing.cancel()

    async def _until_asked(self) -> None:
        pause_s = DOUBT_S if self._examination.in_doubt else self._every_s
        timer = self._clock.call_later(pause_s, self._asked.set)
        await self._asked.wait()
        timer.cancel()
        spacing_s = self._examination.looked_at + SPACING_S - self._clock.monotonic()
        if spacing_s > 0:
            await self._clock.sleep(spacing_s)

    async def _look(self) -> None:
        self._asked.clear()
        heard = {waiting for queue in self._held.values() for waiting in queue}
        seen = await self._examination.look()
        lines = _lines(seen)
        for key in {waiting.result.check_key for waiting in heard}:
            self._release(key, heard, lines)

    async def _time_loop(self) -> None:
        while True:
            due = self._clock.monotonic() + TICK_S
            await self._clock.sleep(TICK_S)
            if self._examination.tick(self._clock.monotonic() - due):
                self._asked.set()

    # ── what goes on ─────────────────────────────────────────────────────────────────────────────────────────

    def _release(self, check_key: str, heard: set[Waiting], lines: Sequence[str]) -> None:
        """Lets a check's results go on in their order, up to the first that has not been heard."""
        queue = self._held.get(check_key, deque())
        while queue and (queue[0] in heard or not _may_be_ours(queue[0].result)):
            self._pass(queue.popleft(), lines)
        if not queue:
            self._held.pop(check_key, None)

    def _pass(self, waiting: Waiting, lines: Sequence[str]) -> None:
        result = waiting.result
        if _may_be_ours(result):
            result = replace(result, evidence=replace(result.evidence, log=(*result.evidence.log, *lines)))
        self._take(excused(result, self._examination.faults), waiting.kind, waiting.delay_s)

    def _let_go(self) -> None:
        """Lets what has waited too long count: a look that hangs must not hide an outage."""
        self._overdue = None
        now = self._clock.monotonic()
        every = [waiting for queue in self._held.values() for waiting in queue]
        late = {waiting for waiting in every if now - waiting.since >= HOLD_S}
        for key in {waiting.result.check_key for waiting in late}:
            self._release(key, late, _lines(None))
        if self._held:
            oldest = min(waiting.since for queue in self._held.values() for waiting in queue)
            self._overdue = self._clock.call_later(max(0.0, oldest + HOLD_S - now), self._let_go)

    def close(self) -> None:
        """Lets everything that waits go on, as the agent stops."""
        everything = {waiting for queue in self._held.values() for waiting in queue}
        for key in list(self._held):
            self._release(key, everything, _lines(None))
        if self._overdue is not None:
            self._overdue.cancel()


def _lines(seen: Examination | None) -> tuple[str, ...]:
    if seen is None:
        return ("the agent could not look at itself after this failure; it counts as it was seen",)
    return ("the agent looked at itself after this failure:", *(f"  {line}" for line in seen.lines()))


def _may_be_ours(result: ProbeResult) -> bool:
    """Whether a fault of ours may have brought a failure about; on this very machine no network is between."""
    return result.status is Status.DOWN and result.reason in EXPLAINABLE and not _is_here(result.evidence.address)


def _is_here(address: str | None) -> bool:
    if address is None or not address.startswith(("127.", "[::1]", "::1")):
        return False
    try:
        return ip_address(address.rpartition(":")[0].strip("[]") or address).is_loopback
    except ValueError:
        return False
