"""The embedded ticket store: numbers without gaps, histories that only grow and prove themselves."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.errors import NotFound
from sentry.domain.events import Event, EventKind
from sentry.domain.ticket import Ticket, TicketEntry, TicketState, entry_hash, move, next_seal, ticket_root
from sentry.ports import TicketNote
from sentry.store.columns import clean
from sentry.store.counters import set_head, standing, take
from sentry.store.database import Database
from sentry.store.events import EventLog
from sentry.store.schema import ticket_entries, tickets
from sentry.store.ticket_check import verify
from sentry.store.ticket_rows import entry_of, entry_row, ticket_of, ticket_row


class StoredTickets:
    """Fills the `TicketStore` port."""

    def __init__(self, database: Database, events: EventLog) -> None:
        """Keeps tickets in the database; each new entry is an event, for the help desks that mirror the book."""
        self._database = database
        self._events = events

    async def file(
        self, *, key: str, site_key: str, client_key: str, title: str, note: TicketNote, at: datetime
    ) -> Ticket:
        """Files a ticket, or returns the one that already has this key, open or not.

        Raises:
            TransitionRefused: a new ticket cannot be in the state that the note asks for.
        """
        async with self._database.write() as connection:
            filed = await _whole(connection, tickets.c.key == key)
            if filed is not None:
                return filed
            state = move(TicketState.NEW, note.state or TicketState.NEW)
            number = await take(connection, "tickets")
            ticket = Ticket(number, key, site_key, client_key, clean(title), state, at)
            await connection.execute(insert(tickets), ticket_row(ticket))
            entry = await self._write(connection, ticket, note, at, key=None)
            return replace(ticket, entries=(entry,))

    async def append(self, number: int, note: TicketNote, at: datetime, *, key: str | None = None) -> TicketEntry:
        """Adds to the history; with a key that the ticket already has, returns the entry it names.

        Raises:
            NotFound: there is no such ticket.
            TransitionRefused: the state machine does not allow the move.
        """
        async with self._database.write() as connection:
            ticket = await _whole(connection, tickets.c.number == number)
            if ticket is None:
                raise NotFound(f"there is no ticket {number}")
            written = next((entry for entry in ticket.entries if key is not None and entry.key == key), None)
            if written is not None:
                return written
            state = move(ticket.state, note.state or ticket.state)
            if state is not ticket.state:
                await connection.execute(update(tickets).where(tickets.c.number == number).values(state=state.value))
            return await self._write(connection, replace(ticket, state=state), note, at, key=key)

    async def get(self, number: int) -> Ticket | None:
        """Returns a ticket with its whole history."""
        async with self._database.read() as connection:
            return await _whole(connection, tickets.c.number == number)

    async def find(self, key: str) -> Ticket | None:
        """Returns the ticket that was filed under a key."""
        async with self._database.read() as connection:
            return await _whole(connection, tickets.c.key == key)

    async def list(self, *, state: TicketState | None = None, limit: int = 100) -> Sequence[Ticket]:
        """Returns tickets, newest first, without their histories."""
        query = select(tickets).order_by(tickets.c.number.desc()).limit(limit)
        if state is not None:
            query = query.where(tickets.c.state == state.value)
        async with self._database.read() as connection:
            return [ticket_of(row) for row in await connection.execute(query)]

    async def verify(self) -> Sequence[str]:
        """Recomputes every hash chain and checks the numbers; returns what is wrong, one line each."""
        async with self._database.read() as connection:
            return await verify(connection)

    async def _write(
        self, connection: AsyncConnection, ticket: Ticket, note: TicketNote, at: datetime, *, key: str | None
    ) -> TicketEntry:
        """Adds the next entry of a ticket, whose state is already the new one, seals it and announces it."""
        entry = await _append(connection, ticket, note, at, key=key)
        announced = Event(EventKind.TICKET_CHANGED, at, str(ticket.number), {"sequence": entry.sequence})
        await self._events.append(connection, [announced])
        return entry


async def _whole(connection: AsyncConnection, condition: ColumnElement[bool]) -> Ticket | None:
    row = (await connection.execute(select(tickets).where(condition))).one_or_none()
    if row is None:
        return None
    query = select(ticket_entries).where(ticket_entries.c.ticket_number == row.number)
    entries = await connection.execute(query.order_by(ticket_entries.c.sequence))
    return ticket_of(row, tuple(entry_of(entry) for entry in entries))


async def _append(
    connection: AsyncConnection, ticket: Ticket, note: TicketNote, at: datetime, *, key: str | None
) -> TicketEntry:
    """Adds the next entry of a ticket, whose state is already the new one, and seals it."""
    position = await take(connection, "ticket_entries")
    _, head = await standing(connection, "ticket_entries")
    entry = TicketEntry(
        sequence=len(ticket.entries) + 1,
        at=at,
        author=clean(note.author),
        visibility=note.visibility,
        kind=note.kind,
        text=clean(note.text),
        state=ticket.state,
        hash="",
        key=key,
    )
    previous = ticket.entries[-1].hash if ticket.entries else ticket_root(ticket)
    entry = replace(entry, hash=entry_hash(previous, entry))
    seal = next_seal(head, entry.hash)
    await connection.execute(insert(ticket_entries), entry_row(ticket.number, entry, position=position, seal=seal))
    await set_head(connection, "ticket_entries", seal)
    return entry
