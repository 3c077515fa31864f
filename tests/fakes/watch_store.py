"""A watch store and an event queue in memory, with the faults a test asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sentry.domain.errors import StoreConflict, StoreUnavailable
from sentry.domain.events import Event
from sentry.domain.health import Health
from sentry.domain.site import Check
from sentry.ports import Correction, WatchRecord


class MemoryEventQueue:
    """Fills the `EventQueue` port.

    Attributes:
        unavailable: publishing is refused while it is set.
    """

    def __init__(self, handlers: Sequence[str]) -> None:
        self.unavailable = False
        self.events: list[Event] = []
        self.owed: dict[str, list[int]] = {name: [] for name in handlers}
        self.retry_at: dict[tuple[str, int], datetime] = {}
        self.given_up: list[tuple[str, int, str]] = []

    async def publish(self, events: Sequence[Event]) -> None:
        if self.unavailable:
            raise StoreUnavailable("locked")
        self.add(events)

    def add(self, events: Sequence[Event]) -> None:
        """Stores events as a transaction of another port does."""
        for event in events:
            self.events.append(replace(event, id=len(self.events) + 1))
            for queue in self.owed.values():
                queue.append(len(self.events))

    async def next_for(self, handler: str, now: datetime) -> Event | None:
        if not self.owed[handler]:
            return None
        number = self.owed[handler][0]
        retry_at = self.retry_at.get((handler, number))
        return None if retry_at is not None and now < retry_at else self.events[number - 1]

    async def done(self, event: Event, handler: str) -> None:
        self.owed[handler].remove(event.id)

    async def failed(self, event: Event, handler: str, error: str, retry_at: datetime | None) -> None:
        if retry_at is None:
            self.owed[handler].remove(event.id)
            self.given_up.append((handler, event.id, error))
        else:
            self.retry_at[(handler, event.id)] = retry_at


class MemoryWatchStore:
    """Fills the `WatchStore` port. `unavailable`: calls that fail first; `refuses`: checks it refuses."""

    def __init__(self, queue: MemoryEventQueue | None = None) -> None:
        self.records: list[WatchRecord] = []
        self.corrections: list[Correction] = []
        self.batches: list[int] = []
        self.health: dict[str, Health] = {}
        self.registered: list[str] = []
        self.unavailable = 0
        self.refuses: set[str] = set()
        self._queue = queue

    async def register(self, checks: Sequence[Check], now: datetime) -> None:
        self.registered = [check.key for check in checks]

    async def load_health(self) -> Mapping[str, Health]:
        return dict(self.health)

    async def commit(self, records: Sequence[WatchRecord]) -> None:
        if self.unavailable:
            self.unavailable -= 1
            raise StoreUnavailable("the store is locked")
        if any(record.result.check_key in self.refuses for record in records):
            raise StoreConflict("refused by the test")
        self.batches.append(len(records))
        for record in records:
            self.records.append(record)
            if record.health is not None:
                self.health[record.health.check_key] = record.health
            if self._queue is not None:
                self._queue.add(record.events)

    async def correct(self, correction: Correction) -> None:
        if self.unavailable:
            self.unavailable -= 1
            raise StoreUnavailable("the store is locked")
        self.corrections.append(correction)
        self.health |= {one.health.check_key: one.health for one in correction.checks}
        if self._queue is not None:
            self._queue.add(correction.events)
