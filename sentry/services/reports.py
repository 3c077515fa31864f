"""Client reports: gathers what the watch knows of a client's month into one frozen, sealed value."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from operator import attrgetter
from statistics import median
from zoneinfo import ZoneInfo

from sentry.domain.budget import Budget, budget_of, floored, floored_percent
from sentry.domain.client_report import (
    AuditEntry,
    Day,
    Figures,
    IncidentEntry,
    Interval,
    LeftOut,
    Minutes,
    ReportData,
    ResponseDay,
    SiteReport,
    TrendMonth,
)
from sentry.domain.errors import NotFound
from sentry.domain.failure_report import FailureReport
from sentry.domain.incident import Incident
from sentry.domain.ledger import CheckRuns, MinuteState, Run, clip, merge, overlay, totals
from sentry.domain.month import Month, day_start, local_time
from sentry.domain.public_url import public_url
from sentry.domain.responsibility import standing_side
from sentry.domain.site import Language
from sentry.domain.ticket import Visibility
from sentry.domain.watched_site import WatchedSite
from sentry.ports import (
    AttributionBook,
    AuditBook,
    Clock,
    IncidentStore,
    LedgerReader,
    MessageRenderer,
    Sample,
    TicketStore,
)
from sentry.services.budgets import Budgets
from sentry.services.reckoning import SiteMonth
from sentry.services.reported_audits import audit_entry, not_measured
from sentry.services.reported_work import work_entries

TREND_MONTHS = 13
"""The same month of last year stands at the trend's other end."""

INCIDENTS_READ = 10_000
SAMPLES_PER_DAY = 20_000
DAYS_READ_AT_ONCE = 7
_ONE_DAY = timedelta(days=1)
_ANSWERED = frozenset({"up", "degraded"})
_WHEN = attrgetter("scheduled_at")


class Reports:
    """Builds client reports; writes nothing.

    Args:
        renderer: words the causes of incidents.
        agency_name: who reports.
    """

    def __init__(
        self,
        *,
        budgets: Budgets,
        ledger: LedgerReader,
        incidents: IncidentStore,
        attributions: AttributionBook,
        audits: AuditBook,
        tickets: TicketStore,
        renderer: MessageRenderer,
        clock: Clock,
        agency_name: str,
    ) -> None:
        self._budgets = budgets
        self._ledger = ledger
        self._incidents = incidents
        self._attributions = attributions
        self._audits = audits
        self._tickets = tickets
        self._renderer = renderer
        self._clock = clock
        self._agency_name = agency_name

    async def build(
        self, sites: Sequence[WatchedSite], month: Month | None = None, language: Language | None = None
    ) -> ReportData:
        """Builds the report of one client.

        Args:
            sites: every site of the client, in the order in which they are to appear.
            month: a calendar month, in each site's own zone; the running one of the first site when absent.
            language: of the causes and the page; the first site's when absent.

        Raises:
            NotFound: there is no site to report on.
        """
        if not sites:
            raise NotFound("this client has no site to report on")
        first = sites[0]
        month = month or self._budgets.month_now(first)
        language = language or first.language
        reckoned = [await self._budgets.of_month(site, month) for site in sites]
        told = tuple([await self._site(each, language) for each in reckoned])
        return ReportData(
            agency=self._agency_name,
            client=first.client_key,
            client_name=first.client_name,
            month=str(month),
            language=language.value,
            time_zone=first.zone.key,
            generated_at=self._clock.now().astimezone(first.zone).isoformat(timespec="seconds"),
            sites=told,
            account=_account(reckoned),
            not_measured=not_measured(told),
        ).sealed()

    async def _site(self, reckoned: SiteMonth, language: Language) -> SiteReport:
        site = reckoned.site
        response_check = site.counting[0].key if site.counting else None
        response = await self._response(response_check, reckoned) if response_check else ()
        return SiteReport(
            key=site.key,
            name=site.name,
            url=public_url(site.url),
            time_zone=site.zone.key,
            interval_s=min((check.interval_s for check in site.counting), default=None),
            figures=_figures(reckoned.budget, site.zone),
            days=_days(reckoned),
            down=_intervals(reckoned, MinuteState.DOWN),
            degraded=_intervals(reckoned, MinuteState.DEGRADED),
            unknown=_intervals(reckoned, MinuteState.UNKNOWN),
            maintenance=_intervals(reckoned, MinuteState.MAINTENANCE),
            left_out=_left_out(reckoned),
            incidents=await self._incident_entries(reckoned, language),
            response_check=response_check if response else None,
            response=response,
            trend=await self._trend(reckoned),
            work=work_entries(reckoned),
            blips=await self._ledger.blips(
                [check.key for check in site.counting],
                _instant(reckoned.budget.start),
                _instant(reckoned.budget.end),
            ),
            audits=await self._audit_entries(reckoned),
        )

    async def _audit_entries(self, reckoned: SiteMonth) -> tuple[AuditEntry, ...]:
        start, end = _instant(reckoned.budget.start), _instant(reckoned.budget.end)
        return tuple(audit_entry(one) for one in await self._audits.between([reckoned.site.key], start, end))

    async def _incident_entries(self, reckoned: SiteMonth, language: Language) -> tuple[IncidentEntry, ...]:
        budget, zone = reckoned.budget, reckoned.site.zone
        # To the month's end, not to the last minute accounted for: the newest incident is what people ask about.
        start, until = _instant(budget.start), _instant(budget.end)
        known = await self._incidents.list(site_key=reckoned.site.key, limit=INCIDENTS_READ)
        touching = [
            (each, each.report)  # a concern is no outage: the report of a month counts those alone
            for each in known
            if each.report is not None and each.started_at < until and (each.recovered_at or until) > start
        ]
        touching.sort(key=lambda pair: pair[0].started_at)
        return tuple([await self._incident_entry(*pair, zone, language) for pair in touching])

    async def _incident_entry(
        self, incident: Incident, report: FailureReport, zone: ZoneInfo, language: Language
    ) -> IncidentEntry:
        recovered = incident.recovered_at
        said = await self._attributions.history(incident.id)
        return IncidentEntry(
            number=incident.id,
            severity=str(incident.severity),
            cause=self._renderer.cause(incident, language),
            reason=str(report.reason),
            side=str(standing_side(said) if said else report.attribution),
            side_reason=next((entry.reason for entry in reversed(said) if entry.is_of_person), ""),
            started_at=_text(incident.started_at, zone),
            recovered_at=_text(recovered, zone) if recovered else None,
            detect_s=int(incident.time_to_detect.total_seconds()),
            acknowledge_s=_seconds(incident.time_to_acknowledge),
            resolve_s=_seconds(incident.time_to_resolve),
            ticket=incident.ticket_number,
            actions=await self._actions(incident.ticket_number),
        )

    async def _actions(self, ticket_number: int | None) -> tuple[str, ...]:
        """What the ticket says to the client of the work that was done."""
        ticket = await self._tickets.get(ticket_number) if ticket_number is not None else None
        if ticket is None:
            return ()
        return tuple(
            entry.text
            for entry in ticket.entries
            if entry.visibility is Visibility.PUBLIC and entry.kind == "comment"
        )

    async def _response(self, check_key: str, reckoned: SiteMonth) -> tuple[ResponseDay, ...]:
        """Median and 95th percentile of each day, read a week at a time so that a month never fills the memory."""
        days = []
        seen = _seen_days(reckoned)
        for first_day in range(0, len(seen), DAYS_READ_AT_ONCE):
            week = seen[first_day : first_day + DAYS_READ_AT_ONCE]
            (_, begin, _), (*_, until) = week[0], week[-1]
            limit = DAYS_READ_AT_ONCE * SAMPLES_PER_DAY
            samples = await self._ledger.samples(check_key, _instant(begin), _instant(until), limit)
            for day, start, end in week:
                first = bisect_left(samples, _instant(start), key=_WHEN)
                until_then = bisect_left(samples, _instant(end), key=_WHEN)
                days.append(_response_day(day, samples[first:until_then]))
        return tuple(day for day in days if day is not None)

    async def _trend(self, reckoned: SiteMonth) -> tuple[TrendMonth, ...]:
        trend = [_trend_month(reckoned)]
        month = reckoned.month
        for _ in range(TREND_MONTHS - 1):
            month = month.previous
            earlier = await self._budgets.of_month(reckoned.site, month)
            if earlier.budget.span_minutes == 0:
                break
            trend.append(_trend_month(earlier))
        return tuple(reversed(trend))


def _response_day(day: date, samples: Sequence[Sample]) -> ResponseDay | None:
    answered = sorted(sample.duration_s for sample in samples if sample.status in _ANSWERED)
    if not answered:
        return None
    p95 = answered[-(-95 * len(answered) // 100) - 1]
    return ResponseDay(day.isoformat(), len(answered), round(median(answered) * 1000), round(p95 * 1000))


def _account(reckoned: Sequence[SiteMonth]) -> Figures | None:
    """All promised sites of the account together: the union of their minutes, where one promise covers them all."""
    promised = [each for each in reckoned if each.site.hosted]
    sites = [each.site for each in promised]
    if len(sites) < 2 or len({(site.target, site.zone.key) for site in sites}) > 1:  # noqa: PLR2004  # one site is no union
        return None
    start = min(each.budget.start for each in promised)
    until = max(start, min(each.budget.until for each in promised))
    runs = _union(promised, start, until)
    counted = merge(
        [CheckRuns(each.site.key, each.contract_runs, each.budget.start, each.budget.end) for each in promised],
        start,
        until,
    )
    spent = [(run.start, run.end) for run in counted if run.state is MinuteState.DOWN]
    out = [run for run in overlay(runs, spent) if run.state is MinuteState.DOWN]
    budget = budget_of(runs, sites[0].target, start, promised[0].budget.end, until, left_out=out)
    everything = budget_of(_union(reckoned, start, until), sites[0].target, start, budget.end, until)
    return replace(_figures(budget, sites[0].zone), observed=_percent(everything.measured))


def _union(reckoned: Sequence[SiteMonth], start: int, until: int) -> tuple[Run, ...]:
    layers = [CheckRuns(each.site.key, each.runs, each.budget.start, each.budget.end) for each in reckoned]
    return merge(layers, start, until)


def _figures(budget: Budget, zone: ZoneInfo) -> Figures:
    return Figures(
        target=f"{floored(budget.target * 100, 6).normalize():f}",
        measured=_percent(budget.measured),
        worst=_percent(budget.worst),
        best=_percent(budget.best),
        observed=_percent(budget.observed.measured),
        verdict=str(budget.verdict),
        running=budget.running,
        counted_from=_minute_text(budget.start, zone),
        counted_until=_minute_text(budget.until, zone),
        span_minutes=budget.span_minutes,
        minutes=Minutes(**asdict(budget.minutes)),
        left_out=budget.left_out,
        allowed=str(floored(budget.allowed, 3)),
        spent=budget.spent,
        left=str(floored(budget.left, 3)),
        used_percent=str(floored(budget.used * 100, 1)),
    )


def _left_out(reckoned: SiteMonth) -> tuple[LeftOut, ...]:
    zone, out = reckoned.site.zone, set(reckoned.left_out)
    return tuple(
        LeftOut(
            start=_minute_text(each.run.start, zone),
            end=_minute_text(each.run.end, zone),
            minutes=each.run.minutes,
            incident=each.span.incident_id,
            side=str(each.span.side),
        )
        for each in reckoned.attributed
        if each.span is not None and each.run in out
    )


def _trend_month(reckoned: SiteMonth) -> TrendMonth:
    budget = reckoned.budget
    return TrendMonth(str(reckoned.month), _percent(budget.measured), str(budget.verdict), budget.spent)


def _intervals(reckoned: SiteMonth, state: MinuteState) -> tuple[Interval, ...]:
    zone = reckoned.site.zone
    return tuple(
        Interval(
            start=_minute_text(run.start, zone),
            end=_minute_text(run.end, zone),
            minutes=run.minutes,
            checks=_deciders(reckoned, run),
        )
        for run in reckoned.runs
        if run.state is state
    )


def _deciders(reckoned: SiteMonth, run: Run) -> tuple[str, ...]:
    """The checks that decided a run; the explained pieces are ordered, so only those within it are looked at."""
    pieces = reckoned.explained
    deciders: dict[str, None] = {}
    first = bisect_right(pieces, run.start, key=lambda each: each.run.end)
    for piece in pieces[first : bisect_left(pieces, run.end, key=lambda each: each.run.start)]:
        if piece.run.state is run.state:
            deciders |= dict.fromkeys(piece.decided_by)
    return tuple(deciders)


def _day_spans(reckoned: SiteMonth) -> Sequence[tuple[date, int, int]]:
    """Each date of the month with the minutes of it that are accounted for."""
    zone, budget = reckoned.site.zone, reckoned.budget
    spans = []
    for day in reckoned.month.days():
        start, end = day_start(day, zone), day_start(day + _ONE_DAY, zone)
        spans.append((day, max(start, budget.start), min(end, budget.until)))
    return spans


def _seen_days(reckoned: SiteMonth) -> Sequence[tuple[date, int, int]]:
    """Those of them of which something is known: to look for the samples of a day without any takes as long."""
    return [
        (day, start, end)
        for day, start, end in _day_spans(reckoned)
        if any(run.state is not MinuteState.UNKNOWN for run in clip(reckoned.runs, start, end))
    ]


def _days(reckoned: SiteMonth) -> tuple[Day, ...]:
    return tuple(
        Day(day.isoformat(), Minutes(**asdict(totals(clip(reckoned.runs, start, end)))))
        for day, start, end in _day_spans(reckoned)
    )


def _instant(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, tz=UTC)


def _text(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).isoformat(timespec="seconds")


def _minute_text(minute: int, zone: ZoneInfo) -> str:
    return local_time(minute, zone).isoformat(timespec="minutes")


def _percent(share: Fraction | None) -> str | None:
    figure = floored_percent(share)
    return None if figure is None else str(figure)


def _seconds(span: timedelta | None) -> int | None:
    return int(span.total_seconds()) if span is not None else None
