"""The ticket store: numbers, states, idempotency, and histories that prove themselves."""

import pytest
from sqlalchemy import text

from sentry.domain.errors import NotFound, StoreConflict, StoreError, TransitionRefused
from sentry.domain.ticket import Ticket, TicketState, Visibility, broken_entries
from sentry.ports import TicketNote
from sentry.store import Store
from tests.fakes.watch import NOON, minute

FIRST = TicketNote("sentry", "The site answers 503.", kind="report", visibility=Visibility.PUBLIC)


async def _file(store: Store, key: str = "incident:1", note: TicketNote = FIRST) -> Ticket:
    return await store.tickets.file(
        key=key, site_key="shop", client_key="acme", title="shop is down", note=note, at=NOON
    )


async def _move(store: Store, number: int, *states: TicketState) -> None:
    for state in states:
        await store.tickets.append(number, TicketNote("sentry", "", kind="state", state=state), NOON)


async def _run(store: Store, statement: str) -> None:
    async with store.database.write() as connection:
        await connection.execute(text(statement))


async def test_file_new_tickets_numbers_them_from_one(store: Store) -> None:
    """People get small numbers in the order of filing."""
    assert [(await _file(store, f"incident:{place}")).number for place in range(1, 4)] == [1, 2, 3]
    assert [ticket.number for ticket in await store.tickets.list()] == [3, 2, 1]


async def test_file_the_same_key_twice_returns_the_first_ticket(store: Store) -> None:
    """A retry after a lost answer files nothing new, whatever else it says."""
    filed = await _file(store)
    await _move(store, 1, TicketState.IN_PROGRESS)

    again = await _file(store, note=TicketNote("sentry", "other text"))

    assert again.number == filed.number
    assert again.entries[0] == filed.entries[0]
    assert len(await store.tickets.list()) == 1
    assert await store.tickets.find("incident:1") == again


async def test_file_that_fails_leaves_no_gap_in_the_numbers(store: Store) -> None:
    """A number that was taken in a transaction that failed is given to the next ticket."""
    await _file(store)
    with pytest.raises(TransitionRefused):
        await _file(store, "bad", TicketNote("sentry", "", state=TicketState.REOPENED))
    await _run(store, "ALTER TABLE ticket_entries RENAME COLUMN seal TO gone")
    with pytest.raises(StoreError):
        await _file(store, "incident:2")  # fails in its last statements, with its number taken
    await _run(store, "ALTER TABLE ticket_entries RENAME COLUMN gone TO seal")

    assert (await _file(store, "incident:2")).number == 2
    assert await store.tickets.verify() == []


async def test_append_with_a_known_key_returns_the_entry_that_is_there(store: Store) -> None:
    """The same note twice leaves one entry, also after the ticket has gone on."""
    await _file(store)
    note = TicketNote("sentry", "The site is back.", kind="recovery", state=TicketState.SOLVED)

    first = await store.tickets.append(1, note, minute(9), key="incident:1:1:resolved")
    await _move(store, 1, TicketState.CLOSED)
    again = await store.tickets.append(1, note, minute(12), key="incident:1:1:resolved")

    assert again == first
    ticket = await store.tickets.get(1)
    assert ticket is not None
    assert [entry.sequence for entry in ticket.entries] == [1, 2, 3]
    assert ticket.state is TicketState.CLOSED


async def test_append_along_an_incidents_life_follows_the_states(store: Store) -> None:
    """New, in progress, solved, closed, re-opened, in progress, solved, with a person's comment between."""
    await _file(store)
    await _move(store, 1, TicketState.IN_PROGRESS, TicketState.SOLVED, TicketState.CLOSED)
    comment = await store.tickets.append(1, TicketNote("Ana", "¿Otra vez?"), minute(3))
    await _move(store, 1, TicketState.REOPENED, TicketState.IN_PROGRESS, TicketState.SOLVED)

    ticket = await store.tickets.get(1)

    assert comment.state is TicketState.CLOSED
    assert ticket is not None
    assert [entry.state.value for entry in ticket.entries] == [
        "new", "in_progress", "solved", "closed", "closed", "reopened", "in_progress", "solved"
    ]  # fmt: skip
    assert broken_entries(ticket) == ()
    assert [found.number for found in await store.tickets.list(state=TicketState.SOLVED)] == [1]
    assert await store.tickets.list(state=TicketState.NEW) == []


async def test_append_a_move_that_is_not_allowed_names_those_that_are(store: Store) -> None:
    """A refused move leaves the ticket as it was and says what would do."""
    await _file(store)
    await _move(store, 1, TicketState.SOLVED, TicketState.CLOSED)

    with pytest.raises(TransitionRefused, match="closed cannot become solved; it can become: reopened"):
        await _move(store, 1, TicketState.SOLVED)

    ticket = await store.tickets.get(1)
    assert ticket is not None
    assert len(ticket.entries) == 3


async def test_append_to_a_ticket_that_is_not_there_is_not_found(store: Store) -> None:
    """A wrong number is said plainly."""
    with pytest.raises(NotFound, match="no ticket 9"):
        await store.tickets.append(9, FIRST, NOON)
    assert await store.tickets.get(9) is None
    assert await store.tickets.find("incident:9") is None


async def test_append_hostile_text_still_verifies(store: Store) -> None:
    """Text that no database takes is cleaned before it is hashed, so the chain holds over what was stored."""
    await _file(store, note=TicketNote("a\0b", "NUL \0 and \udc80 and €"))

    ticket = await store.tickets.get(1)

    assert ticket is not None
    assert ticket.entries[0].text == "NUL \ufffd and \ufffd and €"
    assert await store.tickets.verify() == []


_GUARDS = {
    "sqlite": ("DROP TRIGGER ticket_entries_keeps", "DROP TRIGGER ticket_entries_stays"),
    "postgresql": ("ALTER TABLE ticket_entries DISABLE TRIGGER USER",),
}

_TAMPERINGS = {
    "text changed": (
        ["UPDATE ticket_entries SET text = 'nothing happened' WHERE ticket_number = 2 AND sequence = 1"],
        "ticket 2: the ticket's own facts or entry 1 changed",
    ),
    "date changed": (
        ["UPDATE ticket_entries SET at_us = at_us + 1 WHERE ticket_number = 1 AND sequence = 2"],
        "ticket 1: entry 2 changed",
    ),
    "author and key changed": (
        ["UPDATE ticket_entries SET author = 'Eva', key = 'x' WHERE ticket_number = 1 AND sequence = 2"],
        "ticket 1: entry 2 changed",
    ),
    "title changed": (["UPDATE tickets SET title = 'a wish' WHERE number = 1"], "ticket 1: the ticket's own facts"),
    "client changed": (["UPDATE tickets SET client_key = 'b' WHERE number = 3"], "ticket 3: the ticket's own facts"),
    "state changed": (["UPDATE tickets SET state = 'closed' WHERE number = 1"], "ticket 1: its state is closed"),
    "state unknown": (["UPDATE tickets SET state = 'gone' WHERE number = 1"], "ticket 1 cannot be read"),
    "entry removed": (
        ["DELETE FROM ticket_entries WHERE ticket_number = 1 AND sequence = 2"],
        "1 entries are missing before position 3",
    ),
    "end of a ticket removed": (
        ["DELETE FROM ticket_entries WHERE ticket_number = 3 AND sequence = 2"],
        "the newest entries are missing: 6 were written, the last one here is 5",
    ),
    "whole ticket removed": (
        ["DELETE FROM ticket_entries WHERE ticket_number = 2", "DELETE FROM tickets WHERE number = 2"],
        "ticket 2 is missing",
    ),
    "newest ticket removed": (
        ["DELETE FROM ticket_entries WHERE ticket_number = 3", "DELETE FROM tickets WHERE number = 3"],
        "ticket 3 is missing",
    ),
    "order changed": (
        [
            "UPDATE ticket_entries SET sequence = 9 WHERE ticket_number = 1 AND sequence = 1",
            "UPDATE ticket_entries SET sequence = 1 WHERE ticket_number = 1 AND sequence = 2",
            "UPDATE ticket_entries SET sequence = 2 WHERE ticket_number = 1 AND sequence = 9",
        ],
        "ticket 1: entry 2 changed",
    ),
    "ticket invented": (
        ["INSERT INTO tickets SELECT 9, 'forged', '', '', title, state, created_us FROM tickets LIMIT 1"],
        "ticket 9 was never filed",
    ),
    "last entry and its chain rewritten": (
        ["UPDATE ticket_entries SET hash = 'f00', seal = 'f00' WHERE position = 6"],
        "the last entry, at position 6, is not the one that was written last",
    ),
}


@pytest.mark.promise("002-24")
@pytest.mark.parametrize("tampering", _TAMPERINGS)
async def test_verify_after_tampering_by_raw_sql_finds_it(store: Store, tampering: str) -> None:
    """Whoever goes round the agent and its triggers, straight into the tables, is found out."""
    for place in range(1, 4):
        await _file(store, f"incident:{place}")
        await store.tickets.append(place, TicketNote("Ana", f"Looking at {place}."), minute(place))
    assert await store.tickets.verify() == []

    statements, expected = _TAMPERINGS[tampering]
    async with store.database.write() as connection:
        for statement in (*_GUARDS[connection.dialect.name], *statements):
            await connection.execute(text(statement))

    assert any(expected in line for line in await store.tickets.verify())


@pytest.mark.parametrize("change", ["UPDATE ticket_entries SET text = 'x'", "DELETE FROM ticket_entries"])
async def test_history_that_somebody_tries_to_change_is_refused(store: Store, change: str) -> None:
    """The database itself refuses before any proof is needed."""
    await _file(store)

    with pytest.raises(StoreConflict, match="append-only"):
        await _run(store, change)

    assert await store.tickets.verify() == []
