"""Reads samples: the raw ones of the last 48 hours, and a minute each from the days that are sealed."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.day import MINUTES_PER_DAY, MS_PER_MINUTE, CheckDay
from sentry.domain.day_blob import decode
from sentry.domain.errors import StoreError
from sentry.domain.latency import time_us
from sentry.domain.result import Reason
from sentry.ports import Sample, SampleKind
from sentry.store.columns import from_ms
from sentry.store.database import Database
from sentry.store.samples import place_of, sample_of
from sentry.store.schema import checks, day_blobs, newest_samples, samples, sealed_days
from sentry.store.sealed import days_with_samples, raw_from
from sentry.store.writing import SLICE

MINUTES_IN_ONE_GO = 360
"""Minutes of raw samples asked for at once, each with one look into the index."""

_WHEN = attrgetter("scheduled_at")

_log = structlog.get_logger(__name__)


async def newest_of_span(
    database: Database, check_key: str, start: datetime, end: datetime, limit: int
) -> Sequence[Sample]:
    """Returns the newest samples of the span [start, end), oldest first.

    What is older than 48 hours has a sample a minute at most: its worst, without phases, its time within 3 %.
    """
    first, last = place_of(start), place_of(end)
    found: list[Sample] = []
    async with database.read() as connection:
        number = (await connection.execute(select(checks.c.id).where(checks.c.key == check_key))).scalar()
        if number is None:
            return ()
        reader = _Reader(connection, number, check_key, await raw_from(connection))
        async for piece in reader.backwards(first[0], last[0] + 1):
            found += [sample for sample in piece if start <= sample.scheduled_at < end]
            if len(found) >= limit:
                break
    return found[:limit][::-1]


async def newest_of_each(database: Database) -> Mapping[str, Sample]:
    """Returns the newest sample of each check that is watched now; a check never probed is not there."""
    query = (
        select(newest_samples, checks.c.key)
        .join(checks, checks.c.id == newest_samples.c.check_id)
        .where(checks.c.removed_us.is_(None))
        .order_by(checks.c.key)
    )
    found: dict[str, Sample] = {}
    async with database.read() as connection, connection.stream(query) as rows:
        async for piece in rows.partitions(SLICE):  # ten thousand at once would hold up the event loop
            found |= {row.key: sample_of(row, row.key) for row in piece}
    return found


class _Reader:
    """Walks back in time through what is known of one check.

    Args:
        number: of the check.
        raw_begin: the minute from which on the raw samples are complete. Before it sealed days speak, and raw ones
            only of minutes of which no sealed day knows: they came late.
    """

    def __init__(self, connection: AsyncConnection, number: int, check_key: str, raw_begin: int) -> None:
        self._connection = connection
        self._number = number
        self._key = check_key
        self._raw_begin = raw_begin

    async def backwards(self, first: int, end: int) -> AsyncIterator[list[Sample]]:
        """Yields the samples of the minutes [first, end), newest first, a piece at a time."""
        edges = select(func.min(samples.c.minute), func.max(samples.c.minute))
        oldest, newest = (await self._connection.execute(edges)).one()
        if newest is not None:
            async for piece in self._raw(max(first, oldest, self._raw_begin), min(end, newest + 1)):
                yield piece
        end = min(end, self._raw_begin)
        has_late = newest is not None and oldest < self._raw_begin
        async for day in self._days(first, end, has_late=has_late):
            begin = day * MINUTES_PER_DAY
            span = max(first, begin), min(end, begin + MINUTES_PER_DAY)
            known = await self._sealed(day)
            found = [sample for at, sample in known.items() if span[0] <= at < span[1]]
            if has_late:
                late = [sample async for piece in self._raw(*span) for sample in piece]
                found += [sample for sample in late if place_of(sample.scheduled_at)[0] not in known]
            yield sorted(found, key=_WHEN, reverse=True)

    async def _raw(self, first: int, end: int) -> AsyncIterator[list[Sample]]:
        while end > first:
            begin = max(first, end - MINUTES_IN_ONE_GO)
            query = (
                select(samples)
                .where(samples.c.minute.in_(range(begin, end)), samples.c.check_id == self._number)
                .order_by(samples.c.minute.desc(), samples.c.offset_ms.desc(), samples.c.kind.desc())
            )
            yield [sample_of(row, self._key) for row in await self._connection.execute(query)]
            end = begin

    async def _days(self, first: int, end: int, *, has_late: bool) -> AsyncIterator[int]:
        """Yields the days of which something may be known, newest first."""
        span = sealed_days.c.day.between(first // MINUTES_PER_DAY, (end - 1) // MINUTES_PER_DAY)
        days = set((await self._connection.execute(select(sealed_days.c.day).where(span))).scalars())
        if has_late:
            late = days_with_samples(self._connection, -(-end // MINUTES_PER_DAY))
            days |= {day async for day in late if day >= first // MINUTES_PER_DAY}
        for day in sorted(days, reverse=True):
            yield day

    async def _sealed(self, day: int) -> dict[int, Sample]:
        """Returns the samples of a sealed day by their minute; a damaged one is logged and left out."""
        query = select(day_blobs.c.blob).where(day_blobs.c.day == day, day_blobs.c.check_id == self._number)
        blob = (await self._connection.execute(query)).scalar()
        if blob is None:
            return {}
        try:
            return dict(_samples_of(day, decode(blob), self._key))
        except StoreError as error:
            _log.error("day_damaged", check=self._key, day=day, error=str(error))
            return {}


def _samples_of(day: int, found: CheckDay, check_key: str) -> Iterator[tuple[int, Sample]]:
    for minute, run, step in found.minutes():
        at = day * MINUTES_PER_DAY + minute
        kind = SampleKind.MISSED if run.reason == Reason.SLOT_MISSED else SampleKind.SLOT
        when = from_ms(at * MS_PER_MINUTE + found.offset_ms)
        yield at, Sample(check_key, when, kind, run.status.value, run.reason, time_us(step) / 1e6, {})
