"""The reckoning: from a site's history to the budget of a month and the rates at which it burns. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sentry.domain.budget import BURN_WINDOWS, Budget, budget_of, burn_rate
from sentry.domain.burn import BurnRule, alarm, before_newest_outage, burning
from sentry.domain.counting import CountedInterval, counted_intervals
from sentry.domain.forecast import FORECAST_WINDOWS, forecast
from sentry.domain.ledger import CheckRuns, Explained, MinuteState, Run, clip, merge_explained, overlay
from sentry.domain.month import Month, day_start, minute_of, month_of
from sentry.domain.responsibility import AttributedRun, attributed_runs, left_out
from sentry.domain.watched_site import WatchedSite
from sentry.domain.weight import Weight
from sentry.ports import SiteHistory

SETTLE_MINUTES = 2
"""A minute may be written this much (and a check's interval) late: it waits for the re-checks of its failure."""

LAPSES = frozenset({MinuteState.DOWN, MinuteState.MAINTENANCE})
"""What the figures of a budget are made of: minutes that spend it, and minutes that are taken out of it."""

_FORECAST_MINUTES = max(FORECAST_WINDOWS.values())

RECHECK_PREVIOUS_FOR = timedelta(hours=6)
"""For so long after a month's end its thresholds are looked at once more, for minutes that were written late."""


@dataclass(frozen=True, slots=True)
class SiteMonth:
    """The ledger and the budget of one site in one month.

    Attributes:
        runs: what the minutes [start of the month, until) were; they tile the span, maintenance laid over.
        explained: the same minutes before maintenance, with the checks that decided them.
        layers: the checks that counted.
        attributed: the down minutes, shared out to the incidents that tell of them.
        left_out: those of them that the contract leaves out.
        runs_out: the minute in which nothing is left of the budget, at the pace of each of `FORECAST_WINDOWS`; None
            where that is not in this month.
    """

    site: WatchedSite
    month: Month
    budget: Budget
    runs: tuple[Run, ...]
    explained: tuple[Explained, ...]
    layers: tuple[CheckRuns, ...]
    attributed: tuple[AttributedRun, ...]
    left_out: tuple[Run, ...]
    runs_out: Mapping[str, int | None]

    @property
    def contract_runs(self) -> tuple[Run, ...]:
        """The runs as the contract sees them: what it leaves out is as if work had been announced."""
        return _without(self.runs, self.left_out)


@dataclass(frozen=True, slots=True)
class Standing:
    """All that there is to tell of a site's budget now.

    Attributes:
        previous: the month before, for some hours after its end.
        burn: how fast it burns.
        holds_until: the minute from which a figure may be another although nothing is written into the ledger.
    """

    month: SiteMonth
    previous: SiteMonth | None
    burn: "Burn"
    holds_until: int


@dataclass(frozen=True, slots=True)
class Burn:
    """How fast a site's budget burns.

    Attributes:
        rates: by the name of the window.
        lapses: the newest minutes down or in maintenance, as far back as the longest window reaches.
        burning: the worst speed that it burns at, None where that is no cause for concern.
        alarm: the worst speed to raise an alarm for: that of one outage alone pages nobody a second time.
    """

    rates: Mapping[str, float]
    lapses: tuple[Run, ...]
    burning: BurnRule | None
    alarm: BurnRule | None


def reckon(site: WatchedSite, month: Month, history: SiteHistory, now: int) -> SiteMonth:
    """Reckons the budget of a site in a month.

    Args:
        site: the site.
        month: a calendar month in the site's zone.
        history: of the site's checks, from `reckoned_from` to the end of the month.
        now: the minute that runs.
    """
    start, end = month.minutes(site.zone)
    first = _contract_minute(site, history.first_seen)
    layers = _layers(site, history, start, end)
    begin = min(max(start, end if first is None else first), end)
    explained = merge_explained(layers, begin, max(begin, min(end, now)))
    until = _settled(explained, site, begin, now)
    own = clip(overlay([piece.run for piece in explained], site.maintenance), begin, until)
    attributed = attributed_runs(own, history.attributed)
    out = _left_out(attributed, site)
    budget = budget_of(own, site.target, begin, end, until, left_out=out, promised=site.hosted)
    counted = _without(own, out)
    recent = (*_runs_before(site, history, start, until), *counted) if begin == start else counted
    runs_out = forecast(budget, counted, recent)
    return SiteMonth(site, month, budget, own, explained, tuple(layers), attributed, out, runs_out)


def intervals_of(reckoned: SiteMonth) -> Sequence[CountedInterval]:
    """Returns every interval of a month with how it counted, by which rule, and which checks decided it."""
    return counted_intervals(
        reckoned.explained,
        reckoned.runs,
        reckoned.budget,
        reckoned.month.minutes(reckoned.site.zone)[0],
        reckoned.site.work,
        reckoned.attributed,
        reckoned.left_out,
    )


def _left_out(attributed: Sequence[AttributedRun], site: WatchedSite) -> tuple[Run, ...]:
    """The down minutes that the contract leaves out; where nothing is promised there is nothing to leave out of."""
    return left_out(attributed, site.excluded) if site.hosted else ()


def _without(runs: Sequence[Run], out: Sequence[Run]) -> tuple[Run, ...]:
    return overlay(runs, [(run.start, run.end) for run in out])


def _counted(explained: Sequence[Explained], site: WatchedSite, history: SiteHistory) -> tuple[Run, ...]:
    """The runs of a span as the contract sees them."""
    runs = overlay([piece.run for piece in explained], site.maintenance)
    return _without(runs, _left_out(attributed_runs(runs, history.attributed), site))


def reckoned_from(site: WatchedSite, month: Month, now: int) -> int:
    """Returns the first minute of the history of a month; in its first days the forecast looks at what was before."""
    start, end = month.minutes(site.zone)
    return min(start, now - _FORECAST_MINUTES - lag_minutes(site)) if start <= now < end else start


def _runs_before(site: WatchedSite, history: SiteHistory, month_start: int, until: int) -> tuple[Run, ...]:
    """What the minutes before a month were, as far back as its forecast looks."""
    start = until - _FORECAST_MINUTES
    if start >= month_start:
        return ()
    explained = merge_explained(_layers(site, history, start, month_start), start, month_start)
    return _counted(explained, site, history)


def burn_begins(site: WatchedSite, now: int) -> int:
    """Returns the first minute that a burn rate of now can ask for."""
    return now - max(BURN_WINDOWS.values()) - lag_minutes(site)


def burn_of(site: WatchedSite, history: SiteHistory, now: int) -> Burn:
    """Reckons the burn rate over each window of `BURN_WINDOWS`; windows may reach into the month before.

    Args:
        site: the site.
        history: of the site's checks, from `burn_begins` at least.
        now: the minute that runs.
    """
    begin = burn_begins(site, now)
    explained = merge_explained(_layers(site, history, begin, now), begin, now)
    until = _settled(explained, site, begin, now)
    runs = _counted(explained, site, history)
    rates = _rates(runs, site, until)
    worst = burning(rates) if site.hosted else None
    return Burn(
        rates,
        tuple(piece.run for piece in explained if piece.run.state in LAPSES),
        worst,
        alarm(rates, _rates(before_newest_outage(runs), site, until)) if worst else None,
    )


def _rates(runs: Sequence[Run], site: WatchedSite, until: int) -> Mapping[str, float]:
    return {name: burn_rate(runs, site.target, until, window) for name, window in BURN_WINDOWS.items()}


def first_minute(site: WatchedSite, now: int) -> int:
    """Returns the first minute of a history from which `standing_of` can tell how a site stands now."""
    month = month_of(now, site.zone)
    if _is_looked_at_again(month.previous, site, now):
        month = month.previous
    return min(reckoned_from(site, month, now), burn_begins(site, now))


def standing_of(site: WatchedSite, history: SiteHistory, now: int) -> Standing:
    """Reckons how a site stands.

    Args:
        site: the site.
        history: of the site's checks, from `first_minute` to the end of the month.
        now: the minute that runs.
    """
    month = month_of(now, site.zone)
    again = _is_looked_at_again(month.previous, site, now)
    burn = burn_of(site, history, now)
    return Standing(
        month=reckon(site, month, history, now),
        previous=reckon(site, month.previous, history, now) if again else None,
        burn=burn,
        holds_until=_holds_until(site, month, history, burn.lapses, now),
    )


def _is_looked_at_again(month: Month, site: WatchedSite, now: int) -> bool:
    return now - month.minutes(site.zone)[1] < RECHECK_PREVIOUS_FOR // timedelta(minutes=1)


def _holds_until(site: WatchedSite, month: Month, history: SiteHistory, lapses: Sequence[Run], now: int) -> int:
    """The next minute at which an edge of a window moves through a lapse, or the month ends.

    A window of w minutes ends between now less the minutes not yet written, and now. So its edges stand in the lapse
    [start, end), or may, from minute `start + w` to minute `end + w + lag`. In all other minutes each window holds as
    many minutes down as it did before.
    """
    if not history.first_seen:
        return now + 1  # it is not registered yet
    lag = lag_minutes(site)
    holds = month.minutes(site.zone)[1]
    oldest = now - max(BURN_WINDOWS.values()) - lag
    work = [window for window in site.maintenance if window[1] > oldest]
    for start, end in (*((run.start, run.end) for run in lapses), *work):
        for window in (0, *BURN_WINDOWS.values()):
            if end + window + lag > now:
                holds = min(holds, max(start + window, now + 1))
        if holds == now + 1:
            break
    return holds


def _contract_minute(site: WatchedSite, seen: Mapping[str, datetime]) -> int | None:
    """The first minute that counts: the contract's first day, else when a check that counts was first seen."""
    if site.contract_start is not None:
        return day_start(site.contract_start, site.zone)
    counting = {check.key for check in site.counting}
    known = [instant for key, instant in seen.items() if key in counting] or list(seen.values())
    return _ceil_minute(min(known)) if known else None


def _layers(site: WatchedSite, history: SiteHistory, start: int, end: int) -> list[CheckRuns]:
    """The checks that have a say, each from when it was first seen.

    A check that is no longer configured keeps its past: it counts for the minutes that it saw, so that renaming or
    removing a check never mends a month. One that did not decide when it was removed gets no say.
    """
    configured = {check.key: check for check in site.checks}
    silent = set(history.uncounted) - configured.keys()
    seen = history.first_seen
    layers = []
    for key in sorted({*history.runs, *(check.key for check in site.counting)} - silent):
        own = clip(history.runs.get(key, ()), start, end)
        check = configured.get(key)
        if check is None:
            if own:
                layers.append(CheckRuns(key, own, own[0].start, own[-1].end))
        elif check.weight is Weight.DEGRADES:
            layers.append(CheckRuns(key, own, start, end, degrades=True))
        elif check.weight is Weight.DECIDES and (own or key in seen):
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
    return min(last.end, max(last.start, now - lag_minutes(site), start))


def lag_minutes(site: WatchedSite) -> int:
    """Returns how many of the newest minutes may not be written yet."""
    return SETTLE_MINUTES + max((-(-check.interval_s // 60) for check in site.counting), default=1)


def _ceil_minute(instant: datetime) -> int:
    return minute_of(instant + timedelta(seconds=59, microseconds=999_999))
