"""An incident store in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sentry.domain.errors import StoreConflict, StoreUnavailable
from sentry.domain.events import Event, EventKind
from sentry.domain.failure_report import FailureReport
from sentry.domain.incident import Incident, IncidentState, Member, TimelineEntry
from tests.fakes.watch_store import MemoryEventQueue


class MemoryIncidentStore:
    """Fills the `IncidentStore` port; events go into `queue` where there is one, and into `events` always.

    Attributes:
        unavailable: every write is refused while it is set.
    """

    def __init__(self, queue: MemoryEventQueue | None = None) -> None:
        self.incidents: dict[int, Incident] = {}
        self.events: list[Event] = []
        self.unavailable = False
        self._queue = queue

    async def unresolved(self, key: str) -> Incident | None:
        found = (one for one in self._newest() if one.key == key and one.state != IncidentState.RESOLVED)
        return next(map(self._whole, found), None)

    async def latest(self, key: str) -> Incident | None:
        return next((self._whole(one) for one in self._newest() if one.key == key), None)

    async def open(self, incident: Incident, events: Sequence[Event]) -> Incident:
        self._answer()
        if await self.unresolved(incident.key) is not None:
            raise StoreConflict(f"{incident.key} has an unresolved incident")
        opened = replace(incident, id=len(self.incidents) + 1)
        self.incidents[opened.id] = opened
        self._publish([replace(event, subject=event.subject or str(opened.id)) for event in events])
        return opened

    async def save(self, incident: Incident, added: Sequence[TimelineEntry], events: Sequence[Event]) -> None:
        self._answer()
        standing = self.incidents[incident.id]
        self.incidents[incident.id] = replace(incident, timeline=(*standing.timeline, *added))
        self._publish(events)

    async def adopt(
        self, parent: Incident, members: Sequence[int], added: Sequence[TimelineEntry], event: Event
    ) -> Incident:
        self._answer()
        if parent.id == 0:
            parent = await self.open(replace(parent, timeline=tuple(added)), [event])
        else:
            await self.save(parent, added, [replace(event, subject=str(parent.id))])
        for number in members:
            one = self.incidents[number]
            entry = TimelineEntry(event.at, "parent", f"part of incident {parent.id}", {"incident": parent.id})
            told = [Event(EventKind.INCIDENT_UPDATED, event.at, str(number), {"parent": parent.id})]
            if one.state is IncidentState.RESOLVED:
                told.append(Event(EventKind.INCIDENT_RESOLVED, event.at, str(number), {"opening": one.opening}))
            await self.save(replace(one, parent_id=parent.id, held_until=None), [entry], told)
        return parent

    async def held(self) -> Sequence[Incident]:
        return [replace(one, timeline=()) for one in self.incidents.values() if one.held_until is not None]

    async def get(self, incident_id: int) -> Incident | None:
        found = self.incidents.get(incident_id)
        return None if found is None else self._whole(found)

    async def list(
        self,
        *,
        site_key: str | None = None,
        state: IncidentState | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> Sequence[Incident]:
        found = [
            replace(one, timeline=())
            for one in self._newest()
            if site_key in {None, one.site_key}
            and state in {None, one.state}
            and (since is None or one.started_at >= since)
        ]
        return found[:limit]

    def _whole(self, incident: Incident) -> Incident:
        members = [
            Member(one.id, one.site_key, one.client_key, one.severity, one.state, one.started_at, one.recovered_at)
            for one in self.incidents.values()
            if one.parent_id == incident.id
        ]
        return replace(incident, members=tuple(members))

    def _answer(self) -> None:
        if self.unavailable:
            raise StoreUnavailable("locked")

    def _newest(self) -> Sequence[Incident]:
        return sorted(self.incidents.values(), key=lambda one: one.id, reverse=True)

    def _publish(self, events: Sequence[Event]) -> None:
        self.events.extend(events)
        if self._queue is not None:
            self._queue.add(events)


def report_of(incident: Incident) -> FailureReport:
    """The failure report of an incident that is an outage."""
    assert incident.report is not None
    return incident.report
