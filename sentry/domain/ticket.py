"""A ticket: what the agency owes somebody, with an append-only, hash-chained history.

The history proves itself. The first entry is hashed over the ticket's own facts, each later one over the entry before
it, so a ticket that was exported can be checked by anyone with `broken_entries`. All entries of the store are sealed
in one further chain in the order in which they were written; its head, kept apart, shows when the newest are gone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256

from sentry.domain.errors import TransitionRefused


class TicketState(StrEnum):
    """States of a ticket (reference: desk)."""

    NEW = "new"
    NEEDS_INFO = "needs_info"
    COVERED = "covered"
    NOT_COVERED = "not_covered"
    IN_PROGRESS = "in_progress"
    WAITING_CLIENT = "waiting_client"
    WAITING_THIRD_PARTY = "waiting_third_party"
    SOLVED = "solved"
    CLOSED = "closed"
    REOPENED = "reopened"


class Visibility(StrEnum):
    """Who may read an entry."""

    INTERNAL = "internal"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class TicketEntry:
    """One entry of the history.

    Attributes:
        sequence: 1, 2, 3 … within the ticket, without gaps.
        hash: SHA-256 over the previous entry's hash and this entry's content, lower-case hex.
        key: what makes the entry the same when it is written again, None where nothing does.
    """

    sequence: int
    at: datetime
    author: str
    visibility: Visibility
    kind: str
    text: str
    state: TicketState
    hash: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket.

    Attributes:
        number: 1, 2, 3 … over the whole store, without gaps.
        key: idempotency key of what filed it, e.g. `incident:17`.
    """

    number: int
    key: str
    site_key: str
    client_key: str
    title: str
    state: TicketState
    created_at: datetime
    entries: tuple[TicketEntry, ...] = ()


_WORKED_ON = frozenset({TicketState.IN_PROGRESS, TicketState.SOLVED, TicketState.CLOSED})

MOVES: Mapping[TicketState, frozenset[TicketState]] = {
    TicketState.NEW: _WORKED_ON | {TicketState.NEEDS_INFO, TicketState.COVERED, TicketState.NOT_COVERED},
    TicketState.NEEDS_INFO: frozenset({TicketState.COVERED, TicketState.NOT_COVERED, TicketState.CLOSED}),
    TicketState.COVERED: _WORKED_ON,
    TicketState.NOT_COVERED: frozenset({TicketState.COVERED, TicketState.CLOSED}),
    TicketState.IN_PROGRESS: frozenset(
        {TicketState.WAITING_CLIENT, TicketState.WAITING_THIRD_PARTY, TicketState.SOLVED, TicketState.CLOSED}
    ),
    TicketState.WAITING_CLIENT: _WORKED_ON | {TicketState.WAITING_THIRD_PARTY},
    TicketState.WAITING_THIRD_PARTY: _WORKED_ON | {TicketState.WAITING_CLIENT},
    TicketState.SOLVED: frozenset({TicketState.CLOSED, TicketState.REOPENED}),
    TicketState.CLOSED: frozenset({TicketState.REOPENED}),
    TicketState.REOPENED: _WORKED_ON,
}
"""Which state may follow which (reference: desk). A new ticket may be solved at once: what failed may recover before
anybody has touched it. A person may close a ticket from every state."""


def move(current: TicketState, target: TicketState) -> TicketState:
    """Returns the target where the state machine allows the move; staying is no move and always allowed.

    Raises:
        TransitionRefused: it does not; the message names the moves that it does allow.
    """
    if target is not current and target not in MOVES[current]:
        allowed = ", ".join(state for state in TicketState if state in MOVES[current])
        raise TransitionRefused(f"a ticket that is {current} cannot become {target}; it can become: {allowed}")
    return target


def ticket_root(ticket: Ticket) -> str:
    """Returns the hash of what was filed, the start of the ticket's chain; its state is not part of it."""
    facts = {
        "number": ticket.number,
        "key": ticket.key,
        "site_key": ticket.site_key,
        "client_key": ticket.client_key,
        "title": ticket.title,
        "created_at": _instant(ticket.created_at),
    }
    return _hash("", facts)


def entry_hash(previous: str, entry: TicketEntry) -> str:
    """Returns the hash of an entry.

    Args:
        previous: hash of the entry before it, for the first one `ticket_root` of its ticket.
        entry: its content; the hash that it carries is not looked at.
    """
    facts = {
        "sequence": entry.sequence,
        "at": _instant(entry.at),
        "author": entry.author,
        "visibility": entry.visibility,
        "kind": entry.kind,
        "text": entry.text,
        "state": entry.state,
        "key": entry.key,
    }
    return _hash(previous, facts)


def next_seal(previous: str, written: str) -> str:
    """Returns the store-wide seal of an entry from the one before it (empty for the first) and the entry's hash."""
    return sha256(f"{previous}{written}".encode()).hexdigest()


def broken_entries(ticket: Ticket) -> tuple[str, ...]:
    """Checks a whole ticket by itself and returns what is wrong, one line each."""
    wrong = []
    previous = ticket_root(ticket)
    for place, entry in enumerate(ticket.entries, start=1):
        if entry.sequence != place:
            wrong.append(f"ticket {ticket.number}: entry {place} is missing or out of order (found {entry.sequence})")
        elif entry.hash != entry_hash(previous, entry):
            what = "the ticket's own facts or entry 1" if place == 1 else f"entry {place}"
            wrong.append(f"ticket {ticket.number}: {what} changed after it was written")
        previous = entry.hash
    if not ticket.entries:
        wrong.append(f"ticket {ticket.number}: it has no entries")
    elif ticket.entries[-1].state is not ticket.state:
        wrong.append(
            f"ticket {ticket.number}: its state is {ticket.state}, its last entry says {ticket.entries[-1].state}"
        )
    return tuple(wrong)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _hash(previous: str, facts: Mapping[str, object]) -> str:
    """SHA-256 over the previous hash and the facts as JSON: keys sorted, no spaces, UTF-8 as it is."""
    content = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(f"{previous}{content}".encode()).hexdigest()
