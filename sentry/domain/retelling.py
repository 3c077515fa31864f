"""Tells the story of a check again, once it is known that some of its failures were the agent's own.

The same steps over the same results, with the voided ones as `unknown`: so what the ledger holds afterwards is what
a recomputation from the raw samples and the spans of own fault gives.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sentry.domain.events import Event, EventKind
from sentry.domain.health import Health, HealthState, Outage, step
from sentry.domain.ledger import MinuteState, Run
from sentry.domain.ledger_tail import SEVERITY
from sentry.domain.own_fault import EXPLAINABLE, OwnFault, excused
from sentry.domain.result import Evidence, ProbeResult, Status
from sentry.domain.site import Check

BEGINS_WITHIN = timedelta(minutes=4)
"""A fault of ours begins at most so long before it is found: none goes unnoticed for longer."""

REACH_BACK = BEGINS_WITHIN + timedelta(minutes=1)
"""How far back results are kept to be told again: also those that were under way when the fault began."""

_TOLD = frozenset({EventKind.OUTAGE_CONFIRMED, EventKind.OUTAGE_ENDED})


@dataclass(frozen=True, slots=True)
class Trail:
    """The newest results of a check that fails, and what was known before the first of them.

    Attributes:
        steps: the health before each result, and the result as it counted without its evidence, oldest first.
    """

    steps: tuple[tuple[Health, ProbeResult], ...] = ()

    def followed(self, health: Health, result: ProbeResult) -> "Trail | None":
        """Returns the trail with one more result; what is older than `REACH_BACK` is left behind.

        Returns:
            None once no failure is left that a fault of ours might have brought about.
        """
        oldest = result.scheduled_at - REACH_BACK
        kept = [one for one in self.steps if one[1].scheduled_at >= oldest]
        kept.append((health, replace(result, evidence=Evidence(result.evidence.address))))
        while kept and not _is_explainable(kept[0][1]):
            kept.pop(0)
        return Trail(tuple(kept)) if kept else None


def _is_explainable(result: ProbeResult) -> bool:
    return result.status is Status.DOWN and result.reason in EXPLAINABLE


@dataclass(frozen=True, slots=True)
class Retold:
    """What stands differently now.

    Attributes:
        minutes: as they are now; `unknown` takes a minute out of the ledger.
        withdrawn: an outage that was none; outage: one that is there instead, or has another beginning.
        is_taken_back: whether what was suspected or confirmed is so no more, and nothing else in its place.
        events: what would have been told by now, and was not.
    """

    health: Health
    trail: Trail
    minutes: tuple[Run, ...]
    withdrawn: Outage | None = None
    outage: Outage | None = None
    is_taken_back: bool = False
    events: tuple[Event, ...] = ()


def retell(health: Health, trail: Trail, check: Check, faults: Sequence[OwnFault]) -> Retold | None:
    """Returns what changes when the failures that faults of ours voided are taken back; None where nothing does.

    Args:
        health: what is believed now.
        trail: how it came to that.
        check: the check, for its interval and its re-checks.
        faults: the spans that are known.
    """
    before = [result for _, result in trail.steps]
    after = [excused(result, faults) for result in before]
    if before == after:
        return None
    first = trail.steps[0][0]
    told, retold = _told(first, before, check), _told(first, after, check)
    outage = retold.outages[-1] if retold.outages else None
    withdrawn = [one for one in told.outages if one.started_at not in {other.started_at for other in retold.outages}]
    was_suspected = health.state is HealthState.SUSPECT and retold.health.state is not HealthState.SUSPECT
    return Retold(
        health=replace(retold.health, last_good=health.last_good, failure=_with_evidence(retold.health, health)),
        trail=Trail(tuple(zip(retold.before, after, strict=True))),
        minutes=_differences(told.minutes, retold.minutes),
        withdrawn=withdrawn[-1] if withdrawn else None,
        outage=outage,
        is_taken_back=retold.health.outage is None and (bool(withdrawn) or was_suspected),
        events=tuple(event for event in retold.events if event not in told.events),
    )


def _with_evidence(retold: Health, told: Health) -> ProbeResult | None:
    """The failure that began what stands; with its evidence, which trails do not keep, where it is still the same."""
    first, before = retold.failure, told.failure
    return before if first and before and first.scheduled_at == before.scheduled_at else first


@dataclass(frozen=True, slots=True)
class _Story:
    """Every step of a trail: what was known before each, and what came of all."""

    before: tuple[Health, ...]
    health: Health
    minutes: Mapping[int, MinuteState]
    outages: tuple[Outage, ...]
    events: tuple[Event, ...]


def _told(health: Health, results: Iterable[ProbeResult], check: Check) -> _Story:
    before: list[Health] = []
    outages: dict[object, Outage] = {}
    minutes: dict[int, MinuteState] = {}
    events: list[Event] = []
    if health.covered is not None:  # the minute in which the trail begins may be another result's too
        minutes[health.covered.start] = health.covered.state
    for result in results:
        before.append(health)
        changed = step(health, result, check)
        health = changed.health
        if changed.outage is not None:
            outages[changed.outage.started_at] = changed.outage
        events += [event for event in changed.events if event.kind in _TOLD]
        for run in changed.minutes:
            for minute in range(run.start, run.end):
                minutes[minute] = max(minutes.get(minute, run.state), run.state, key=SEVERITY.__getitem__)
    return _Story(tuple(before), health, minutes, tuple(outages.values()), tuple(events))


def _differences(told: Mapping[int, MinuteState], retold: Mapping[int, MinuteState]) -> tuple[Run, ...]:
    found = []
    for minute in sorted(told.keys() | retold.keys()):
        state = retold.get(minute, MinuteState.UNKNOWN)
        if state is not told.get(minute, MinuteState.UNKNOWN):
            found.append(Run(minute, minute + 1, state))
    return tuple(found)
