"""Things that happen once: a mark is made by the first who asks."""

from collections.abc import Sequence

from sqlalchemy import select

from sentry.domain.events import Event
from sentry.ports import Clock
from sentry.store import schema
from sentry.store.database import Database
from sentry.store.events import EventLog
from sentry.store.writing import insert_new

WATCH_STARTED = "watch-started:"
"""The key of a start of the watch begins so: what a probe stood for ends there."""

_TABLE = schema.marks


class MarkBook:
    """Remembers that something was done, such as one budget ticket for each threshold and month."""

    def __init__(self, database: Database, events: EventLog, clock: Clock) -> None:
        """Keeps marks in the database; events go through the log."""
        self._database = database
        self._events = events
        self._clock = clock

    async def once(self, key: str, events: Sequence[Event] = ()) -> bool:
        """Makes the mark, and stores the events with it, in one transaction.

        Returns:
            True for the first caller of this key, False for every later one, whose events are not stored.
        """
        row = {"key": key, "at_us": self._clock.now()}
        async with self._database.write() as connection:
            made = (await connection.execute(insert_new(connection, _TABLE).values(row))).rowcount == 1
            if made:
                await self._events.append(connection, events)
        return made

    async def watch_started(self) -> None:
        """Remembers that the watch is started now."""
        await self.once(f"{WATCH_STARTED}{self._clock.now().isoformat()}")

    async def is_made(self, key: str) -> bool:
        """Returns whether the mark is there."""
        async with self._database.read() as connection:
            return (await connection.execute(select(_TABLE.c.key).where(_TABLE.c.key == key))).first() is not None
