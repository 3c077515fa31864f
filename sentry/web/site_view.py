"""What the page of one site says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from sentry.domain.registration import Registration
from sentry.domain.result import Phase
from sentry.ports import Sample
from sentry.services.reckoning import SiteMonth
from sentry.web.history import SiteHistory
from sentry.web.overview import BudgetCell, Row, budget_cell, percent, row
from sentry.web.sources import IncidentWording
from sentry.web.standing import CheckStanding, SiteStanding
from sentry.web.strips import Day, day_bars, days_of, phase_bar, response_line
from sentry.web.terms import VERDICT_WORDS
from sentry.web.words import Words

RECENT_INCIDENTS = 10
SAMPLES = 240
SAMPLES_WITHIN = timedelta(hours=3)
EXPIRES_SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class CheckPanel:
    """One check.

    Attributes:
        phases: name and time of each phase of the last probe.
        lasts: how long it has been as it is.
    """

    standing: CheckStanding
    lasts: str
    detail: str
    phases: Sequence[tuple[Phase, str]]
    bar: Markup
    line: Markup
    slowest: str


@dataclass(frozen=True, slots=True)
class MonthPanel:
    """The running month."""

    first_day: datetime
    cell: BudgetCell | None
    worst: str
    best: str
    down: int
    unknown: int
    verdict: str
    observed: str
    left_out: int
    runs_out: datetime | None
    zone: str
    bars: Markup
    bad_days: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class EndPanel:
    """When something ends.

    Attributes:
        left: how long until then, or since then.
        kind: how urgent it is; `unknown` where nobody knows the end.
    """

    ends_at: datetime | None
    left: str
    kind: str


@dataclass(frozen=True, slots=True)
class SiteView:
    """The whole page."""

    row: Row
    checks: Sequence[CheckPanel]
    month: MonthPanel | None
    certificate: EndPanel
    domain: EndPanel | None
    registration: Registration | None


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a site beside how it stands.

    Attributes:
        history: its minutes.
        samples: each check with its newest samples.
        registration: of its domain, None where nobody was asked.
    """

    history: SiteHistory
    samples: Sequence[tuple[CheckStanding, Sequence[Sample]]]
    registration: Registration | None = None


def site_view(words: Words, standing: SiteStanding, past: Past, wording: IncidentWording, now: datetime) -> SiteView:
    """Gathers the page of a site.

    Args:
        words: in which it is written.
        standing: the site and how it stands.
        past: its past.
        wording: says the cause of its incident.
        now: for how long ago something was.
    """
    history, registration = past.history, past.registration
    return SiteView(
        row=row(words, standing, history, wording, now),
        checks=[_check(words, check, own, now) for check, own in past.samples],
        month=_month(words, history.month) if history.month else None,
        certificate=_end(words, _certificate_ends(standing), now),
        domain=_end(words, registration.expires_at, now) if registration is not None else None,
        registration=registration,
    )


def _end(words: Words, ends_at: datetime | None, now: datetime) -> EndPanel:
    if ends_at is None:
        return EndPanel(None, "", "unknown")
    left = ends_at - now
    return EndPanel(ends_at, words.duration(abs(left)), _urgency(left))


def _urgency(left: timedelta) -> str:
    if left < timedelta(0):
        return "down"
    return "degraded" if left < EXPIRES_SOON else "up"


def _certificate_ends(standing: SiteStanding) -> datetime | None:
    ends = [
        certificate.not_after
        for check in standing.checks
        if check.view.last is not None and check.view.last.evidence.tls is not None
        for certificate in check.view.last.evidence.tls.chain
    ]
    return min(ends, default=None)


def _check(words: Words, check: CheckStanding, samples: Sequence[Sample], now: datetime) -> CheckPanel:
    last, since = check.view.last, check.since
    phases = [(phase, words.seconds(last.phases[phase])) for phase in Phase if phase in last.phases] if last else []
    told = ", ".join(f"{phase} {time}" for phase, time in phases)
    bar = (
        phase_bar(last.phases, last.failed_phase, sum(last.phases.values()), told) if last and phases else Markup("")
    )
    slowest = max((sample.duration_s for sample in samples if sample.status in {"up", "degraded"}), default=None)
    return CheckPanel(
        standing=check,
        lasts=words.duration(now - since) if since else "",
        detail=last.detail if last else "",
        phases=phases,
        bar=bar,
        line=response_line(samples, words.text("Response times of the last three hours")),
        slowest=words.seconds(slowest) if slowest is not None else "",
    )


def _month(words: Words, month: SiteMonth) -> MonthPanel:
    budget = month.budget
    days = days_of(month.month, month.site.zone, month.runs, budget.until)
    labels = [_day_label(words, day) for day in days]
    bad = [
        (words.day(day.on), words.text("%(down)s min down") % {"down": day.minutes.down})
        for day in days
        if day.minutes and day.minutes.down
    ]
    return MonthPanel(
        first_day=datetime(month.month.year, month.month.month, 1, tzinfo=month.site.zone),
        cell=budget_cell(words, month),
        worst=percent(words, budget.worst),
        best=percent(words, budget.best),
        down=budget.minutes.down,
        unknown=budget.minutes.unknown,
        verdict=VERDICT_WORDS[budget.verdict],
        observed=percent(words, budget.observed.measured),
        left_out=budget.left_out,
        runs_out=_runs_out(month),
        zone=month.site.zone.key,
        bars=day_bars(days, labels, words.text("Days of the month")),
        bad_days=bad,
    )


def _runs_out(month: SiteMonth) -> datetime | None:
    """When nothing is left at the pace of the last week, where that is in this month."""
    minute = month.runs_out["7d"]
    return datetime.fromtimestamp(minute * 60, month.site.zone) if minute is not None else None


def _day_label(words: Words, day: Day) -> str:
    if day.minutes is None:
        nothing = words.text("no data")
        return f"{words.day(day.on)}: {nothing}"
    told = words.text("%(down)s min down, %(degraded)s min degraded, %(unknown)s min unknown")
    figures = {"down": day.minutes.down, "degraded": day.minutes.degraded, "unknown": day.minutes.unknown}
    return f"{words.day(day.on)}: {told % figures}"
