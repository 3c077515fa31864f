"""Checks that nobody has changed, removed or re-ordered what the tickets say."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.errors import StoreError
from sentry.domain.ticket import Ticket, TicketEntry, broken_entries, next_seal
from sentry.store.counters import standing
from sentry.store.schema import ticket_entries, tickets
from sentry.store.ticket_rows import entry_of, ticket_of


async def verify(connection: AsyncConnection) -> Sequence[str]:
    """Returns what is wrong in the whole ticket store, one line each.

    Three things are held against each other: each ticket's own chain, the chain of seals over all entries in the
    order in which they were written, and the counters that remember how many there were and the last seal.
    """
    rows = (await connection.execute(select(ticket_entries).order_by(ticket_entries.c.position))).all()
    entries: dict[int, list[TicketEntry]] = {}
    wrong = await _check_seals(connection, rows)
    for row in sorted(rows, key=lambda row: (row.ticket_number, row.sequence)):
        try:
            entries.setdefault(row.ticket_number, []).append(entry_of(row))
        except (StoreError, ValueError) as error:
            wrong.append(f"ticket {row.ticket_number}: entry {row.sequence} cannot be read: {error}")
    return [*await _check_tickets(connection, entries), *wrong]


async def _check_tickets(connection: AsyncConnection, entries: dict[int, list[TicketEntry]]) -> list[str]:
    last, _ = await standing(connection, "tickets")
    wrong: list[str] = []
    found: set[int] = set()
    for row in await connection.execute(select(tickets).order_by(tickets.c.number)):
        found.add(row.number)
        try:
            ticket: Ticket = replace(ticket_of(row), entries=tuple(entries.get(row.number, ())))
        except StoreError as error:
            wrong.append(f"ticket {row.number} cannot be read: {error}")
        else:
            wrong += broken_entries(ticket)
    wrong += [f"ticket {number} is missing" for number in range(1, last + 1) if number not in found]
    wrong += [f"ticket {number} was never filed" for number in sorted(found) if not 1 <= number <= last]
    return wrong


async def _check_seals(connection: AsyncConnection, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[str]:
    written, head = await standing(connection, "ticket_entries")
    wrong: list[str] = []
    seal = ""
    place = 0
    for row in rows:
        where = f"ticket {row.ticket_number}, entry {row.sequence}"
        if row.position != place + 1:
            wrong.append(f"{row.position - place - 1} entries are missing before position {row.position} ({where})")
        elif row.seal != next_seal(seal, row.hash):
            wrong.append(f"position {row.position} ({where}) does not follow from the entry before it")
        seal, place = row.seal, row.position
    if place != written:
        wrong.append(f"the newest entries are missing: {written} were written, the last one here is {place}")
    elif seal != head:
        wrong.append(f"the last entry, at position {place}, is not the one that was written last")
    return wrong
