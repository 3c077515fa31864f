"""A ticket: what the agency owes somebody, with an append-only, hash-chained history."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
    """

    sequence: int
    at: datetime
    author: str
    visibility: Visibility
    kind: str
    text: str
    state: TicketState
    hash: str


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
