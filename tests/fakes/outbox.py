"""An outbox of deliveries in memory."""

from collections.abc import Sequence
from datetime import datetime

from sentry.domain.errors import StoreUnavailable
from sentry.domain.notice import Delivery, DeliveryState


class MemoryOutbox:
    """Fills the `DeliveryOutbox` port.

    Attributes:
        deliveries: by key, in the order in which they were queued.
        locked_calls: so many further calls raise `StoreUnavailable`.
    """

    def __init__(self) -> None:
        self.deliveries: dict[str, Delivery] = {}
        self.locked_calls = 0

    async def enqueue(self, deliveries: Sequence[Delivery]) -> None:
        self._reach()
        for delivery in deliveries:
            self.deliveries.setdefault(delivery.key, delivery)

    async def due(self, now: datetime, limit: int, *, channel: str | None = None) -> Sequence[Delivery]:
        self._reach()
        found = [one for one in self._pending() if one.next_attempt_at <= now and channel in {None, one.channel}]
        return sorted(found, key=lambda one: one.created_at)[:limit]

    async def update(self, delivery: Delivery) -> None:
        self._reach()
        self.deliveries[delivery.key] = delivery

    async def of_incident(self, incident_id: int) -> Sequence[Delivery]:
        self._reach()
        return [one for one in self.deliveries.values() if one.incident_id == incident_id]

    async def backlog(self) -> tuple[int, datetime | None]:
        self._reach()
        pending = self._pending()
        return len(pending), min((one.created_at for one in pending), default=None)

    def states(self) -> dict[str, DeliveryState]:
        """Returns where each delivery stands, by key."""
        return {key: one.state for key, one in self.deliveries.items()}

    def _pending(self) -> list[Delivery]:
        return [one for one in self.deliveries.values() if one.state is DeliveryState.PENDING]

    def _reach(self) -> None:
        if self.locked_calls > 0:
            self.locked_calls -= 1
            raise StoreUnavailable("the outbox is locked, as the test asked")
