"""The outbox of events: one row for each handler that an event is owed to, handled strictly in order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.errors import StoreError
from sentry.domain.events import Event, EventKind
from sentry.store.counters import take
from sentry.store.database import Database
from sentry.store.documents import FACTS
from sentry.store.schema import event_handlings, events
from sentry.store.writing import write_rows

_log = structlog.get_logger(__name__)


class EventLog:
    """Writes events within the transaction of whatever caused them."""

    def __init__(self, handlers: Sequence[str]) -> None:
        """Keeps the names of the handlers; a name that is new gets the events from now on."""
        self._handlers = tuple(handlers)

    async def append(self, connection: AsyncConnection, happened: Sequence[Event]) -> None:
        """Stores events, owed to every handler, within a writing transaction."""
        if not happened:
            return
        first = await take(connection, "events", len(happened))
        await write_rows(connection, insert(events), (_row(first + place, it) for place, it in enumerate(happened)))
        owed = (
            {"event_id": first + place, "handler": handler, "state": "pending"}
            for place in range(len(happened))
            for handler in self._handlers
        )
        await write_rows(connection, insert(event_handlings), owed)


class StoredEventQueue:
    """Fills the `EventQueue` port."""

    def __init__(self, database: Database, log: EventLog) -> None:
        """Reads and marks on the database, writes through the log."""
        self._database = database
        self._events = log

    async def publish(self, events: Sequence[Event]) -> None:
        """Stores events that no other write carries."""
        if not events:
            return
        async with self._database.write() as connection:
            await self._events.append(connection, events)

    async def next_for(self, handler: str, now: datetime) -> Event | None:
        """Returns the oldest event this handler still owes, None when there is none or it must still back off."""
        while True:
            async with self._database.read() as connection:
                row = (await connection.execute(_oldest_owed(handler))).one_or_none()
            if row is None or (row.next_us is not None and row.next_us > now):
                return None
            try:
                return event_of(row)
            except StoreError as error:
                # never readable, so it must not hold up all that comes after it
                _log.error("event_damaged", event_id=row.id, handler=handler, error=str(error))
                await self._mark(row.id, handler, state="given_up", error=str(error))

    async def done(self, event: Event, handler: str) -> None:
        """Marks it handled."""
        await self._mark(event.id, handler, state="done", error=None)

    async def failed(self, event: Event, handler: str, error: str, retry_at: datetime | None) -> None:
        """Keeps the error and when to try again; with `retry_at=None` the event is given up for this handler."""
        state = "given_up" if retry_at is None else "pending"
        await self._mark(event.id, handler, state=state, error=error, next_us=retry_at)

    async def _mark(
        self, event_id: int, handler: str, *, state: str, error: str | None, next_us: datetime | None = None
    ) -> None:
        statement = (
            update(event_handlings)
            .where(event_handlings.c.event_id == event_id, event_handlings.c.handler == handler)
            .values(state=state, attempts=event_handlings.c.attempts + 1, error=error, next_us=next_us)
        )
        async with self._database.write() as connection:
            await connection.execute(statement)

    async def attempts(self, event: Event, handler: str) -> int:
        """Returns how often this handler has tried the event."""
        query = select(event_handlings.c.attempts).where(
            event_handlings.c.event_id == event.id, event_handlings.c.handler == handler
        )
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar() or 0


def event_of(row: Row[*tuple[Any, ...]]) -> Event:
    """Returns the event of a row.

    Raises:
        StoreError: the row is damaged.
    """
    name = f"event {row.id}"
    try:
        kind = EventKind(row.kind)
    except ValueError as error:
        raise StoreError(f"damaged row: kind of {name}: no such event: {row.kind!r}") from error
    return Event(kind, row.at_us, row.subject, FACTS.load(row.data, name), row.id)


def _oldest_owed(handler: str) -> Select[*tuple[Any, ...]]:
    return (
        select(events, event_handlings.c.next_us)
        .join(event_handlings, event_handlings.c.event_id == events.c.id)
        .where(event_handlings.c.handler == handler, event_handlings.c.state == "pending")
        .order_by(event_handlings.c.event_id)
        .limit(1)
    )


def _row(event_id: int, event: Event) -> dict[str, Any]:
    return {
        "id": event_id,
        "kind": event.kind.value,
        "at_us": event.at,
        "subject": event.subject,
        "data": FACTS.dump(event.data),
    }
