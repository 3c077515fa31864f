"""Writes what the watch saw: one transaction for samples, evidence, health, outages, minutes and events."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ScalarSelect, Table, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.errors import StoreError
from sentry.domain.health import Health
from sentry.domain.ledger import Run
from sentry.domain.result import Status
from sentry.domain.site import Check
from sentry.ports import Clock, WatchRecord
from sentry.store.checks import CheckIndex
from sentry.store.database import Database
from sentry.store.documents import HEALTH, RESULT
from sentry.store.events import EventLog
from sentry.store.minutes import add_minutes
from sentry.store.outages import outage_row
from sentry.store.samples import KIND_CODES, sample_row
from sentry.store.schema import checks, failures, health, outages, samples
from sentry.store.upserts import insert_new, insert_or_replace

FAILURES_PER_CHECK = 20
"""Failed results kept with their whole evidence; an outage's first is also in its incident's report."""

_log = structlog.get_logger(__name__)

Numbered = Sequence[tuple[int, WatchRecord]]


class StoredWatch:
    """Fills the `WatchStore` port."""

    def __init__(self, database: Database, index: CheckIndex, events: EventLog, clock: Clock) -> None:
        """Writes to the database; numbers come from the index, events go through the log."""
        self._database = database
        self._index = index
        self._events = events
        self._clock = clock

    async def register(self, checks: Sequence[Check], now: datetime) -> None:
        """Makes the checks known (first seen now if new) and marks those not named as removed."""
        await self._index.register({check.key: check.site_key for check in checks}, now)

    async def load_health(self) -> Mapping[str, Health]:
        """Returns the last written health by check key; a damaged one is logged and left out."""
        query = select(checks.c.key, health.c.document).join(health, health.c.check_id == checks.c.id)
        found: dict[str, Health] = {}
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        for row in rows:
            try:
                found[row.key] = HEALTH.load(row.document, f"check {row.key}")
            except StoreError as error:
                _log.error("health_damaged", check=row.key, error=str(error))
        return found

    async def commit(self, records: Sequence[WatchRecord]) -> None:
        """Writes a batch in one transaction: all of it or nothing; the same batch again leaves no second trace."""
        if not records:
            return
        async with self._database.write() as connection:
            keys = {record.result.check_key for record in records}
            ids = await self._index.ids(connection, keys, self._clock.now())
            numbered = [(ids[record.result.check_key], record) for record in records]
            fresh = await _without_repeats(connection, numbered)
            await self._write(connection, fresh)

    async def _write(self, connection: AsyncConnection, batch: Numbered) -> None:
        await _insert(connection, samples, [sample_row(number, entry.result, entry.kind) for number, entry in batch])
        await _write_failures(connection, batch)
        await _write_health(connection, batch)
        outage_rows = [outage_row(number, entry.outage) for number, entry in batch if entry.outage is not None]
        if outage_rows:
            replaced = ("confirmed_us", "reason", "failed_phase", "detail", "ended_us")
            await connection.execute(insert_or_replace(connection, outages, replaced), outage_rows)
        await add_minutes(connection, _minutes(batch))
        await self._events.append(connection, [event for _, entry in batch for event in entry.events])


async def _without_repeats(connection: AsyncConnection, batch: Numbered) -> Numbered:
    """Leaves out records with events that are in the store already.

    A commit whose answer got lost is repeated by the watch. All else in a record may be written twice; an event
    would be handled twice.
    """
    if not any(record.events for _, record in batch):
        return batch
    fresh = []
    for number, record in batch:
        row = sample_row(number, record.result, record.kind) if record.events else None
        if row is None or (await connection.execute(_SAMPLE, row)).first() is None:
            fresh.append((number, record))
    return fresh


async def _insert(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        await connection.execute(insert_new(connection, table), rows)


async def _write_failures(connection: AsyncConnection, batch: Numbered) -> None:
    rows = [
        {
            "check_id": number,
            "scheduled_us": record.result.scheduled_at,
            "kind": KIND_CODES[record.kind],
            "result": RESULT.dump(record.result),
        }
        for number, record in batch
        if record.result.status is Status.DOWN
    ]
    await _insert(connection, failures, rows)
    if rows:
        ids = {row["check_id"] for row in rows}
        await connection.execute(_TRIM, [{"of": number, "skip": FAILURES_PER_CHECK} for number in ids])


async def _write_health(connection: AsyncConnection, batch: Numbered) -> None:
    newest = {number: record.health for number, record in batch if record.health is not None}
    rows = [{"check_id": number, "document": HEALTH.dump(known)} for number, known in newest.items()]
    if rows:
        await connection.execute(insert_or_replace(connection, health, ("document",)), rows)


def _minutes(batch: Numbered) -> Mapping[int, Sequence[Run]]:
    added: dict[int, list[Run]] = {}
    for number, record in batch:
        added.setdefault(number, []).extend(record.minutes)
    return added


def _oldest_to_keep() -> ScalarSelect[Any]:
    newer = failures.alias()
    return (
        select(newer.c.scheduled_us)
        .where(newer.c.check_id == bindparam("of"))
        .order_by(newer.c.scheduled_us.desc())
        .offset(bindparam("skip"))
        .limit(1)
        .scalar_subquery()
    )


_TRIM = delete(failures).where(failures.c.check_id == bindparam("of"), failures.c.scheduled_us <= _oldest_to_keep())
_SAMPLE = select(samples.c.status).where(
    samples.c.check_id == bindparam("check_id"),
    samples.c.scheduled_ms == bindparam("scheduled_ms"),
    samples.c.kind == bindparam("kind"),
)
