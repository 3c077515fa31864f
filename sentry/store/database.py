"""The two sides of the database: one writer at a time, and readers that never wait for it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from sentry.store.address import StoreAddress
from sentry.store.faults import translated
from sentry.store.lock import lock_file, lock_server

_READERS = 4
_ONE_WRITER = text("SELECT pg_advisory_xact_lock(7093640197)")
"""Taken first in each PostgreSQL write: what BEGIN IMMEDIATE is to SQLite. The number only has to be our own."""

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # FULL, not NORMAL: with NORMAL a power cut may take back the last commits. A ticket number that a person has
    # been told, or the mark that a message was sent, must not be taken back. It costs one fsync a batch, in a thread.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # 16 MiB of log before it is copied back: samples of many checks touch one page each, copied once per checkpoint.
    "PRAGMA wal_autocheckpoint = 4096",
    "PRAGMA journal_size_limit = 67108864",
)


class Database:
    """Opens transactions on the store."""

    def __init__(self, address: StoreAddress, *, wait_s: float) -> None:
        """Prepares both sides; nothing is opened yet.

        Args:
            address: where it is.
            wait_s: how long a write waits for another writer before it gives up.
        """
        self._address = address
        self._wait_s = wait_s
        self.shown = address.shown
        self.is_sqlite = address.file is not None
        build = _sqlite_engine if self.is_sqlite else _postgres_engine
        self._writer = build(address, wait_s=wait_s, writes=True)
        self._reader = build(address, wait_s=wait_s, writes=False)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes: alone, committed at the end, rolled back on any error.

        Raises:
            StoreUnavailable: locked, full or unreachable; nothing was written.
            StoreConflict: a constraint refused it; nothing was written.
        """
        with translated(self.shown):
            async with self._writer.begin() as connection:
                if not self.is_sqlite:
                    await connection.execute(_ONE_WRITER)
                yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that reads one unchanging state of the store, beside any writer.

        Raises:
            StoreUnavailable: unreachable.
        """
        with translated(self.shown):
            async with self._reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def sole_agent(self) -> AsyncIterator[None]:
        """Keeps every other agent away from the store until the block ends.

        Raises:
            StoreUnavailable: another agent works on it.
        """
        async with AsyncExitStack() as stack:
            with translated(self.shown):
                if self._address.file is not None:
                    stack.enter_context(lock_file(self._address.file))
                else:
                    engine = _postgres_engine(self._address, wait_s=self._wait_s, writes=True)
                    stack.push_async_callback(engine.dispose)
                    await stack.enter_async_context(lock_server(engine, self.shown))
            yield

    async def aclose(self) -> None:
        """Closes every connection and ends their threads."""
        await self._reader.dispose()
        await self._writer.dispose()


def _sqlite_engine(address: StoreAddress, *, wait_s: float, writes: bool) -> AsyncEngine:
    engine = create_async_engine(
        address.url,
        pool_size=1 if writes else _READERS,
        max_overflow=0,
        pool_timeout=max(wait_s, 1),
        connect_args={"timeout": wait_s},
        hide_parameters=True,
    )
    pragmas = _SQLITE_PRAGMAS if writes else ("PRAGMA query_only = ON",)

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _entry: ConnectionPoolEntry) -> None:  # noqa: ANN401  # the driver's own connection, adapted
        connection.isolation_level = None  # sqlite3 begins no transactions by itself; `begin` below does
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE: a write that is upgraded from a read fails at once where another process writes (SQLITE_BUSY)
        begins = "BEGIN IMMEDIATE" if writes else "BEGIN"
        adapted: Any = connection.connection.dbapi_connection
        adapted.run_async(lambda driver: driver.execute(begins))  # one hand-over to the driver's thread, not three

    return engine


def _postgres_engine(address: StoreAddress, *, wait_s: float, writes: bool) -> AsyncEngine:
    engine = create_async_engine(
        address.url,
        pool_size=1 if writes else _READERS,
        max_overflow=0,
        pool_timeout=max(wait_s, 1),
        pool_pre_ping=True,  # the server may have been restarted since
        isolation_level="READ COMMITTED" if writes else "REPEATABLE READ",
        connect_args={
            "timeout": max(wait_s, 1),
            "command_timeout": 60,
            "server_settings": {"lock_timeout": str(round(wait_s * 1000)), "application_name": "online-sentry"},
        },
        hide_parameters=True,
    )
    return engine if writes else engine.execution_options(postgresql_readonly=True)
