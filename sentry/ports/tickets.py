"""Tickets, in our own book and in those of others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sentry.domain.ticket import Ticket, TicketEntry, TicketState, Visibility


@dataclass(frozen=True, slots=True)
class TicketNote:
    """What is written into a ticket's history; a state where the ticket moves on with it."""

    author: str
    text: str
    kind: str = "comment"
    visibility: Visibility = Visibility.INTERNAL
    state: TicketState | None = None


class TicketStore(Protocol):
    """Tickets. Every write is idempotent by key: the same call twice leaves one trace."""

    async def file(
        self, *, key: str, site_key: str, client_key: str, title: str, note: TicketNote, at: datetime
    ) -> Ticket:
        """Files a ticket, or returns the one that already has this key."""
        ...

    async def append(self, number: int, note: TicketNote, at: datetime, *, key: str | None = None) -> TicketEntry:
        """Adds to the history; with a key that the ticket already has, returns the entry it names.

        Raises:
            NotFound: there is no such ticket.
            TransitionRefused: the state machine does not allow the move.
        """
        ...

    async def get(self, number: int) -> Ticket | None:
        """Returns a ticket with its whole history."""
        ...

    async def find(self, key: str) -> Ticket | None:
        """Returns the ticket that was filed under a key."""
        ...

    async def list(self, *, state: TicketState | None = None, limit: int = 100) -> Sequence[Ticket]:
        """Returns tickets, newest first, without their histories."""
        ...

    async def verify(self) -> Sequence[str]:
        """Recomputes every hash chain and checks the numbers; returns what is wrong, one line each."""
        ...


class TicketMirror(Protocol):
    """A help desk elsewhere that gets a copy of each entry."""

    async def send(self, ticket: Ticket, entry: TicketEntry) -> None:
        """Sends one entry.

        Raises:
            DeliveryError: it was not accepted; `retryable` says whether to try again.
        """
        ...
