"""States of a ticket and the proof of its history."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from sentry.domain.errors import TransitionRefused
from sentry.domain.ticket import (
    MOVES,
    Ticket,
    TicketEntry,
    TicketState,
    Visibility,
    broken_entries,
    entry_hash,
    move,
    ticket_root,
)

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def _ticket(*texts: str) -> Ticket:
    ticket = Ticket(7, "incident:17", "shop", "acme", "shop is down", TicketState.NEW, NOON)
    previous = ticket_root(ticket)
    entries: list[TicketEntry] = []
    for place, text in enumerate(texts, start=1):
        entry = TicketEntry(place, NOON, "sentry", Visibility.PUBLIC, "comment", text, TicketState.NEW, "")
        entry = replace(entry, hash=entry_hash(previous, entry))
        previous = entry.hash
        entries.append(entry)
    return replace(ticket, entries=tuple(entries))


def test_moves_along_the_reference_are_allowed() -> None:
    """New → needs_info → covered → in_progress ⇄ waiting → solved → closed → reopened → in_progress."""
    way = (
        "new needs_info covered in_progress waiting_client in_progress waiting_third_party in_progress solved closed"
    )
    states = [TicketState(name) for name in f"{way} reopened in_progress".split()]

    for current, target in pairwise(states):
        assert move(current, target) is target


@pytest.mark.parametrize("state", TicketState)
def test_move_from_every_state_a_ticket_can_be_closed_and_can_stay(state: TicketState) -> None:
    """A person can always end a ticket, and a comment changes no state."""
    assert move(state, TicketState.CLOSED) is TicketState.CLOSED
    assert move(state, state) is state
    assert TicketState.NEW not in MOVES[state]


def test_move_that_is_refused_names_what_is_allowed() -> None:
    """The message is enough to choose another move."""
    with pytest.raises(TransitionRefused) as refused:
        move(TicketState.SOLVED, TicketState.IN_PROGRESS)

    assert str(refused.value) == "a ticket that is solved cannot become in_progress; it can become: closed, reopened"


def test_broken_entries_of_an_untouched_ticket_are_none() -> None:
    """An exported ticket can be checked by itself."""
    assert broken_entries(_ticket("one", "two", "three")) == ()


def test_entry_hash_is_a_known_value() -> None:
    """The figure anyone can recompute: SHA-256 over the previous hash and sorted JSON; it must never change."""
    (entry,) = _ticket("¿Qué pasa?").entries

    assert ticket_root(_ticket()) == "35a64b87724b11b99933ca39792eb670a32ca595f33c7eae2e34cb34c8d27632"
    assert entry.hash == "0741f08ad65b16289022a1f651c199d0f3b5c20d2ee1c393584434c5bb26003d"


def test_entry_hash_of_the_same_instant_in_another_zone_is_the_same() -> None:
    """Zones are a matter of showing."""
    (entry,) = _ticket("text").entries
    madrid = timezone(timedelta(hours=1))

    assert entry_hash("", replace(entry, at=NOON.astimezone(madrid))) == entry_hash("", entry)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"title": "a wish"}, "the ticket's own facts or entry 1 changed"),
        ({"number": 8}, "the ticket's own facts or entry 1 changed"),
        ({"state": TicketState.CLOSED}, "its state is closed, its last entry says new"),
        ({"entries": ()}, "it has no entries"),
    ],
)
def test_broken_entries_of_a_changed_ticket_name_the_place(changed: dict[str, object], found: str) -> None:
    """Each kind of tampering is told from the others."""
    ticket = replace(_ticket("one", "two"), **changed)  # type: ignore[arg-type]  # fields by name

    assert any(found in line for line in broken_entries(ticket))


def test_broken_entries_after_one_was_taken_out_name_the_gap() -> None:
    """A removed entry shows where it was."""
    ticket = _ticket("one", "two", "three")
    entries = (ticket.entries[0], ticket.entries[2])

    assert any("entry 2 is missing" in line for line in broken_entries(replace(ticket, entries=entries)))
