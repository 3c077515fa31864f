"""How a site stands now, from the health of its checks and the age of their last results."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sentry.domain.health import HealthState
from sentry.domain.incident import Incident
from sentry.domain.result import Status
from sentry.domain.watched_site import WatchedSite
from sentry.domain.weight import Weight
from sentry.services.watch import CheckView
from sentry.web.turns import pieces


class Standing(StrEnum):
    """How a site or check stands, worst first."""

    DOWN = "down"
    SUSPECT = "suspect"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    UP = "up"


_ORDER = {standing: place for place, standing in enumerate(Standing)}
STALE_INTERVALS = 3
STALE_GRACE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class CheckStanding:
    """A check and how it stands."""

    view: CheckView
    standing: Standing

    @property
    def since(self) -> datetime | None:
        """When it entered its state."""
        return self.view.health.since


@dataclass(frozen=True, slots=True)
class SiteStanding:
    """A site and how it stands.

    Attributes:
        since: when the check that decides entered its state.
        incident: the site's unresolved outage.
    """

    site: WatchedSite
    standing: Standing
    since: datetime | None = None
    checks: Sequence[CheckStanding] = ()
    incident: Incident | None = field(default=None)

    @property
    def deciding(self) -> CheckStanding | None:
        """The check that makes the site stand as it does."""
        return next((check for check in self.checks if check.standing is self.standing), None)

    @property
    def response_s(self) -> float | None:
        """Seconds that the last probe of the first check took; None where it did not answer."""
        last = self.checks[0].view.last if self.checks else None
        return last.duration_s if last is not None and last.answers else None


def stand(
    sites: Iterable[WatchedSite], views: Iterable[CheckView], incidents: Iterable[Incident], now: datetime
) -> list[SiteStanding]:
    """Returns how every site stands, in the order given.

    Args:
        sites: the configured sites.
        views: what the watch believes of every check.
        incidents: the unresolved ones.
        now: for results that are too old to be believed.
    """
    by_site: dict[str, list[CheckView]] = {}
    for view in views:
        by_site.setdefault(view.check.site_key, []).append(view)
    open_ones = {incident.site_key: incident for incident in incidents if incident.concern is None}
    return [_site(site, by_site.get(site.key, []), open_ones, now) for site in sites]


async def stand_in_turns(
    sites: Sequence[WatchedSite], views: Iterable[CheckView], incidents: Iterable[Incident], now: datetime
) -> list[SiteStanding]:
    """Does what `stand` does, for any number of sites: others have their turn in between."""
    by_site: dict[str, list[CheckView]] = {}
    for view in views:
        by_site.setdefault(view.check.site_key, []).append(view)
    open_ones = {incident.site_key: incident for incident in incidents if incident.concern is None}
    found: list[SiteStanding] = []
    for piece in pieces(sites):
        found += [_site(site, by_site.get(site.key, []), open_ones, now) for site in piece]
        await asyncio.sleep(0)
    return found


def problems_first(standings: Iterable[SiteStanding]) -> list[SiteStanding]:
    """Sorts by how bad it is; the newest trouble first, sites without trouble by name."""
    return sorted(standings, key=_urgency)


def count(standings: Iterable[SiteStanding]) -> Mapping[Standing, int]:
    """Counts the sites of each standing."""
    counted = dict.fromkeys(Standing, 0)
    for site in standings:
        counted[site.standing] += 1
    return counted


def _urgency(site: SiteStanding) -> tuple[int, float, str]:
    in_trouble = site.standing is not Standing.UP and site.since is not None
    newest = -site.since.timestamp() if in_trouble and site.since else 0.0
    return _ORDER[site.standing], newest, site.site.name.casefold()


def _site(
    site: WatchedSite, views: Sequence[CheckView], incidents: Mapping[str, Incident], now: datetime
) -> SiteStanding:
    checks = [CheckStanding(view, check_standing(view, now)) for view in views]
    deciding = [check for check in checks if check.view.check.options.weight is Weight.DECIDES] or checks
    worst = min((check.standing for check in deciding), key=_ORDER.__getitem__, default=Standing.UNKNOWN)
    if worst is Standing.UP and any(map(_troubles, checks)):
        worst = Standing.DEGRADED  # a check that does not decide does not bring the site down
    starts = [check.since for check in deciding if check.standing is worst and check.since is not None]
    return SiteStanding(site, worst, min(starts, default=None), checks, incidents.get(site.key))


def _troubles(check: CheckStanding) -> bool:
    """Whether a check that does not decide is worth a look at the site."""
    if check.standing is Standing.DEGRADED:
        return check.view.check.options.weight is Weight.DEGRADES
    return check.standing is Standing.DOWN


def check_standing(view: CheckView, now: datetime) -> Standing:
    """Returns how one check stands; a confirmed outage stays one however old its last result is."""
    state, last = view.health.state, view.last
    if state in {HealthState.DOWN, HealthState.RECOVERING}:
        return Standing.DOWN
    too_old = timedelta(seconds=view.check.interval_s * STALE_INTERVALS) + STALE_GRACE
    if last is None or last.status is Status.UNKNOWN or now - last.started_at > too_old:
        return Standing.UNKNOWN
    if state is HealthState.SUSPECT:
        return Standing.SUSPECT
    return Standing.DEGRADED if view.health.degraded is not None else Standing.UP
