"""Writes what the watch saw: one transaction for samples, evidence, health, outages, minutes and events."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import structlog
from sqlalchemy import ScalarSelect, bindparam, delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.day import MINUTES_PER_DAY
from sentry.domain.errors import StoreError
from sentry.domain.health import Health
from sentry.domain.ledger import Run
from sentry.domain.result import Status
from sentry.domain.site import Check
from sentry.domain.weight import Weight
from sentry.ports import Clock, Correction, WatchRecord
from sentry.store.checks import CheckIndex
from sentry.store.database import Database
from sentry.store.documents import HEALTH, RESULT
from sentry.store.events import EventLog
from sentry.store.minutes import CHUNK, LedgerWriter
from sentry.store.outages import OUTAGE_COLUMNS, outage_row
from sentry.store.own_faults import Corrections
from sentry.store.samples import KIND_CODES, SampleRow, newest_row, sample_row
from sentry.store.schema import checks, failures, health, newest_samples, outages, samples
from sentry.store.sealed import mark_late
from sentry.store.writing import SLICE, insert_new, insert_or_replace, row_insert, write_rows

FAILURES_PER_CHECK = 20
"""Failed results kept with their whole evidence; an outage's first is also in its incident's report."""

SAMPLES_IN_ONE_GO = 1_000
"""Rows made ready before the event loop may go on: some 5 ms."""

_log = structlog.get_logger(__name__)

Numbered = Sequence[tuple[int, WatchRecord]]

_SAMPLES = row_insert(samples)
_NEWEST = row_insert(newest_samples, replaces=[column.name for column in newest_samples.c if not column.primary_key])
_MINUTE, _CHECK, _KEY = itemgetter(0), itemgetter(1), itemgetter(0, 1, 2, 3)


class StoredWatch:
    """Fills the `WatchStore` port."""

    def __init__(self, database: Database, index: CheckIndex, events: EventLog, clock: Clock) -> None:
        """Writes to the database; numbers come from the index, events go through the log."""
        self._database = database
        self._index = index
        self._events = events
        self._clock = clock
        self._ledger = LedgerWriter()
        self._corrections = Corrections(index, events, self._ledger, clock)
        self._committing = asyncio.Lock()  # what the ledger's writer remembers is of the batch before

    async def register(self, checks: Sequence[Check], now: datetime) -> None:
        """Makes the checks known (first seen now if new) and marks those not named as removed."""
        uncounted = {check.key for check in checks if check.options.weight is not Weight.DECIDES}
        await self._index.register({check.key: check.site_key for check in checks}, now, uncounted=uncounted)

    async def load_health(self) -> Mapping[str, Health]:
        """Returns the last written health by check key; a damaged one is logged and left out."""
        query = select(checks.c.key, health.c.document).join(health, health.c.check_id == checks.c.id)
        found: dict[str, Health] = {}
        async with self._database.read() as connection, connection.stream(query) as rows:
            async for piece in rows.partitions(SLICE):
                # Ten thousand documents are a fifth of a second of work, which the event loop need not wait for.
                found |= await asyncio.to_thread(_healths, [(row.key, row.document) for row in piece])
        return found

    async def commit(self, records: Sequence[WatchRecord]) -> None:
        """Writes a batch in one transaction: all of it or nothing; the same batch again leaves no second trace."""
        if not records:
            return
        async with self._committing:
            try:
                async with self._database.write() as connection:
                    keys = {record.result.check_key for record in records}
                    ids = await self._index.ids(connection, keys, self._clock.now())
                    numbered = [(ids[record.result.check_key], record) for record in records]
                    last = await self._write(connection, await _without_repeats(connection, numbered))
            except BaseException:  # a stop too: it may or may not have been committed
                self._ledger.forget()
                raise
            self._ledger.remember(last)

    async def correct(self, correction: Correction) -> None:
        """Writes what is known better, over what was committed before; in one transaction, any time again."""
        async with self._committing, self._database.write() as connection:
            await self._corrections.write(connection, correction)

    async def _write(self, connection: AsyncConnection, batch: Numbered) -> Mapping[int, Run]:
        rows = await _write_samples(connection, batch)
        await _write_failures(connection, batch)
        await _write_health(connection, batch)
        await _write_outages(connection, batch)
        added = _minutes(batch)
        last = await self._ledger.add(connection, added)
        await mark_late(connection, _days(rows, added))
        await self._events.append(connection, [event for _, record in batch for event in record.events])
        return last


def _healths(documents: Iterable[tuple[str, str]]) -> dict[str, Health]:
    found = {}
    for key, document in documents:
        try:
            found[key] = HEALTH.load(document, f"check {key}")
        except StoreError as error:
            _log.error("health_damaged", check=key, error=str(error))
    return found


async def _write_samples(connection: AsyncConnection, batch: Numbered) -> Sequence[SampleRow]:
    """Writes the samples, in the order of the table: neighbours share a page."""
    rows: list[SampleRow] = []
    for place in range(0, len(batch), SAMPLES_IN_ONE_GO):
        await asyncio.sleep(0)
        rows += [
            sample_row(number, record.result, record.kind)
            for number, record in batch[place : place + SAMPLES_IN_ONE_GO]
        ]
    rows.sort(key=_KEY)
    await _SAMPLES.write(connection, rows)
    newest = {_CHECK(row): row for row in rows}
    await _NEWEST.write(connection, (newest_row(newest[number]) for number in sorted(newest)))
    return rows


def _days(rows: Iterable[SampleRow], added: Mapping[int, Sequence[Run]]) -> set[int]:
    """The days that a batch says something of."""
    days = {minute // MINUTES_PER_DAY for minute in set(map(_MINUTE, rows))}
    for start, end in {(run.start, run.end) for runs in added.values() for run in runs if run.minutes > 0}:
        days.update(range(start // MINUTES_PER_DAY, (end - 1) // MINUTES_PER_DAY + 1))
    return days


async def _without_repeats(connection: AsyncConnection, batch: Numbered) -> Numbered:
    """Leaves out records with events that are in the store already.

    A commit whose answer got lost is repeated by the watch. All else in a record may be written twice; an event
    would be handled twice. The same slot alone does not make a repeat: a clock that is set back has it again.
    """
    own = {
        place: sample_row(number, record.result, record.kind)
        for place, (number, record) in enumerate(batch)
        if record.events
    }
    where = sorted({row[:2] for row in own.values()})
    stored: set[tuple[Any, ...]] = set()
    for place in range(0, len(where), CHUNK):
        stored |= {tuple(row) for row in await connection.execute(_STORED, {"places": where[place : place + CHUNK]})}
    if not stored:
        return batch
    return [entry for place, entry in enumerate(batch) if place not in own or _trace(own[place]) not in stored]


def _trace(row: SampleRow) -> tuple[Any, ...]:
    return row[:5] + row[6:7]


async def _write_failures(connection: AsyncConnection, batch: Numbered) -> None:
    failed = [(number, record) for number, record in batch if record.result.status is Status.DOWN]
    if not failed:
        return
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


async def _write_health(connection: AsyncConnection, batch: Numbered) -> None:
    newest = {number: record.health for number, record in batch if record.health is not None}
    if newest:
        rows = ({"check_id": number, "document": HEALTH.dump(known)} for number, known in newest.items())
        await write_rows(connection, insert_or_replace(connection, health, ("document",)), rows)


async def _write_outages(connection: AsyncConnection, batch: Numbered) -> None:
    rows = [outage_row(number, record.outage) for number, record in batch if record.outage is not None]
    if rows:
        await write_rows(connection, insert_or_replace(connection, outages, OUTAGE_COLUMNS), rows)


def _minutes(batch: Numbered) -> Mapping[int, Sequence[Run]]:
    added: dict[int, list[Run]] = {}
    for number, record in batch:
        if record.minutes:
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
_STORED = select(
    samples.c.minute,
    samples.c.check_id,
    samples.c.offset_ms,
    samples.c.kind,
    samples.c.status,
    samples.c.duration_us,
).where(tuple_(samples.c.minute, samples.c.check_id).in_(bindparam("places", expanding=True)))
