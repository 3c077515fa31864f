"""Writes what the watch saw: one transaction for samples, evidence, health, outages, minutes and events."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ScalarSelect, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.errors import StoreError
from sentry.domain.health import Health
from sentry.domain.ledger import Run
from sentry.domain.result import Status
from sentry.domain.site import Check
from sentry.ports import Clock, WatchRecord
from sentry.store.checks import CheckIndex
from sentry.store.columns import to_ms
from sentry.store.database import Database
from sentry.store.documents import HEALTH, RESULT
from sentry.store.events import EventLog
from sentry.store.minutes import CHUNK, add_minutes
from sentry.store.outages import OUTAGE_COLUMNS, outage_row
from sentry.store.samples import KIND_CODES, sample_row
from sentry.store.schema import checks, failures, health, outages, samples
from sentry.store.writing import SLICE, insert_new, insert_or_replace, write_rows

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
        uncounted = {check.key for check in checks if not check.options.counts}
        await self._index.register({check.key: check.site_key for check in checks}, now, uncounted=uncounted)

    async def load_health(self) -> Mapping[str, Health]:
        """Returns the last written health by check key; a damaged one is logged and left out."""
        query = select(checks.c.key, health.c.document).join(health, health.c.check_id == checks.c.id)
        found: dict[str, Health] = {}
        async with self._database.read() as connection, connection.stream(query) as rows:
            async for piece in rows.partitions(SLICE):
                for row in piece:
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
        sample_rows = (sample_row(number, record.result, record.kind) for number, record in batch)
        await write_rows(connection, insert_new(connection, samples), sample_rows)
        await _write_failures(connection, batch)
        newest = {number: record.health for number, record in batch if record.health is not None}
        health_rows = ({"check_id": number, "document": HEALTH.dump(known)} for number, known in newest.items())
        await write_rows(connection, insert_or_replace(connection, health, ("document",)), health_rows)
        outage_rows = (outage_row(number, record.outage) for number, record in batch if record.outage is not None)
        await write_rows(connection, insert_or_replace(connection, outages, OUTAGE_COLUMNS), outage_rows)
        await add_minutes(connection, _minutes(batch))
        await self._events.append(connection, [event for _, record in batch for event in record.events])


async def _without_repeats(connection: AsyncConnection, batch: Numbered) -> Numbered:
    """Leaves out records with events that are in the store already.

    A commit whose answer got lost is repeated by the watch. All else in a record may be written twice; an event
    would be handled twice. The same slot alone does not make a repeat: a clock that is set back has it again.
    """
    at = [to_ms(record.result.scheduled_at) for _, record in batch if record.events]
    ids = sorted({number for number, record in batch if record.events})
    stored: set[tuple[int, ...]] = set()
    for place in range(0, len(ids), CHUNK):
        span = {"ids": ids[place : place + CHUNK], "first": min(at), "last": max(at)}
        stored |= {tuple(row) for row in await connection.execute(_STORED, span)}
    if not stored:
        return batch
    return [(number, record) for number, record in batch if not (record.events and _trace(number, record) in stored)]


def _trace(number: int, record: WatchRecord) -> tuple[int, ...]:
    row = sample_row(number, record.result, record.kind)
    return tuple(row[column.name] for column in _TRACE)


async def _write_failures(connection: AsyncConnection, batch: Numbered) -> None:
    failed = [(number, record) for number, record in batch if record.result.status is Status.DOWN]
    rows = (
        {
            "check_id": number,
            "scheduled_us": record.result.scheduled_at,
            "kind": KIND_CODES[record.kind],
            "result": RESULT.dump(record.result),
        }
        for number, record in failed
    )
    await write_rows(connection, insert_new(connection, failures), rows)
    ids = {number for number, _ in failed}
    await write_rows(connection, _TRIM, ({"of": number, "skip": FAILURES_PER_CHECK} for number in ids))


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
_TRACE = (samples.c.check_id, samples.c.scheduled_ms, samples.c.kind, samples.c.status, samples.c.duration_us)
_STORED = select(*_TRACE).where(
    samples.c.check_id.in_(bindparam("ids", expanding=True)),
    samples.c.scheduled_ms.between(bindparam("first"), bindparam("last")),
)
