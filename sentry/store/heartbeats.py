"""The calls of the sites' own jobs: answered from memory, kept over restarts."""

from sqlalchemy import select

from sentry.ports import Heartbeat
from sentry.store.database import Database
from sentry.store.schema import heartbeats
from sentry.store.writing import insert_or_replace

MAX_TEXT = 1_000
"""Characters kept of what a job said; it comes from outside."""


class StoredHeartbeats:
    """Fills the `HeartbeatBook` port; `load` reads it once when the store is opened."""

    def __init__(self, database: Database) -> None:
        """Starts empty."""
        self._database = database
        self._last: dict[str, Heartbeat] = {}

    async def load(self) -> None:
        """Reads every last call into memory."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(heartbeats))).all()
        self._last = {row.check_key: Heartbeat(row.at_us, row.ok, row.text) for row in rows}

    def last(self, check_key: str) -> Heartbeat | None:
        """Returns the newest call, None where none ever came."""
        return self._last.get(check_key)

    async def record(self, check_key: str, heartbeat: Heartbeat) -> None:
        """Keeps a call, over restarts, in place of the one before.

        It counts as soon as it is known: were the store locked, the job would still be alive. It counts also where it
        is dated earlier than the last: the clock was set back, and the job is alive.

        Raises:
            StoreUnavailable: it counts until a restart, and could not be written.
        """
        heartbeat = Heartbeat(heartbeat.at, heartbeat.ok, heartbeat.text[:MAX_TEXT])
        self._last[check_key] = heartbeat
        row = {"check_key": check_key, "at_us": heartbeat.at, "ok": heartbeat.ok, "text": heartbeat.text}
        async with self._database.write() as connection:
            await connection.execute(insert_or_replace(connection, heartbeats, ("at_us", "ok", "text")), row)
