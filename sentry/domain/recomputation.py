"""The minutes of a check told anew from its raw evidence, to be held against the ledger. Pure.

Where every probe is kept, the same steps are taken over the same results. A sealed day keeps the worst probe of each
minute: with the confirmed outages beside it that decides nearly every minute; where it leaves more than one state
possible, all of them are told. Either way failures that a fault of the agent's own voids say nothing.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sentry.domain.health import Health, HealthState, Outage, step
from sentry.domain.ledger import MinuteState
from sentry.domain.ledger_tail import SEVERITY
from sentry.domain.month import minute_of
from sentry.domain.own_fault import OwnFault, excused
from sentry.domain.result import ProbeResult, Status
from sentry.domain.site import Check

Possible = frozenset[MinuteState]
"""The states that a minute may have had by its evidence."""

UNKNOWN: Possible = frozenset({MinuteState.UNKNOWN})
ONE_MINUTE = timedelta(minutes=1)

_DOWN, _UP, _DEGRADED = (frozenset({state}) for state in (MinuteState.DOWN, MinuteState.UP, MinuteState.DEGRADED))
_ANSWERED = _UP | _DEGRADED
_STATE = {Status.UP: MinuteState.UP, Status.DEGRADED: MinuteState.DEGRADED, Status.DOWN: MinuteState.DOWN}


def health_at(check_key: str, outages: Iterable[Outage], at: datetime) -> Health:
    """Returns what was believed of a check at an instant, as far as its outages tell."""
    for outage in outages:
        if outage.started_at < at and (outage.ended_at is None or outage.ended_at >= at):
            return Health(check_key, HealthState.DOWN, since=outage.started_at, outage=replace(outage, ended_at=None))
    return Health(check_key)


def from_results(
    results: Iterable[ProbeResult],
    check: Check,
    health: Health,
    *,
    faults: Sequence[OwnFault] = (),
    starts: Sequence[datetime] = (),
) -> Mapping[int, Possible]:
    """Takes every step again; a minute that is not in the answer is unknown.

    Args:
        results: every probe of the check, oldest first.
        check: the check, for its interval and its re-checks.
        health: before the first of them.
        faults: the spans of own fault.
        starts: when the agent was started; what a result stood for ended there.
    """
    minutes: dict[int, MinuteState] = {}
    passed = 0
    for result in results:
        reached = bisect_right(starts, result.started_at)
        if reached > passed:
            health, passed = replace(health, covered=None), reached
        changed = step(health, excused(result, faults), check)
        health = changed.health
        for run in changed.minutes:
            for minute in range(run.start, run.end):
                minutes[minute] = max(minutes.get(minute, run.state), run.state, key=SEVERITY.__getitem__)
    return {minute: frozenset({state}) for minute, state in minutes.items()}


def from_worst(
    results: Sequence[ProbeResult],
    check: Check,
    outages: Sequence[Outage],
    *,
    faults: Sequence[OwnFault] = (),
    starts: Sequence[datetime] = (),
) -> Mapping[int, Possible]:
    """Tells what each minute may have been; a minute that is not in the answer is unknown.

    Args:
        results: the worst probe of each minute that had one, oldest first.
        check: the check, for its interval.
        outages: its confirmed ones, oldest first.
        faults: the spans of own fault.
        starts: when the agent was started; what a result stood for ended there.
    """
    told: dict[int, Possible] = {}
    reach = max(1, check.interval_s // 60)
    for place, result in enumerate(results):
        minute = minute_of(result.scheduled_at)
        own = _of_minute(result, minute, check, outages, faults)
        if own == UNKNOWN:
            continue
        told[minute] = own
        following = results[place + 1].scheduled_at if place + 1 < len(results) else None
        end = minute + reach if following is None else min(minute + reach, minute_of(following))
        further = _reached(result, outages, faults)
        if following is None or _restarted(result.scheduled_at, following, starts):
            further |= UNKNOWN  # what a probe stood for is written when the next one comes
        for reached in range(minute + 1, end):
            told[reached] = _within(further, reached, outages)
    return told


def _of_minute(
    result: ProbeResult, minute: int, check: Check, outages: Sequence[Outage], faults: Sequence[OwnFault]
) -> Possible:
    """What the minute of a probe may have been, when that was its worst one."""
    if result.status is Status.UNKNOWN:
        return UNKNOWN
    if excused(result, faults) is not result:
        return UNKNOWN | _ANSWERED | (_DOWN if _is_touched(minute, outages) else frozenset())
    if _is_inside(minute, outages):
        return _DOWN
    if result.status is not Status.DOWN:
        return frozenset({_STATE[result.status]})
    if _is_touched(minute, outages):  # the minute in which an outage ended: a blip may have come in it too
        return _DOWN if check.interval_s >= 60 else _DOWN | _ANSWERED  # noqa: PLR2004  # seconds of a minute
    return _ANSWERED


def _reached(result: ProbeResult, outages: Sequence[Outage], faults: Sequence[OwnFault]) -> Possible:
    """What a minute's probes may stand for until the next one: a re-check may have followed the worst of them."""
    touched = _is_touched(minute_of(result.scheduled_at), outages)
    if result.status is Status.UP:
        return _UP | UNKNOWN if touched else _UP
    if result.status is Status.DEGRADED and not touched:
        return _ANSWERED | UNKNOWN
    return _ANSWERED | UNKNOWN | (_DOWN if touched and excused(result, faults) is result else frozenset())


def _within(possible: Possible, minute: int, outages: Sequence[Outage]) -> Possible:
    """What a minute without a probe may have been: in an outage whatever stands for it is down."""
    return _DOWN | (possible & UNKNOWN) if _is_inside(minute, outages) else possible


def _is_inside(minute: int, outages: Sequence[Outage]) -> bool:
    """Whether an outage began in or before this minute and ended after it."""
    return any(
        minute_of(one.started_at) <= minute and (one.ended_at is None or minute < minute_of(one.ended_at))
        for one in outages
    )


def _is_touched(minute: int, outages: Sequence[Outage]) -> bool:
    """Whether an outage lay in any part of this minute."""
    return any(
        minute_of(one.started_at) <= minute and (one.ended_at is None or minute <= minute_of(one.ended_at))
        for one in outages
    )


def _restarted(since: datetime, until: datetime, starts: Sequence[datetime]) -> bool:
    """Whether the agent was started between two probes, of which a sealed day knows the minute and not the second."""
    return any(since - ONE_MINUTE < start < until + ONE_MINUTE for start in starts)
