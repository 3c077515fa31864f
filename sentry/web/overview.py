"""What the status page says: the one line at its top, the problems, and a row for each site of the page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from markupsafe import Markup

from sentry.domain.budget import Budget, floored_percent
from sentry.domain.incident import Incident
from sentry.domain.ledger import MinuteState, clip, totals
from sentry.services.reckoning import SiteMonth
from sentry.web.history import RECENT_MINUTES, SiteHistory
from sentry.web.representation import public_url
from sentry.web.sources import IncidentWording
from sentry.web.standing import SiteStanding, Standing, count
from sentry.web.strips import meter, minute_strip
from sentry.web.words import ABSENT, Words

PAGE_SITES = 100
MAX_PROBLEMS = 50
MAX_CONCERNS = 20
_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Headline:
    """The first line of the page.

    Attributes:
        standing: the worst that any site is.
        counts: sites by standing; only those that occur.
    """

    text: str
    standing: Standing
    counts: Mapping[Standing, int]


@dataclass(frozen=True, slots=True)
class BudgetCell:
    """The month of a site in figures."""

    measured: str
    left: str
    allowed: str
    kind: str
    picture: Markup


@dataclass(frozen=True, slots=True)
class Row:
    """One site of the page."""

    standing: SiteStanding
    url: str
    cause: str
    lasts: str
    strip: Markup
    response: str
    budget: BudgetCell | None


@dataclass(frozen=True, slots=True)
class Search:
    """What the reader asked for.

    Attributes:
        page: 1 for the first.
    """

    text: str = ""
    client: str = ""
    state: Standing | None = None
    page: int = 1

    def fits(self, site: SiteStanding) -> bool:
        """Whether a site is among what was asked for."""
        known = site.site
        words = f"{known.key} {known.name} {known.url} {known.client_name} {known.client_key}".casefold()
        return (
            self.text.casefold() in words
            and self.client in {"", known.client_key}
            and self.state in {None, site.standing}
        )


def headline(words: Words, standings: Sequence[SiteStanding]) -> Headline:
    """Says in one line how things stand."""
    counts = {standing: number for standing, number in count(standings).items() if number}
    total, down = len(standings), counts.get(Standing.DOWN, 0)
    worst = next(iter(counts), Standing.UNKNOWN)
    if not total:
        text = words.text("No site is watched yet")
    elif down:
        text = words.plural("%(down)s of %(total)s sites is down", "%(down)s of %(total)s sites are down", down)
    elif worst is Standing.UP:
        text = words.plural("The site is up", "All %(total)s sites are up", total)
    else:
        text = words.plural(
            "No site is down; %(other)s of %(total)s needs a look",
            "No site is down; %(other)s of %(total)s need a look",
            total - counts.get(Standing.UP, 0),
        )
    other = total - counts.get(Standing.UP, 0)
    figures = {"down": words.number(down), "total": words.number(total), "other": words.number(other)}
    return Headline(text % figures, worst, counts)


def groups_of(unresolved: Iterable[Incident]) -> list[Incident]:
    """Returns the problems that several sites have together, the newest first."""
    return sorted((incident for incident in unresolved if incident.is_group), key=lambda one: -one.id)


def alone(down: Iterable[SiteStanding]) -> list[SiteStanding]:
    """Returns the sites that fail by themselves; another incident stands for the rest."""
    return [site for site in down if site.incident is None or site.incident.parent_id is None]


def pressing(unresolved: Iterable[Incident]) -> list[Incident]:
    """Returns what is no outage but stands, that of the agent itself first, then the worst, then the newest."""
    concerns = [incident for incident in unresolved if incident.concern is not None and not incident.is_group]
    return sorted(concerns, key=lambda one: (bool(one.site_key), one.severity, -one.id))


def row(
    words: Words, site: SiteStanding, history: SiteHistory | None, wording: IncidentWording, now: datetime
) -> Row:
    """Makes the row of one site; without a history (a problem card) it has no pictures."""
    return Row(
        standing=site,
        url=public_url(site.site.url),
        cause=cause_of(words, site, wording),
        lasts=words.duration(now - site.since) if site.since else "",
        strip=recent_strip(words, history) if history else Markup(""),
        response=words.seconds(site.response_s) if site.response_s is not None else "",
        budget=budget_cell(words, history.month) if history else None,
    )


def cause_of(words: Words, site: SiteStanding, wording: IncidentWording) -> str:
    """Says why a site does not stand well: the incident's line, else the detail of the check that decides."""
    if site.incident is not None and site.standing is Standing.DOWN:
        return wording.cause(site.incident, words.language)
    deciding = site.deciding
    if site.standing is Standing.UP or deciding is None:
        return ""
    view = deciding.view
    if site.standing is Standing.UNKNOWN:
        never = words.text("not probed yet")
        return view.last.detail or words.text("no recent result") if view.last else never
    result = view.health.failure or view.last
    return f"{view.check.name}: {result.detail}" if result and result.detail else view.check.name


def recent_strip(words: Words, history: SiteHistory) -> Markup:
    """Draws the last hour and a half."""
    counted = totals(clip(history.recent, history.start, history.end))
    told = words.text("Last %(minutes)s minutes: %(down)s down, %(degraded)s degraded, %(unknown)s unknown")
    unknown = counted.unknown + RECENT_MINUTES - counted.total
    figures = {"minutes": RECENT_MINUTES, "down": counted.down, "degraded": counted.degraded, "unknown": unknown}
    return minute_strip(history.recent, history.start, history.end, told % figures)


def percent(words: Words, share: Fraction | None) -> str:
    """Writes a share as percent, cut off and never rounded up; 100 without decimals."""
    floored = floored_percent(share)
    if floored is None:
        return ABSENT
    whole = floored == floored.to_integral_value()
    return f"{words.number(float(floored), 0 if whole else _DECIMALS)} %"


def budget_cell(words: Words, month: SiteMonth | None) -> BudgetCell | None:
    """Puts the running month into a cell; None where nothing is known of it."""
    if month is None or month.budget.measured is None:
        return None
    budget = month.budget
    if not budget.promised:
        return BudgetCell(percent(words, budget.measured), ABSENT, ABSENT, MinuteState.UP.value, Markup(""))
    kind = budget_kind(budget)
    left, allowed = words.number(float(budget.left), 1), words.number(float(budget.allowed), 1)
    told = words.text("%(left)s of %(allowed)s minutes of downtime left") % {"left": left, "allowed": allowed}
    share = 1.0 if budget.left < 0 else 1 - float(budget.used)  # overspent: a full bar in the colour of down
    return BudgetCell(percent(words, budget.measured), left, allowed, kind, meter(share, kind, told))


def budget_kind(budget: Budget) -> str:
    """Returns the colour of a budget: a state of a minute that means the same."""
    if budget.left < 0:
        return MinuteState.DOWN.value
    return MinuteState.DEGRADED.value if budget.used >= Fraction(3, 4) else MinuteState.UP.value


def lasting(words: Words, start: datetime, end: datetime) -> str:
    """Says how long something lasted."""
    return words.duration(max(end - start, timedelta(0)))
