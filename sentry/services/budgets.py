"""Budgets: what each site has spent of its month, why, and who must be told."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sentry.domain.budget import BURN_WINDOWS, Budget, budget_of, burn_rate
from sentry.domain.counting import CountedInterval, counted_intervals
from sentry.domain.ledger import CheckRuns, Explained, MinuteState, Run, clip, merge_explained, overlay
from sentry.domain.month import Month, day_start, minute_of, month_of
from sentry.domain.watched_site import WatchedSite
from sentry.ports import BudgetWording, Clock, LedgerReader, Telemetry, TicketNote, TicketStore

SETTLE_MINUTES = 2
"""A minute may be written this much (and a check's interval) late: it waits for the re-checks of its failure."""

RUNS_ON_THE_LOOP = 2_000
"""A month of more runs than this (a site that flaps every few minutes) is reckoned beside the event loop: 45,000 of
them take half a second."""

RECHECK_PREVIOUS_FOR = timedelta(hours=6)
"""For so long after a month's end its thresholds are looked at once more, for minutes that were written late."""


@dataclass(frozen=True, slots=True)
class SiteMonth:
    """The ledger and the budget of one site in one month.

    Attributes:
        runs: what the minutes [start of the month, until) were; they tile the span, maintenance laid over.
        explained: the same minutes before maintenance, with the checks that decided them.
        layers: the checks that counted.
    """

    site: WatchedSite
    month: Month
    budget: Budget
    runs: tuple[Run, ...]
    explained: tuple[Explained, ...]
    layers: tuple[CheckRuns, ...]


class Budgets:
    """Reckons budgets from the ledger; writes nothing."""

    def __init__(self, ledger: LedgerReader, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def month_now(self, site: WatchedSite) -> Month:
        """Returns the month that runs at a site now."""
        return month_of(minute_of(self._clock.now()), site.zone)

    async def of_month(self, site: WatchedSite, month: Month | None = None) -> SiteMonth:
        """Reckons the budget of a site.

        Args:
            site: the site.
            month: a calendar month in the site's zone; the running one when absent.
        """
        month = month or self.month_now(site)
        start, end = month.minutes(site.zone)
        seen = await self._ledger.first_seen(site.key)
        runs = await self._runs(site, start, end)
        now = minute_of(self._clock.now())
        if sum(len(own) for own in runs.values()) > RUNS_ON_THE_LOOP:
            return await asyncio.to_thread(_reckon, site, month, runs, seen, now)
        return _reckon(site, month, runs, seen, now)

    async def _runs(self, site: WatchedSite, start: int, end: int) -> Mapping[str, Sequence[Run]]:
        """Reads the runs of the checks that may have a say: not those that had none when they were removed."""
        configured = {check.key for check in site.checks}
        silent = set(await self._ledger.uncounted(site.key)) - configured
        runs = await self._ledger.runs(site.key, start, end)
        return {key: own for key, own in runs.items() if key not in silent}

    async def explain(self, site: WatchedSite, month: Month | None = None) -> Sequence[CountedInterval]:
        """Returns every interval of the month with how it counted, by which rule, and which checks decided it."""
        reckoned = await self.of_month(site, month)
        start, _ = reckoned.month.minutes(site.zone)
        return counted_intervals(reckoned.explained, reckoned.runs, reckoned.budget, start)

    async def burn_rates(self, site: WatchedSite) -> Mapping[str, float]:
        """Returns the burn rate over each window of `BURN_WINDOWS`; windows may reach into the month before."""
        now = minute_of(self._clock.now())
        begin = now - max(BURN_WINDOWS.values()) - _lag_minutes(site)
        seen = await self._ledger.first_seen(site.key)
        layers = _layers(site, await self._runs(site, begin, now), seen, begin, now)
        explained = merge_explained(layers, begin, now)
        until = _settled(explained, site, begin, now)
        runs = [piece.run for piece in explained]
        return {name: burn_rate(runs, site.target, until, window) for name, window in BURN_WINDOWS.items()}


class BudgetWatch:
    """Looks at every site's budget each few minutes: gauges for machines, one ticket per threshold for people."""

    def __init__(
        self,
        budgets: Budgets,
        *,
        tickets: TicketStore,
        telemetry: Telemetry,
        wording: BudgetWording,
        clock: Clock,
    ) -> None:
        self._budgets = budgets
        self._tickets = tickets
        self._telemetry = telemetry
        self._wording = wording
        self._clock = clock
        self._filed: set[str] = set()

    async def check_thresholds(self, sites: Iterable[WatchedSite]) -> None:
        """Sets the gauges of every site and files a ticket for each threshold that its month has reached.

        A ticket has the key `budget:<site>:<YYYY-MM>:<threshold>`, so that a threshold is filed once however often
        this runs. A site that cannot be reckoned does not stop the others.

        Raises:
            ExceptionGroup: what went wrong, once all sites were tried.
        """
        errors: list[Exception] = []
        for site in sites:
            try:
                await self._look_at(site)
            except Exception as error:  # noqa: BLE001  # one site must not hide the others; all are raised below
                error.add_note(f"budget of site {site.key}")
                errors.append(error)
        if errors:
            raise ExceptionGroup("the budgets of some sites could not be reckoned", errors)

    async def _look_at(self, site: WatchedSite) -> None:
        current = await self._budgets.of_month(site)
        now = self._clock.now()
        start, _ = current.month.minutes(site.zone)
        if minute_of(now) - start < RECHECK_PREVIOUS_FOR // timedelta(minutes=1):
            await self._file(await self._budgets.of_month(site, current.month.previous), now)
        await self._file(current, now)
        budget = current.budget
        self._telemetry.gauge("slo_budget_remaining_seconds", float(budget.left * 60), site=site.key)
        self._telemetry.gauge("slo_budget_used_ratio", float(budget.used), site=site.key)
        for window, rate in (await self._budgets.burn_rates(site)).items():
            self._telemetry.gauge("slo_burn_rate", rate, site=site.key, window=window)

    async def _file(self, reckoned: SiteMonth, now: datetime) -> None:
        site = reckoned.site
        for threshold in reckoned.budget.crossed:
            key = f"budget:{site.key}:{reckoned.month}:{threshold}"
            if key in self._filed:
                continue
            title, text = self._wording.budget_ticket(site, reckoned.month, reckoned.budget, threshold)
            note = TicketNote(author="online-sentry", text=text, kind="budget")
            await self._tickets.file(
                key=key, site_key=site.key, client_key=site.client_key, title=title, note=note, at=now
            )
            self._filed.add(key)


def _reckon(
    site: WatchedSite, month: Month, runs: Mapping[str, Sequence[Run]], seen: Mapping[str, datetime], now: int
) -> SiteMonth:
    start, end = month.minutes(site.zone)
    first = _contract_minute(site, seen)
    layers = _layers(site, runs, seen, start, end)
    begin = min(max(start, end if first is None else first), end)
    explained = merge_explained(layers, begin, max(begin, min(end, now)))
    until = _settled(explained, site, begin, now)
    own = clip(overlay([piece.run for piece in explained], site.maintenance), begin, until)
    budget = budget_of(own, site.target, begin, end, until)
    return SiteMonth(site, month, budget, own, explained, tuple(layers))


def _contract_minute(site: WatchedSite, seen: Mapping[str, datetime]) -> int | None:
    """The first minute that counts: the contract's first day, else when a check that counts was first seen."""
    if site.contract_start is not None:
        return day_start(site.contract_start, site.zone)
    counting = {check.key for check in site.counting}
    known = [instant for key, instant in seen.items() if key in counting] or list(seen.values())
    return _ceil_minute(min(known)) if known else None


def _layers(
    site: WatchedSite, runs: Mapping[str, Sequence[Run]], seen: Mapping[str, datetime], start: int, end: int
) -> list[CheckRuns]:
    """The checks that have a say, each from when it was first seen.

    A check that is no longer configured keeps its past: it counts for the minutes that it saw, so that renaming or
    removing a check never mends a month.
    """
    configured = {check.key: check for check in site.checks}
    layers = []
    for key in sorted({*runs, *(check.key for check in site.counting)}):
        own = tuple(runs.get(key, ()))
        check = configured.get(key)
        if check is None:
            if own:
                layers.append(CheckRuns(key, own, own[0].start, own[-1].end))
        elif check.counts and (own or key in seen):
            interval = -(-check.interval_s // 60)
            layers.append(CheckRuns(key, own, _counts_from(own, seen.get(key), start, interval), end))
    return layers


def _counts_from(runs: Sequence[Run], seen: datetime | None, start: int, interval_minutes: int) -> int:
    """A new check counts from its first result, which comes at most an interval after it was first seen."""
    if seen is None:
        return runs[0].start
    first = _ceil_minute(seen)
    if first <= start:
        return start
    if runs and runs[0].start <= first + interval_minutes:
        return max(start, runs[0].start)
    return first


def _settled(explained: Sequence[Explained], site: WatchedSite, start: int, now: int) -> int:
    """The minute up to which the ledger can be believed now: what is not yet written is not yet unknown."""
    if not explained:
        return start
    last = explained[-1].run
    if last.state is not MinuteState.UNKNOWN:
        return last.end
    return min(last.end, max(last.start, now - _lag_minutes(site), start))


def _lag_minutes(site: WatchedSite) -> int:
    return SETTLE_MINUTES + max((-(-check.interval_s // 60) for check in site.counting), default=1)


def _ceil_minute(instant: datetime) -> int:
    return minute_of(instant + timedelta(seconds=59, microseconds=999_999))
