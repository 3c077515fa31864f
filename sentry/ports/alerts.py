"""Messages: their words, their outbox and the channels that carry them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from sentry.domain.budget import Budget
from sentry.domain.incident import Incident
from sentry.domain.month import Month
from sentry.domain.notice import Delivery, Message, NoticeKind
from sentry.domain.site import Language
from sentry.domain.watched_site import WatchedSite


class DeliveryOutbox(Protocol):
    """Messages that are owed, each to one recipient on one channel."""

    async def enqueue(self, deliveries: Sequence[Delivery]) -> None:
        """Stores deliveries; one whose key is already there is left alone."""
        ...

    async def due(self, now: datetime, limit: int, *, channel: str | None = None) -> Sequence[Delivery]:
        """Returns pending deliveries whose next attempt is due, oldest (`created_at`) first.

        Args:
            now: the instant up to which `next_attempt_at` counts as due.
            limit: at most this many.
            channel: only those of this channel, so that the queue of a stuck one never hides another's.
        """
        ...

    async def update(self, delivery: Delivery) -> None:
        """Writes the outcome of an attempt."""
        ...

    async def of_incident(self, incident_id: int) -> Sequence[Delivery]:
        """Returns every delivery of an incident, oldest first."""
        ...

    async def backlog(self) -> tuple[int, datetime | None]:
        """Returns how many are pending, and when the oldest was due."""
        ...


class Channel(Protocol):
    """A way to reach people or machines."""

    def recipients(self) -> Sequence[str]:
        """Returns the addresses of this channel, `("",)` where it has only one."""
        ...

    async def send(self, message: Message, recipient: str) -> None:
        """Hands one message over; returns once the other side has accepted it.

        Raises:
            DeliveryError: it was not accepted; `retryable` and `reason` say what to do about it.
        """
        ...


@runtime_checkable
class StandingChannel(Protocol):
    """A channel whose other side forgets an alert unless it is said again (Alertmanager): beside `Channel`."""

    @property
    def resend_every_s(self) -> float:
        """Seconds after which the opening of an unresolved incident is sent again."""
        ...


class MessageRenderer(Protocol):
    """Puts an incident into words."""

    def message(
        self, incident: Incident, kind: NoticeKind, *, key: str, language: Language, delayed_s: float
    ) -> Message:
        """Returns the opening, re-opening or resolving message of an incident."""
        ...

    def cause(self, incident: Incident, language: Language) -> str:
        """Returns one line that anyone understands: what failed and why."""
        ...

    def report_text(self, incident: Incident, language: Language) -> str:
        """Returns the whole failure report, or all that is known of a concern, as readable text."""
        ...

    def part_of(self, parent: Incident, language: Language) -> str:
        """Returns the line that says of another incident that it is part of this one."""
        ...


class BudgetWording(Protocol):
    """Puts a spent budget into words."""

    def budget_ticket(self, site: WatchedSite, month: Month, budget: Budget, threshold: int) -> tuple[str, str]:
        """Returns the title and the text of the ticket for a threshold (percent of the budget) that was reached."""
        ...

    def burn_note(self, site: WatchedSite, facts: Mapping[str, Any]) -> str:
        """Returns what an outage does to the budget, for its ticket; the facts are those of a burn-rate concern."""
        ...
