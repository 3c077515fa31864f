"""Seals days that are over, and drops the raw samples that have become old.

A day is sealed in one pass over all checks, a slice of them in each transaction, and the pass remembers how far it
came: whatever kills the agent, the next one goes on from there. A slice is made of what stands in the store and of
nothing else, so doing it again writes the same bytes. Raw samples are dropped only where their day is sealed and
nothing came for it since; what comes later marks the day, which is then sealed anew.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Select, Text, cast, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.day import (
    MINUTES_PER_DAY,
    MS_PER_MINUTE,
    STATUSES,
    DayProbes,
    ProbeCounts,
    add_late,
    gather,
    summarize,
)
from sentry.domain.day_blob import decode, encode
from sentry.domain.errors import StoreError
from sentry.domain.ledger import Run
from sentry.domain.month import minute_of
from sentry.ports import Clock
from sentry.store.database import Database
from sentry.store.minutes import runs_within
from sentry.store.schema import checks, counters, day_blobs, day_summaries, samples, sealed_days
from sentry.store.sealed import RAW_FROM, SummaryRow, counts_of, days_with_samples, raw_from, summary_row
from sentry.store.writing import insert_or_replace, row_insert

RAW_MINUTES = 48 * 60
"""Raw samples are kept for so long."""

SETTLE_MINUTES = 120
"""A day is sealed so long after its end: turns that were unconfirmed at midnight are decided by then."""

CHECKS_IN_ONE_GO = 50
"""Checks of a slice: 72,000 samples, a tenth of a second of reading and 50 ms of reckoning, both beside the loop."""

ROWS_DROPPED = 5_000
"""Rows dropped in one transaction, and then the rest of their minute: some 10 ms of the writer."""

_log = structlog.get_logger(__name__)

_BLOBS = row_insert(day_blobs, replaces=("blob",))
_SUMMARIES = row_insert(day_summaries, replaces=[column.name for column in day_summaries.c if not column.primary_key])


@dataclass(slots=True)
class _Material:
    """What one check's day is made of.

    Attributes:
        texts: moments, codes, durations and reasons of its raw samples, each a list with commas.
        runs: of its ledger.
        blob: as it was sealed before, where raw samples of the day are gone already.
        counts: those of that blob.
    """

    texts: tuple[str, str, str, str] = ("", "", "", "")
    runs: list[Run] = field(default_factory=list)
    blob: bytes | None = None
    counts: ProbeCounts = field(default_factory=ProbeCounts)


class Sealing:
    """Seals and drops, a piece at a time."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Works on the database; the clock says which days are over."""
        self._database = database
        self._clock = clock

    async def work(self, for_s: float) -> bool:
        """Seals the days that are over, oldest first, and drops raw samples older than 48 hours.

        Args:
            for_s: begins nothing new after so many seconds.

        Returns:
            Whether everything is done; if not, the next call goes on.

        Raises:
            StoreUnavailable: locked, full or unreachable; what was done stands.
        """
        until = self._clock.monotonic() + for_s
        while self._clock.monotonic() < until:
            now = minute_of(self._clock.now())
            day = await self._next_day(now)
            if day is not None:
                await self._go_on_with(day)
            elif not await self._drop(now):
                return True
        return False

    async def _next_day(self, now: int) -> int | None:
        """Returns the oldest day that is over and not sealed, or that something came for since."""
        over = (now - SETTLE_MINUTES) // MINUTES_PER_DAY
        unfinished = select(func.min(sealed_days.c.day)).where(
            sealed_days.c.day < over, sealed_days.c.late.is_(True) | sealed_days.c.done.is_(False)
        )
        async with self._database.read() as connection:
            days = set((await connection.execute(unfinished)).scalars()) - {None}
            async for day in days_with_samples(connection, over):
                known = select(sealed_days.c.day).where(sealed_days.c.day == day)
                if (await connection.execute(known)).scalar() is None:
                    days.add(day)
                    break
        return min(days, default=None)

    async def _go_on_with(self, day: int) -> None:
        """Begins a pass over the checks, goes on with it by one slice, or ends it."""
        through = await self._pass(day)
        async with self._database.read() as connection:
            following = select(checks.c.id).where(checks.c.id > through).order_by(checks.c.id).limit(CHECKS_IN_ONE_GO)
            ids = list((await connection.execute(following)).scalars())
            material = await _gather_material(connection, day, ids) if ids else {}
        sealed = await asyncio.to_thread(_seal, day, material)
        async with self._database.write() as connection:
            await _BLOBS.write(connection, [(day, check_id, blob) for check_id, blob, _ in sealed])
            await _SUMMARIES.write(connection, [row for _, _, row in sealed])
            reached = {"through_check": ids[-1]} if ids else {"done": True}
            await connection.execute(update(sealed_days).where(sealed_days.c.day == day).values(**reached))

    async def _pass(self, day: int) -> int:
        """Returns the check up to which the pass over a day came; begins one where none is under way."""
        standing = select(sealed_days).where(sealed_days.c.day == day)
        async with self._database.read() as connection:
            row = (await connection.execute(standing)).one_or_none()
        if row is not None and not row.done:
            through: int = row.through_check
            return through
        # Committed before anything is read: what comes from now on marks the day again.
        begun = {"day": day, "through_check": 0, "done": False, "late": False}
        async with self._database.write() as connection:
            statement = insert_or_replace(connection, sealed_days, ("through_check", "done", "late"))
            await connection.execute(statement, begun)
        return 0

    async def _drop(self, now: int) -> bool:
        """Drops some of the raw samples that are old and sealed; returns whether there may be more."""
        async with self._database.write() as connection:
            first = (await connection.execute(select(func.min(samples.c.minute)))).scalar()
            if first is None or first >= now - RAW_MINUTES:
                return False
            day = first // MINUTES_PER_DAY
            sealed = select(sealed_days.c.day).where(
                sealed_days.c.day == day, sealed_days.c.done.is_(True), sealed_days.c.late.is_(False)
            )
            if (await connection.execute(sealed)).scalar() is None:
                return False
            bite = (
                select(samples.c.minute).order_by(samples.c.minute, samples.c.check_id).offset(ROWS_DROPPED).limit(1)
            )
            reached = (await connection.execute(bite)).scalar()
            end = min((day + 1) * MINUTES_PER_DAY, now - RAW_MINUTES, *([] if reached is None else [reached + 1]))
            await connection.execute(delete(samples).where(samples.c.minute < end))
            moved = update(counters).where(counters.c.name == RAW_FROM, counters.c.value < end).values(value=end)
            await connection.execute(moved)
        return True


async def _gather_material(connection: AsyncConnection, day: int, ids: Sequence[int]) -> Mapping[int, _Material]:
    start, end = day * MINUTES_PER_DAY, (day + 1) * MINUTES_PER_DAY
    material = {check_id: _Material() for check_id in ids}
    for row in await connection.execute(_columns(start, ids)):
        material[row.check_id].texts = (row.moments, row.codes, row.durations, row.reasons)
    for check_id, runs in (await runs_within(connection, ids, start, end)).items():
        material[check_id].runs = runs
    if start < await raw_from(connection):
        before = (
            select(day_blobs.c.blob, day_summaries)
            .join(
                day_blobs,
                (day_blobs.c.day == day_summaries.c.day) & (day_blobs.c.check_id == day_summaries.c.check_id),
            )
            .where(day_summaries.c.day == day, day_summaries.c.check_id.in_(ids))
        )
        for row in await connection.execute(before):
            material[row.check_id].blob, material[row.check_id].counts = row.blob, counts_of(row)
    return material


def _columns(start: int, ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    """Selects the samples of a day's checks, one row a check: each column is one text, made within the database."""
    moment = (samples.c.minute - start) * MS_PER_MINUTE + samples.c.offset_ms
    code = samples.c.kind * len(STATUSES) + samples.c.status
    listed = {
        "moments": cast(moment, Text),
        "codes": cast(code, Text),
        "durations": cast(samples.c.duration_us, Text),
        "reasons": func.coalesce(samples.c.reason, ""),
    }
    return (
        select(
            samples.c.check_id,
            *(func.aggregate_strings(column, ",").label(name) for name, column in listed.items()),
        )
        # Each minute by itself, so that the primary key leads to the checks within it.
        .where(
            samples.c.minute.in_(range(start, start + MINUTES_PER_DAY)), samples.c.check_id.between(ids[0], ids[-1])
        )
        .group_by(samples.c.check_id)
    )


def _seal(day: int, material: Mapping[int, _Material]) -> list[tuple[int, bytes, SummaryRow]]:
    """Makes blobs and summaries; a check of which nothing is known on that day gets none."""
    sealed = []
    for check_id, parts in material.items():
        if parts.texts[0] or parts.runs or parts.blob is not None:
            try:
                sealed.append(_seal_check(day, check_id, parts))
            except StoreError as error:
                _log.error("day_damaged", check_id=check_id, day=day, error=str(error))
    return sealed


def _seal_check(day: int, check_id: int, parts: _Material) -> tuple[int, bytes, SummaryRow]:
    probes = _probes(parts.texts)
    if parts.blob is None:
        found, counts = gather(probes)
    else:
        found, counts = add_late(decode(parts.blob), parts.counts, probes)
    return check_id, encode(found), summary_row(check_id, summarize(day, found, counts, parts.runs))


def _probes(texts: tuple[str, str, str, str]) -> DayProbes:
    moments, codes, durations, reasons = texts
    if not moments:
        return DayProbes()
    named = [reason or None for reason in reasons.split(",")] if reasons.strip(",") else []
    probes = DayProbes(_numbers(moments), _numbers(codes), _numbers(durations), named)
    return probes.in_order()


def _numbers(text: str) -> list[int]:
    return list(map(int, text.split(",")))
