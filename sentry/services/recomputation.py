"""A site's month recomputed from the raw evidence and held against the ledger, minute by minute."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sentry.domain.health import Outage
from sentry.domain.ledger import MinuteState, Run, clip
from sentry.domain.ledger_tail import SEVERITY, corrected
from sentry.domain.month import Month, minute_of, month_of
from sentry.domain.own_fault import OwnFault
from sentry.domain.recomputation import UNKNOWN, Possible, from_results, from_worst, health_at
from sentry.domain.result import ProbeResult, Reason, Status
from sentry.domain.site import Check
from sentry.domain.watched_site import WatchedSite
from sentry.ports import Clock, LedgerReader, Sample, SiteHistory
from sentry.services.reckoning import SiteMonth, lag_minutes, reckon, reckoned_from

MINUTES_PER_DAY = 1440
LEAD_MINUTES = 1440
"""How much earlier than a month its raw samples are read: what is believed has long settled by then."""

SAMPLES_PER_DAY = 200_000
"""A probe a second and its re-checks."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A minute of a check that the ledger has otherwise than its evidence.

    Attributes:
        possible: the states that the evidence leaves possible, the worst first.
    """

    check_key: str
    minute: int
    stored: MinuteState
    possible: tuple[MinuteState, ...]


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What came of it.

    Attributes:
        stored: the month by the ledger; told: the same with every difference as the evidence has it.
        differences: in order of check and time; none where the evidence gives the same figures to the minute.
        compared: minutes of checks that were held against their evidence.
        without_evidence: minutes of checks of before any evidence is kept.
        unconfigured: checks of the site that are no longer configured: by which rules they were watched is not known.
    """

    stored: SiteMonth
    told: SiteMonth
    differences: tuple[Difference, ...]
    compared: int
    without_evidence: int
    unconfigured: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What holds for every check of the site in the span."""

    raw_from: int
    faults: Sequence[OwnFault]
    starts: Sequence[datetime]
    outages: Mapping[str, Sequence[Outage]]


class Recomputation:
    """Recomputes months; writes nothing.

    Args:
        ledger: what the watch wrote: samples, outages, own faults, and the minutes that it made of them.
        kept_days: for how long samples are kept.
    """

    def __init__(self, ledger: LedgerReader, clock: Clock, *, kept_days: int) -> None:
        self._ledger = ledger
        self._clock = clock
        self._kept_days = kept_days

    async def of_month(
        self,
        site: WatchedSite,
        checks: Iterable[Check],
        month: Month | None = None,
        unknown_spans: Sequence[OwnFault] | None = None,
    ) -> Recomputed:
        """Recomputes a month of a site.

        Args:
            site: the site.
            checks: its checks as configured now: intervals and re-checks are taken to have been the same then.
            month: the running one when absent.
            unknown_spans: own faults that void failed samples; those that were recorded when absent.
        """
        now = minute_of(self._clock.now())
        month = month or month_of(now, site.zone)
        start, end = month.minutes(site.zone)
        history = (await self._ledger.histories([site.key], reckoned_from(site, month, now), end))[site.key]
        stored = reckon(site, month, history, now)
        until = min(end, max((runs[-1].end for runs in history.runs.values() if runs), default=start))
        kept_from = max(start, now - self._kept_days * MINUTES_PER_DAY + MINUTES_PER_DAY)
        evidence = await self._evidence(site, kept_from - LEAD_MINUTES, until, unknown_spans)
        configured = {check.key: check for check in checks}
        found: list[Difference] = []
        for key in sorted(configured.keys() & (history.runs.keys() | history.first_seen.keys())):
            told = await self._told(configured[key], kept_from, until, evidence)
            differing = _differences(key, history.runs.get(key, ()), told, kept_from, until)
            # What is not in the ledger yet may have been written since it was read.
            written = now - lag_minutes(site)
            found += [one for one in differing if one.minute < written or one.stored is not MinuteState.UNKNOWN]
        unconfigured = tuple(sorted(key for key, runs in history.runs.items() if runs and key not in configured))
        return Recomputed(
            stored=stored,
            told=reckon(site, month, _mended(history, found), now) if found else stored,
            differences=tuple(found),
            compared=len(configured) * max(0, until - kept_from),
            without_evidence=len(configured) * max(0, min(kept_from, until) - start),
            unconfigured=unconfigured,
        )

    async def _evidence(
        self, site: WatchedSite, start: int, end: int, unknown_spans: Sequence[OwnFault] | None
    ) -> _Evidence:
        first, last = _instant(start), _instant(end)
        outages: dict[str, list[Outage]] = {}
        for outage in await self._ledger.outages(site.key, first, last):
            outages.setdefault(outage.check_key, []).append(outage)
        return _Evidence(
            raw_from=await self._ledger.raw_from(),
            faults=await self._ledger.own_faults(first, last) if unknown_spans is None else unknown_spans,
            starts=await self._ledger.starts(first, last),
            outages=outages,
        )

    async def _told(self, check: Check, start: int, end: int, evidence: _Evidence) -> Mapping[int, Possible]:
        """What the evidence says of a check's minutes: of sealed days the worst probes, then every probe."""
        outages = evidence.outages.get(check.key, ())
        split = min(max(start, evidence.raw_from), end)
        reach = -(-check.interval_s // 60)
        worst = [one async for one in self._results(check.key, start - reach, split)]
        told = dict(
            from_worst(worst, check, outages, faults=evidence.faults, starts=evidence.starts) if worst else {}
        )
        begin = max(evidence.raw_from, start - LEAD_MINUTES)
        if begin < end:
            health = health_at(check.key, outages, _instant(begin))
            # To now, not to the end: a turn at the end is decided by what came after it.
            raw = [one async for one in self._results(check.key, begin, minute_of(self._clock.now()) + 1)]
            steps = from_results(raw, check, health, faults=evidence.faults, starts=evidence.starts)
            told |= {minute: states for minute, states in steps.items() if minute >= split or minute not in told}
        return told

    async def _results(self, check_key: str, start: int, end: int) -> AsyncIterator[ProbeResult]:
        """Yields the probes of the minutes [start, end), oldest first, a day at a time."""
        for begin in range(start, end, MINUTES_PER_DAY):
            until = min(begin + MINUTES_PER_DAY, end)
            for sample in await self._ledger.samples(check_key, _instant(begin), _instant(until), SAMPLES_PER_DAY):
                yield _result(sample)


def _result(sample: Sample) -> ProbeResult:
    """Returns the part of a result that minutes are made of."""
    return ProbeResult(
        check_key=sample.check_key,
        scheduled_at=sample.scheduled_at,
        started_at=sample.scheduled_at,
        duration_s=sample.duration_s,
        status=Status(sample.status),
        reason=Reason(sample.reason) if sample.reason is not None else None,
    )


def _differences(
    check_key: str, runs: Sequence[Run], told: Mapping[int, Possible], start: int, end: int
) -> Iterator[Difference]:
    stored = {minute: run.state for run in clip(runs, start, end) for minute in range(run.start, run.end)}
    for minute in sorted(stored.keys() | {minute for minute in told if start <= minute < end}):
        state, possible = stored.get(minute, MinuteState.UNKNOWN), told.get(minute, UNKNOWN)
        if state not in possible:
            ordered = sorted(possible, key=SEVERITY.__getitem__, reverse=True)
            yield Difference(check_key, minute, state, tuple(ordered))


def _mended(history: SiteHistory, differences: Iterable[Difference]) -> SiteHistory:
    """The history with each difference as the evidence has it; the worst, where it leaves several states possible."""
    minutes: dict[str, list[Run]] = {}
    for one in differences:
        minutes.setdefault(one.check_key, []).append(Run(one.minute, one.minute + 1, one.possible[0]))
    runs = {key: list(corrected(own, minutes.get(key, ()))) for key, own in history.runs.items()}
    return replace(history, runs=runs)


def _instant(minute: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
