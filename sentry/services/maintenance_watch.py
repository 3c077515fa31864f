"""The watch over maintenance: says where it is under way, and has people told of what still fails when it is over."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Protocol

from sentry.domain.incident import Incident, IncidentState, TimelineEntry
from sentry.domain.maintenance import Work, covering, is_quiet
from sentry.domain.month import minute_of
from sentry.domain.watched_site import WatchedSite
from sentry.ports import Clock, IncidentStore, Marks, Telemetry

INCIDENT_LIMIT = 10_000
LOOKED_BACK_MINUTES = 24 * 60
"""Failures of work that is over for longer were told of when it ended; the agent was away for less than this."""

UNRESOLVED = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)


class ChangeIncident(Protocol):
    """Changes one incident as it stands now, and adds to its timeline."""

    def __call__(
        self, incident_id: int, changed: Callable[[Incident], Incident], entry: TimelineEntry | None = None
    ) -> Awaitable[Incident]:
        """Returns the incident as it is then."""
        ...


class MaintenanceWatch:
    """Looks at all announced work again and again.

    Args:
        site: a site by its key; None for one that is not configured.
        change: as `Incidents` offers it.
        tell: has an incident told, by its number; by itself, or with others that fail as it does.
    """

    def __init__(
        self,
        *,
        sites: Callable[[], Iterable[WatchedSite]],
        site: Callable[[str], WatchedSite | None],
        incidents: IncidentStore,
        change: ChangeIncident,
        tell: Callable[[int], Awaitable[None]],
        marks: Marks,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._sites = sites
        self._site = site
        self._incidents = incidents
        self._change = change
        self._tell_people = tell
        self._marks = marks
        self._clock = clock
        self._telemetry = telemetry
        self._shown: dict[str, bool] = {}

    def is_quiet(self, incident: Incident, at: datetime) -> bool:
        """Returns whether an incident is recorded and nobody is woken: it began in work that still goes on.

        What is known of an agent or of a certificate is no part of the work, so concerns are told as ever.
        """
        began = _began(incident)
        return began is not None and is_quiet(self._work(incident), began, minute_of(at))

    async def look(self) -> None:
        """Sets the gauges, and tells of each incident that outlasts the work in which it began, once.

        Raises:
            StoreUnavailable: whoever was not told is told at the next look.
        """
        if self._look_at_sites(minute_of(self._clock.now())):
            for state in UNRESOLVED:
                for incident in await self._incidents.list(state=state, limit=INCIDENT_LIMIT):
                    if self._outlasts(incident):
                        await self._tell(incident)

    def _look_at_sites(self, now: int) -> bool:
        """Sets the gauges that changed; returns whether work anywhere ended lately."""
        known: dict[int, tuple[bool, bool]] = {}
        for site in self._sites():
            if not site.work:
                if self._shown.pop(site.key, False):
                    self._telemetry.gauge("maintenance_active", 0, site=site.key)
                continue
            if id(site.work) not in known:  # ten thousand sites of one window share what is reckoned of it
                known[id(site.work)] = bool(covering(site.work, now)), _ended_lately(site.work, now)
            active = known[id(site.work)][0]
            if self._shown.get(site.key) is not active:
                self._shown[site.key] = active
                self._telemetry.gauge("maintenance_active", active, site=site.key)
        return any(ended for _, ended in known.values())

    def _outlasts(self, incident: Incident) -> bool:
        began, work = _began(incident), self._work(incident)
        if began is None or incident.recovered_at is not None:
            return False
        return bool(covering(work, began)) and not covering(work, minute_of(self._clock.now()))

    async def _tell(self, incident: Incident) -> None:
        mark = f"overrun:{incident.id}:{incident.opening}"
        if await self._marks.is_made(mark):
            return
        entry = TimelineEntry(
            self._clock.now(), "maintenance_overran", "the announced maintenance is over, and it still fails"
        )
        await self._change(incident.id, lambda known: known, entry)
        await self._tell_people(incident.id)
        await self._marks.once(mark)

    def _work(self, incident: Incident) -> tuple[Work, ...]:
        site = self._site(incident.site_key)
        return site.work if site else ()


def _began(incident: Incident) -> int | None:
    """The minute in which an outage began, or began anew; None for a concern."""
    return minute_of(incident.report.failed.scheduled_at) if incident.report else None


def _ended_lately(work: Iterable[Work], now: int) -> bool:
    return any(now - LOOKED_BACK_MINUTES < piece.end <= now for piece in work)
