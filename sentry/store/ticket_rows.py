"""Tickets and their entries as rows."""

from typing import Any

from sqlalchemy import Row

from sentry.domain.errors import StoreError
from sentry.domain.ticket import Ticket, TicketEntry, TicketState, Visibility


def ticket_row(ticket: Ticket) -> dict[str, Any]:
    """Returns the row of a ticket, without its entries."""
    return {
        "number": ticket.number,
        "key": ticket.key,
        "site_key": ticket.site_key,
        "client_key": ticket.client_key,
        "title": ticket.title,
        "state": ticket.state.value,
        "created_us": ticket.created_at,
    }


def ticket_of(row: Row[*tuple[Any, ...]], entries: tuple[TicketEntry, ...] = ()) -> Ticket:
    """Returns the ticket of a row.

    Raises:
        StoreError: the row is damaged.
    """
    return Ticket(
        number=row.number,
        key=row.key,
        site_key=row.site_key,
        client_key=row.client_key,
        title=row.title,
        state=_state(row.state, f"ticket {row.number}"),
        created_at=row.created_us,
        entries=entries,
    )


def entry_row(ticket_number: int, entry: TicketEntry, *, position: int, seal: str) -> dict[str, Any]:
    """Returns the row of an entry.

    Args:
        ticket_number: its ticket.
        entry: its content and hash.
        position: its place among all entries of the store, from 1.
        seal: the store-wide chain at this place.
    """
    return {
        "position": position,
        "ticket_number": ticket_number,
        "sequence": entry.sequence,
        "at_us": entry.at,
        "author": entry.author,
        "visibility": entry.visibility.value,
        "kind": entry.kind,
        "text": entry.text,
        "state": entry.state.value,
        "key": entry.key,
        "hash": entry.hash,
        "seal": seal,
    }


def entry_of(row: Row[*tuple[Any, ...]]) -> TicketEntry:
    """Returns the entry of a row.

    Raises:
        StoreError: the row is damaged.
    """
    return TicketEntry(
        sequence=row.sequence,
        at=row.at_us,
        author=row.author,
        visibility=Visibility(row.visibility),
        kind=row.kind,
        text=row.text,
        state=_state(row.state, f"ticket {row.ticket_number}, entry {row.sequence}"),
        hash=row.hash,
        key=row.key,
    )


def _state(value: str, name: str) -> TicketState:
    try:
        return TicketState(value)
    except ValueError as error:
        raise StoreError(f"damaged row: state of {name}: no such state: {value!r}") from error
