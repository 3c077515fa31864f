"""Reads how long the probes of past days took, minute by minute."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

import structlog
from sqlalchemy import bindparam, select

from sentry.domain.day import CheckDay
from sentry.domain.day_blob import decode
from sentry.domain.errors import StoreError
from sentry.store.database import Database
from sentry.store.schema import checks, day_blobs

_log = structlog.get_logger()

_BLOBS = (
    select(checks.c.key, day_blobs.c.day, day_blobs.c.blob)
    .join(checks, checks.c.id == day_blobs.c.check_id)
    .where(
        checks.c.key.in_(bindparam("keys", expanding=True)),
        day_blobs.c.day.in_(bindparam("days", expanding=True)),
    )
    .order_by(checks.c.key, day_blobs.c.day)
)


class StoredTimes:
    """Fills the `TimesReader` port from the sealed days."""

    def __init__(self, database: Database) -> None:
        """Reads the database."""
        self._database = database

    async def days(
        self, check_keys: Collection[str], first: int, end: int
    ) -> Mapping[str, Sequence[tuple[int, CheckDay]]]:
        """Returns the sealed days [first, end) of some checks, each with its number; a damaged one is left out."""
        async with self._database.read() as connection:
            rows = (
                await connection.execute(_BLOBS, {"keys": list(check_keys), "days": list(range(first, end))})
            ).all()
        return await asyncio.to_thread(_decoded, [tuple(row) for row in rows])


def _decoded(rows: Sequence[tuple[str, int, bytes]]) -> Mapping[str, Sequence[tuple[int, CheckDay]]]:
    found: dict[str, list[tuple[int, CheckDay]]] = {}
    for key, day, blob in rows:
        try:
            found.setdefault(key, []).append((day, decode(blob)))
        except StoreError as error:
            _log.error("day_damaged", check=key, day=day, error=str(error))
    return found
