"""Rows of sealed days: which days are sealed, and the summary and the blob of each check."""

from collections.abc import AsyncIterator, Collection
from typing import Any

from sqlalchemy import Row, bindparam, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.day import MINUTES_PER_DAY, DaySummary, ProbeCounts
from sentry.domain.ledger import Totals
from sentry.store.schema import counters, samples, sealed_days
from sentry.store.writing import RowStatement

RAW_FROM = "raw_from"
"""The counter that holds the minute before which sealed days speak, and raw samples are dropped or late."""

_LATE = RowStatement(
    lambda _: (
        update(sealed_days)
        .where(sealed_days.c.day == bindparam("of"), sealed_days.c.late.is_(False))
        .values(late=true())
    )
)
_RAW_FROM = select(counters.c.value).where(counters.c.name == RAW_FROM)

SummaryRow = tuple[int | None, ...]
"""The columns of `day_summaries`, in the order of the table."""


async def mark_late(connection: AsyncConnection, days: Collection[int]) -> None:
    """Notes, within a writing transaction, that something came for these days: the sealed ones are sealed anew."""
    await _LATE.write(connection, ((day,) for day in sorted(days)))


async def raw_from(connection: AsyncConnection) -> int:
    """Returns the minute from which on the raw samples are complete."""
    found: int = (await connection.execute(_RAW_FROM)).scalar_one()
    return found


async def days_with_samples(connection: AsyncConnection, before: int) -> AsyncIterator[int]:
    """Yields the days before one that have raw samples, oldest first, with one look into the index each."""
    minute = -(2**31)
    while True:
        query = select(func.min(samples.c.minute)).where(samples.c.minute >= minute)
        first = (await connection.execute(query)).scalar()
        if first is None or first // MINUTES_PER_DAY >= before:
            return
        yield first // MINUTES_PER_DAY
        minute = (first // MINUTES_PER_DAY + 1) * MINUTES_PER_DAY


def summary_row(check_id: int, summary: DaySummary) -> SummaryRow:
    """Returns the row of a summary."""
    minutes, probes = summary.minutes, summary.probes
    return (
        summary.day,
        check_id,
        minutes.up,
        minutes.down,
        minutes.degraded,
        minutes.maintenance,
        summary.longest_down,
        probes.slots,
        probes.rechecks,
        probes.missed,
        probes.up,
        probes.down,
        probes.degraded,
        probes.unknown,
        probes.sum_us,
        probes.min_us,
        probes.max_us,
        summary.p50_us,
        summary.p95_us,
        summary.p99_us,
    )


def summary_of(row: Row[*tuple[Any, ...]]) -> DaySummary:
    """Returns the summary of a row; the minutes that it does not name are unknown."""
    seen = row.up + row.down + row.degraded + row.maintenance
    return DaySummary(
        day=row.day,
        minutes=Totals(row.up, row.down, row.degraded, row.maintenance, MINUTES_PER_DAY - seen),
        longest_down=row.longest_down,
        probes=counts_of(row),
        p50_us=row.p50_us,
        p95_us=row.p95_us,
        p99_us=row.p99_us,
    )


def counts_of(row: Row[*tuple[Any, ...]]) -> ProbeCounts:
    """Returns how many probes a summary's row says that there were."""
    return ProbeCounts(
        slots=row.slots,
        rechecks=row.rechecks,
        missed=row.missed,
        up=row.probes_up,
        down=row.probes_down,
        degraded=row.probes_degraded,
        unknown=row.probes_unknown,
        sum_us=row.sum_us,
        min_us=row.min_us,
        max_us=row.max_us,
    )
