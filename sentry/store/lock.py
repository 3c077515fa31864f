"""One agent per store: two would probe twice and tell everybody everything twice."""

import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from sentry.domain.errors import StoreUnavailable

_TRY = text("SELECT pg_try_advisory_lock(7093640198)")
"""Belongs to the session, so PostgreSQL frees it when the agent dies. The number only has to be our own."""


@contextmanager
def lock_file(file: Path) -> Iterator[None]:
    """Holds a lock beside a SQLite file until the block ends; the system frees it when the agent dies.

    Raises:
        StoreUnavailable: another agent holds it.
        OSError: the file of the lock cannot be made.
    """
    # The file itself, so that two agents meet at one lock whatever links they came by.
    real = os.path.realpath(file)
    descriptor = os.open(f"{real}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _taken(real) from error
        yield
    finally:
        os.close(descriptor)


@asynccontextmanager
async def lock_server(engine: AsyncEngine, shown: str) -> AsyncIterator[None]:
    """Holds a lock of a PostgreSQL database until the block ends, on a connection that does nothing else.

    A server that is restarted forgets the lock; it is not taken anew, for the agent must go on either way.

    Raises:
        StoreUnavailable: another agent holds it.
    """
    async with engine.connect() as connection:
        # Without a transaction: one that stood open for weeks would keep the server from cleaning up.
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        if not (await connection.execute(_TRY)).scalar_one():
            raise _taken(shown)
        yield


def _taken(store: str) -> StoreUnavailable:
    return StoreUnavailable(f"another agent works on {store}; stop it first, or give this one a store of its own")
