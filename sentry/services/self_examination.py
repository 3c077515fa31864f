"""The agent's look at itself: who answers, how the clock and the loop went, and which faults of ours that proves.

It remembers what no single look can show: who ordinarily answers, since when nobody outside has, and which faults
last. A fault begins at the first failure that nobody outside has answered after, and ends with the look that finds
it gone.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

import structlog

from sentry.domain.concern import Concern, ConcernKind, cleared
from sentry.domain.events import Event
from sentry.domain.own_fault import (
    CLOCK_JUMP_S,
    LOOP_LAG_S,
    SITE_NETWORK_BITS,
    Examination,
    FaultCause,
    OwnFault,
    Voice,
    VoiceKind,
    judge,
    network_of,
)
from sentry.domain.result import ProbeResult
from sentry.domain.retelling import BEGINS_WITHIN, REACH_BACK
from sentry.domain.severity import Severity
from sentry.ports import Clock, Surroundings, Telemetry

_log = structlog.get_logger()

LOOK_WITHIN_S = 2.0
"""Anchors get this long: the second attempt of TCP to connect, after one second, is still in it."""

CLOCK_SETTLES_S = 900.0
"""After the clock was set, what depends on it is not believed for so long."""

TICK_S = 0.5
"""How often the loop is timed."""

SILENT_LOOKS = 2
"""A resolver is called dead when it was silent in so many looks in a row: one datagram may be lost."""

TOLD_AFTER: Mapping[FaultCause, int] = {
    FaultCause.NETWORK: 2,
    FaultCause.RESOLVERS: 3,
    FaultCause.CLOCK: 1,
    FaultCause.LOOP: 2,
}
"""Looks in a row that must find a fault before anybody is told: its failures are void at the first."""

SEVERITIES: Mapping[FaultCause, Severity] = {
    FaultCause.NETWORK: Severity.SEV1,
    FaultCause.RESOLVERS: Severity.SEV1,
    FaultCause.CLOCK: Severity.SEV3,
    FaultCause.LOOP: Severity.SEV2,
}

Correct = Callable[[OwnFault | None, list[Event]], None]
"""Takes back what a span voids, and stores it with the events."""


class SelfExamination:
    """Looks, judges, and keeps the faults that last.

    Args:
        surroundings: whom to ask.
        correct: told of each span that begins or ends, and of each event.
        put_last: told which resolvers are dead, so that lookups ask the others first.
        times_loop: whether the probes run in this very loop, so that its standing still excuses them.
        site_count: how many sites are watched now, for the words.

    Attributes:
        looked_at: monotonic time at which the last look began.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        clock: Clock,
        telemetry: Telemetry,
        *,
        correct: Correct,
        put_last: Callable[[frozenset[str]], None] = lambda _: None,
        times_loop: bool = True,
        site_count: Callable[[], int] = lambda: 0,
    ) -> None:
        self._surroundings = surroundings
        self._clock = clock
        self._telemetry = telemetry
        self._correct = correct
        self._put_last = put_last
        self._times_loop = times_loop
        self._site_count = site_count
        self.looked_at = clock.monotonic()
        self._offset = clock.now().timestamp() - self.looked_at
        self._jump_s, self._jumped_at = 0.0, -CLOCK_SETTLES_S
        self._lag_s, self._stalled_at = 0.0, clock.now()
        self._heard: set[str] = set()
        self._mute: set[str] = set()
        self._distrusted: set[str] = set()
        self._silent: dict[str, int] = {}
        self._known_alive: set[str] = set()
        self._known_well_at: datetime | None = None
        self._failing: dict[str, None] = {}
        self._first_failed_at: datetime | None = None
        self._proved = False
        self._standing: dict[FaultCause, tuple[OwnFault, int]] = {}
        self._ended: deque[OwnFault] = deque()

    # ── what comes in between two looks ──────────────────────────────────────────────────────────────────────

    def answered(self, result: ProbeResult) -> None:
        """Takes note of a site that has answered; of one outside it is a proof. Called for every good result."""
        if _network(result.evidence.address) is not None:
            self._proved = True
            if self._first_failed_at is not None:
                self._well_at(result.started_at + timedelta(seconds=result.duration_s))

    def failed(self, result: ProbeResult) -> None:
        """Takes note of a failure that a fault of ours may have brought about."""
        self._note_clock()
        network = _network(result.evidence.address)
        if network is not None:
            self._failing[network] = None
        known_at = result.started_at + timedelta(seconds=result.duration_s)
        if self._known_well_at is None or known_at > self._known_well_at:
            at = max(result.scheduled_at, self._known_well_at or result.scheduled_at)
            self._first_failed_at = min(self._first_failed_at or at, at)

    def tick(self, late_s: float) -> bool:
        """Takes note of how late the loop came; returns whether that is worth a look."""
        if self._times_loop and late_s > self._lag_s:
            self._lag_s, self._stalled_at = late_s, self._clock.now() - timedelta(seconds=late_s)
        return self._lag_s >= LOOP_LAG_S

    @property
    def faults(self) -> list[OwnFault]:
        """The faults that last, and those that ended not long ago."""
        oldest = self._clock.now() - REACH_BACK
        while self._ended and self._ended[0].ended_at is not None and self._ended[0].ended_at < oldest:
            self._ended.popleft()
        return [*(fault for fault, _ in self._standing.values()), *self._ended]

    @property
    def in_doubt(self) -> bool:
        """Whether a fault lasts, or a resolver has just fallen silent, so that the next look should come soon."""
        return bool(self._standing) or any(looks < SILENT_LOOKS for looks in self._silent.values())

    # ── the look ─────────────────────────────────────────────────────────────────────────────────────────────

    async def look(self) -> Examination | None:
        """Looks once and draws the conclusions.

        Returns:
            What was seen, None where the look itself failed: then nothing is known that was not before.
        """
        began_at, self.looked_at = self._clock.now(), self._clock.monotonic()
        proved_before, self._proved = self._proved, False
        try:
            voices = await self._surroundings.ask(LOOK_WITHIN_S)
        except Exception:  # noqa: BLE001  # whatever it was, it is ours, and it must not hold the failures up
            self._telemetry.count("self_examinations_total", verdict="failed")
            return None
        self._note_clock()
        self._weigh(voices, proved_before=proved_before)
        seen = Examination(
            began_at=began_at,
            ended_at=self._clock.now(),
            voices=tuple(voices),
            usual=self._usual(voices),
            proved=self._proved,
            failing_networks=len(self._failing),
            known_silent=frozenset(self._silent),
            clock_jump_s=self._jump_s if self.looked_at - self._jumped_at < CLOCK_SETTLES_S else 0.0,
            lag_s=self._lag_s,
        )
        self._conclude(seen, judge(seen))
        return seen

    def _weigh(self, voices: Sequence[Voice], *, proved_before: bool) -> None:
        """Takes the vote from who is silent look after look while sites outside answer: its silence says nothing."""
        silent = {voice.name for voice in voices if not voice.answers}
        if proved_before:
            self._distrusted |= silent & self._mute
        self._distrusted &= silent
        self._mute = silent
        self._heard.update(voice.name for voice in voices if voice.answers)

    def _usual(self, voices: Sequence[Voice]) -> frozenset[str]:
        """Who can be missed: what a person has configured until it is distrusted, the gateway once it was heard."""
        return frozenset(
            voice.name
            for voice in voices
            if voice.name not in self._distrusted
            and (voice.kind is not VoiceKind.GATEWAY or voice.name in self._heard)
        )

    def _note_clock(self) -> None:
        offset = self._clock.now().timestamp() - self._clock.monotonic()
        if abs(offset - self._offset) >= CLOCK_JUMP_S:
            self._jump_s, self._jumped_at = offset - self._offset, self._clock.monotonic()
            self._offset = offset
            self._known_well_at = None  # as the clock told it then

    def _conclude(self, seen: Examination, causes: frozenset[FaultCause]) -> None:
        self._telemetry.count("self_examinations_total", verdict="ours" if causes else "not_ours")
        self._telemetry.gauge("self_network_up", FaultCause.NETWORK not in causes)
        for cause in FaultCause:
            if cause in causes:
                self._found(cause, seen)
            elif cause in self._standing:
                self._gone(cause, seen)
        self._note_resolvers(seen)
        self._lag_s = 0.0
        if seen.outside_answers:
            self._well_at(seen.began_at)

    def _well_at(self, at: datetime) -> None:
        self._known_well_at, self._first_failed_at = at, None
        self._failing.clear()

    def _found(self, cause: FaultCause, seen: Examination) -> None:
        standing = self._standing.get(cause)
        looks = 1 if standing is None else standing[1] + 1
        fault = standing[0] if standing else OwnFault(cause, self._begin(cause, seen), None, seen.lines())
        self._standing[cause] = fault, looks
        events = [self._concern(fault).raised(seen.ended_at)] if looks == TOLD_AFTER[cause] else []
        if standing is None:
            _log.warning("a fault of the agent itself: failures accuse nobody", cause=cause, seen=seen.lines())
        if standing is None or events:
            self._correct(fault, events)

    def _gone(self, cause: FaultCause, seen: Examination) -> None:
        fault, looks = self._standing.pop(cause)
        fault = replace(fault, ended_at=max(seen.began_at, fault.began_at))
        self._ended.append(fault)
        _log.info("the agent is well again", cause=cause, since=fault.began_at.isoformat())
        told = looks >= TOLD_AFTER[cause]
        self._correct(fault, [cleared(key_of(cause), seen.ended_at, seen.began_at)] if told else [])

    def _begin(self, cause: FaultCause, seen: Examination) -> datetime:
        first = self._stalled_at if cause is FaultCause.LOOP else self._first_failed_at
        return max(min(first or seen.began_at, seen.began_at), seen.began_at - BEGINS_WITHIN)

    def _concern(self, fault: OwnFault) -> Concern:
        facts = {
            "causes": [fault.cause.value],
            "since": fault.began_at.isoformat(),
            "sites": self._site_count(),
            "evidence": list(fault.evidence),
        }
        severity = SEVERITIES[fault.cause]
        return Concern(key_of(fault.cause), ConcernKind.OWN_FAULT, severity, fault.began_at, facts=facts)

    # ── resolvers ────────────────────────────────────────────────────────────────────────────────────────────

    def _note_resolvers(self, seen: Examination) -> None:
        """One dead resolver of several is no fault that anybody outside feels, but somebody should mend it."""
        voices = [voice for voice in seen.voices if voice.kind is VoiceKind.RESOLVER]
        alive = any(voice.answers for voice in voices)
        before = self._silent.keys()
        self._silent = {one.name: self._silent.get(one.name, 0) + 1 for one in voices if not one.answers}
        if self._silent.keys() != before:
            self._put_last(frozenset(self._silent) if alive else frozenset())
        events: list[Event] = []
        for voice in voices:
            if voice.answers and voice.name not in self._known_alive:
                # Also at its first answer: what was told before a restart is still open.
                self._known_alive.add(voice.name)
                events.append(cleared(f"resolver:{voice.name}", seen.ended_at, seen.began_at))
            elif alive and self._silent.get(voice.name) == SILENT_LOOKS:
                self._known_alive.discard(voice.name)
                events.append(_resolver_concern(voice, seen.began_at).raised(seen.ended_at))
        if events:
            self._correct(None, events)


def key_of(cause: FaultCause) -> str:
    """Returns the key of the concern about a fault of ours."""
    return f"{ConcernKind.OWN_FAULT}:{cause}"


def _resolver_concern(voice: Voice, at: datetime) -> Concern:
    facts = {"resolver": voice.name, "error": voice.detail}
    return Concern(f"resolver:{voice.name}", ConcernKind.RESOLVER, Severity.SEV3, at, facts=facts)


@lru_cache(maxsize=20_000)
def _network(address: str | None) -> str | None:
    return network_of(address, SITE_NETWORK_BITS)
