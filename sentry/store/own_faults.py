"""Spans of own fault as rows, and what is known better because of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.day import MINUTES_PER_DAY
from sentry.domain.own_fault import FaultCause, OwnFault
from sentry.ports import Clock, Correction
from sentry.store.checks import CheckIndex
from sentry.store.database import Database
from sentry.store.documents import HEALTH, LINES
from sentry.store.events import EventLog
from sentry.store.minutes import LedgerWriter
from sentry.store.outages import OUTAGE_COLUMNS, outage_row
from sentry.store.schema import health, outages, own_faults
from sentry.store.sealed import mark_late
from sentry.store.writing import insert_or_replace, write_rows


class Corrections:
    """Writes what is known better, over what was committed before."""

    def __init__(self, index: CheckIndex, events: EventLog, ledger: LedgerWriter, clock: Clock) -> None:
        """Writes minutes by the ledger's writer; numbers come from the index, events go through the log."""
        self._index = index
        self._events = events
        self._ledger = ledger
        self._clock = clock

    async def write(self, connection: AsyncConnection, correction: Correction) -> None:
        """Writes all of it within a transaction; the same one again changes nothing."""
        if correction.fault is not None:
            await _write_fault(connection, correction.fault)
        keys = {one.health.check_key for one in correction.checks}
        ids = await self._index.ids(connection, keys, self._clock.now())
        await _write_checks(connection, correction, ids)
        minutes = {ids[one.health.check_key]: one.minutes for one in correction.checks if one.minutes}
        await self._ledger.correct(connection, minutes)
        await mark_late(connection, {run.start // MINUTES_PER_DAY for runs in minutes.values() for run in runs})
        await self._events.append(connection, correction.events)


async def _write_fault(connection: AsyncConnection, fault: OwnFault) -> None:
    row = {
        "began_us": fault.began_at,
        "cause": fault.cause.value,
        "ended_us": fault.ended_at,
        "evidence": LINES.dump(fault.evidence),
    }
    await connection.execute(insert_or_replace(connection, own_faults, ("ended_us", "evidence")), row)


async def _write_checks(connection: AsyncConnection, correction: Correction, ids: Mapping[str, int]) -> None:
    known = (
        {"check_id": ids[one.health.check_key], "document": HEALTH.dump(one.health)} for one in correction.checks
    )
    await write_rows(connection, insert_or_replace(connection, health, ("document",)), known)
    for one in correction.checks:
        number = ids[one.health.check_key]
        if one.withdrawn is not None:
            same = (outages.c.check_id == number) & (outages.c.started_us == one.withdrawn.started_at)
            await connection.execute(delete(outages).where(same))
        if one.outage is not None:
            statement = insert_or_replace(connection, outages, OUTAGE_COLUMNS)
            await connection.execute(statement, outage_row(number, one.outage))


async def spans(database: Database, start: datetime, end: datetime) -> Sequence[OwnFault]:
    """Returns the spans of own fault that touch [start, end), oldest first."""
    query = (
        select(own_faults)
        .where(own_faults.c.began_us < end, or_(own_faults.c.ended_us.is_(None), own_faults.c.ended_us >= start))
        .order_by(own_faults.c.began_us, own_faults.c.cause)
    )
    async with database.read() as connection:
        return [
            OwnFault(FaultCause(row.cause), row.began_us, row.ended_us, LINES.load(row.evidence, "own fault"))
            for row in await connection.execute(query)
        ]
