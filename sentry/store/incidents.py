"""Incidents: one unresolved of each key, timelines append-only, events in the same transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Column, ColumnElement, Row, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.concern import ConcernKind
from sentry.domain.errors import NotFound, StoreError
from sentry.domain.events import Event, EventKind
from sentry.domain.incident import Incident, IncidentState, TimelineEntry
from sentry.store.attributions import guess
from sentry.store.counters import take
from sentry.store.database import Database
from sentry.store.events import EventLog
from sentry.store.incident_rows import entry_of, entry_row, incident_of, incident_row, member_of
from sentry.store.schema import incident_timeline, incidents

_log = structlog.get_logger(__name__)


READ_AT_ONCE = 50
"""Incidents made of their documents in one go: a few milliseconds, of ten thousand that one bad night can leave."""


_MEMBER = tuple(
    incidents.c[name] for name in ("id", "site_key", "client_key", "severity", "state", "started_us", "recovered_us")
)


class StoredIncidents:
    """Fills the `IncidentStore` port."""

    def __init__(self, database: Database, events: EventLog) -> None:
        """Writes to the database; events go through the log."""
        self._database = database
        self._events = events

    async def unresolved(self, key: str) -> Incident | None:
        """Returns the unresolved incident of the key, with its whole timeline."""
        return await self._one(incidents.c.key == key, incidents.c.state != IncidentState.RESOLVED.value)

    async def latest(self, key: str) -> Incident | None:
        """Returns the newest incident of the key, resolved or not, with its whole timeline."""
        return await self._one(incidents.c.key == key)

    async def get(self, incident_id: int) -> Incident | None:
        """Returns an incident with its whole timeline and its members."""
        return await self._one(incidents.c.id == incident_id)

    async def open(self, incident: Incident, events: Sequence[Event]) -> Incident:
        """Stores a new incident (its id is ignored) with its timeline and events, in one transaction.

        An event whose subject is empty gets the new id as its subject.

        Returns:
            The incident with its id.

        Raises:
            StoreConflict: an unresolved incident has this key already.
        """
        async with self._database.write() as connection:
            incident = replace(incident, id=await take(connection, "incidents"))
            await connection.execute(insert(incidents), incident_row(incident))
            await guess(connection, incident)
            await self._follow_up(connection, incident.id, incident.timeline, events)
        return incident

    async def save(self, incident: Incident, added: Sequence[TimelineEntry], events: Sequence[Event]) -> None:
        """Writes the incident's fields, appends to its timeline and stores the events, in one transaction.

        Raises:
            NotFound: there is no incident of this id.
            StoreConflict: it would be the second unresolved one of its key.
        """
        async with self._database.write() as connection:
            statement = update(incidents).where(incidents.c.id == incident.id).values(incident_row(incident))
            if (await connection.execute(statement)).rowcount == 0:
                raise NotFound(f"there is no incident {incident.id}")
            await guess(connection, incident)
            await self._follow_up(connection, incident.id, added, events)

    async def adopt(
        self, parent: Incident, members: Sequence[int], added: Sequence[TimelineEntry], event: Event
    ) -> Incident:
        """Makes incidents members of another one and tells of it, in one transaction.

        A member is held no more; its timeline names the parent, and an INCIDENT_UPDATED event says
        `{"parent": id}`, for a resolved one followed by INCIDENT_RESOLVED.

        Args:
            parent: written as `save` does, or as `open` does where its id is 0.
            members: numbers of incidents.
            added: to the parent's timeline; of a new parent, its timeline.
            event: of the parent; an empty subject is filled in.

        Returns:
            The parent with its id.

        Raises:
            StoreConflict: an unresolved incident has the key of a new parent already.
        """
        async with self._database.write() as connection:
            if parent.id == 0:
                parent = replace(parent, id=await take(connection, "incidents"))
                await connection.execute(insert(incidents), incident_row(parent))
            else:
                row = incident_row(parent)
                await connection.execute(update(incidents).where(incidents.c.id == parent.id).values(row))
            await self._follow_up(connection, parent.id, added, [event])
            for first in range(0, len(members), READ_AT_ONCE):
                await self._adopt(connection, parent.id, members[first : first + READ_AT_ONCE], event.at)
        return parent

    async def _adopt(self, connection: AsyncConnection, parent_id: int, members: Sequence[int], at: datetime) -> None:
        """A piece of the members at a time: no statement takes ten thousand numbers."""
        these = incidents.c.id.in_(members)
        await connection.execute(update(incidents).where(these).values(parent_id=parent_id, held_us=None))
        part = TimelineEntry(at, "parent", f"part of incident {parent_id}", {"incident": parent_id})
        last = (
            select(func.coalesce(func.max(incident_timeline.c.sequence), 0))
            .where(incident_timeline.c.incident_id == incidents.c.id)
            .scalar_subquery()
        )
        found = await connection.execute(
            select(incidents.c.id, incidents.c.state, incidents.c.opening, last.label("sequence"))
            .where(these)
            .order_by(incidents.c.id)
        )
        rows = found.all()
        entries = [entry_row(row.id, row.sequence + 1, part) for row in rows]
        await connection.execute(insert(incident_timeline), entries)
        told = []
        for row in rows:
            told.append(Event(EventKind.INCIDENT_UPDATED, at, str(row.id), {"parent": parent_id}))
            if row.state == IncidentState.RESOLVED.value:
                told.append(Event(EventKind.INCIDENT_RESOLVED, at, str(row.id), {"opening": row.opening}))
        await self._events.append(connection, told)

    async def held(self) -> Sequence[Incident]:
        """Returns the incidents that are not told yet, resolved ones too, oldest first, without their timelines."""
        query = select(incidents).where(incidents.c.held_us.is_not(None)).order_by(incidents.c.id)
        async with self._database.read() as connection, connection.stream(query) as rows:
            return [one async for piece in rows.partitions(READ_AT_ONCE) for one in _sound(piece)]

    async def list(
        self,
        *,
        site_key: str | None = None,
        state: IncidentState | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> Sequence[Incident]:
        """Returns incidents, newest first, without their timelines; `since` is about when they started."""
        query = select(incidents).order_by(incidents.c.id.desc()).limit(limit)
        if site_key is not None:
            query = query.where(incidents.c.site_key == site_key)
        if state is not None:
            query = query.where(incidents.c.state == state.value)
        if since is not None:
            query = query.where(incidents.c.started_us >= since)
        async with self._database.read() as connection, connection.stream(query) as rows:
            return [one async for piece in rows.partitions(READ_AT_ONCE) for one in _sound(piece)]

    async def unresolved_by_state(self) -> Mapping[IncidentState, int]:
        """Returns how many outages are in each state but the last, 0 where none is."""
        counts = await self._unresolved(incidents.c.state, incidents.c.concern.is_(None))
        return {state: counts.get(state.value, 0) for state in IncidentState if state is not IncidentState.RESOLVED}

    async def unresolved_by_concern(self) -> Mapping[ConcernKind, int]:
        """Returns how many concerns of each kind stand, 0 where none does."""
        counts = await self._unresolved(incidents.c.concern, incidents.c.concern.is_not(None))
        return {kind: counts.get(kind.value, 0) for kind in ConcernKind}

    async def _unresolved(self, column: Column[Any], condition: ColumnElement[bool]) -> Mapping[str, int]:
        # In the words of the index, or SQLite does not see that it holds these rows.
        unresolved = text("state <> 'resolved'")
        query = select(column.label("value"), func.count().label("number")).where(unresolved, condition)
        async with self._database.read() as connection:
            return {row.value: row.number for row in await connection.execute(query.group_by(column))}

    async def _one(self, *conditions: ColumnElement[bool]) -> Incident | None:
        newest = select(incidents).where(*conditions).order_by(incidents.c.id.desc()).limit(1)
        async with self._database.read() as connection:
            row = (await connection.execute(newest)).one_or_none()
            if row is None:
                return None
            entries = await connection.execute(
                select(incident_timeline)
                .where(incident_timeline.c.incident_id == row.id)
                .order_by(incident_timeline.c.sequence)
            )
            timeline = tuple(entry_of(entry) for entry in entries)
            members = await connection.execute(
                select(*_MEMBER).where(incidents.c.parent_id == row.id).order_by(incidents.c.id)
            )
            return replace(incident_of(row), timeline=timeline, members=tuple(member_of(one) for one in members))

    async def _follow_up(
        self, connection: AsyncConnection, incident_id: int, added: Sequence[TimelineEntry], events: Sequence[Event]
    ) -> None:
        if added:
            last = select(func.coalesce(func.max(incident_timeline.c.sequence), 0)).where(
                incident_timeline.c.incident_id == incident_id
            )
            first: int = (await connection.execute(last)).scalar_one() + 1
            rows: list[dict[str, Any]] = [
                entry_row(incident_id, first + place, entry) for place, entry in enumerate(added)
            ]
            await connection.execute(insert(incident_timeline), rows)
        own = [event if event.subject else replace(event, subject=str(incident_id)) for event in events]
        await self._events.append(connection, own)


def _sound(rows: Iterable[Row[*tuple[Any, ...]]]) -> Iterator[Incident]:
    """Those incidents whose documents can be read."""
    for row in rows:
        try:
            yield incident_of(row)
        except StoreError as error:
            _log.error("incident_damaged", incident=row.id, error=str(error))
