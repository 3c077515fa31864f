"""The index of checks: the small number that stands for each key, when it was first seen, and whether it is gone."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.store.database import Database
from sentry.store.schema import checks
from sentry.store.writing import write_rows


@dataclass(frozen=True, slots=True)
class KnownCheck:
    """A check that was watched at some time. `removed_at` is None while it is in the configuration."""

    key: str
    site_key: str
    first_seen: datetime
    removed_at: datetime | None


class CheckIndex:
    """Knows the number of each check; keeps the numbers in memory, since they never change."""

    def __init__(self, database: Database) -> None:
        """Starts empty; numbers are learned as they are met."""
        self._database = database
        self._ids: dict[str, int] = {}

    async def known(self, site_key: str | None = None) -> Sequence[KnownCheck]:
        """Returns every check ever watched, of one site or of all, by key."""
        query = select(checks.c.key, checks.c.site_key, checks.c.first_seen_us, checks.c.removed_us)
        if site_key is not None:
            query = query.where(checks.c.site_key == site_key)
        async with self._database.read() as connection:
            return [KnownCheck(*row) for row in await connection.execute(query.order_by(checks.c.key))]

    async def register(self, site_keys: Mapping[str, str], now: datetime, *, uncounted: Collection[str] = ()) -> None:
        """Makes these checks the watched ones: new ones are first seen now, all others are removed now.

        Args:
            site_keys: the site of each check key.
            now: aware UTC.
            uncounted: those of them that do not decide their site's state; remembered when they are removed.
        """
        async with self._database.write() as connection:
            rows = (await connection.execute(select(checks.c.key, checks.c.id, checks.c.removed_us))).all()
            removed = {row.key: row.removed_us is not None for row in rows}
            await _insert(connection, {key: site for key, site in site_keys.items() if key not in removed}, now)
            gone = [key for key, is_removed in removed.items() if not is_removed and key not in site_keys]
            back = [key for key, is_removed in removed.items() if is_removed and key in site_keys]
            await _set_removed(connection, gone, now)
            await _set_removed(connection, back, None)
            await _set_counts(connection, site_keys, uncounted)

    async def ids(self, connection: AsyncConnection, keys: Iterable[str], now: datetime) -> Mapping[str, int]:
        """Returns the number of each key within a writing transaction.

        A result of a check that nobody registered is our own fault, but no reason to lose what was seen: it is
        registered here.
        """
        missing = {key for key in keys if key not in self._ids}
        if not missing:
            return self._ids
        found = await _read_ids(connection)
        strangers = {key: key.partition("/")[0] for key in missing if key not in found}
        if not strangers:
            self._ids = found
            return found
        await _insert(connection, strangers, now)
        return await _read_ids(connection)  # not kept: the transaction may yet fail


async def _read_ids(connection: AsyncConnection) -> dict[str, int]:
    return {row.key: row.id for row in await connection.execute(select(checks.c.key, checks.c.id))}


async def _insert(connection: AsyncConnection, site_keys: Mapping[str, str], now: datetime) -> None:
    rows = ({"key": key, "site_key": site, "first_seen_us": now} for key, site in site_keys.items())
    await write_rows(connection, insert(checks), rows)


async def _set_counts(connection: AsyncConnection, keys: Iterable[str], uncounted: Collection[str]) -> None:
    rows = await connection.execute(select(checks.c.key, checks.c.counts))
    standing = {row.key: row.counts for row in rows}
    statement = update(checks).where(checks.c.key == bindparam("of")).values(counts=bindparam("say"))
    changed = ({"of": key, "say": key not in uncounted} for key in keys if standing[key] == (key in uncounted))
    await write_rows(connection, statement, changed)


async def _set_removed(connection: AsyncConnection, keys: Sequence[str], at: datetime | None) -> None:
    statement = update(checks).where(checks.c.key == bindparam("of")).values(removed_us=bindparam("at"))
    await write_rows(connection, statement, ({"of": key, "at": at} for key in keys))
