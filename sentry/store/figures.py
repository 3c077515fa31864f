"""Figures of many days: added up from sealed days, and from the ledger where a day is not whole or not sealed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Integer, Select, and_, bindparam, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.day import MINUTES_PER_DAY, DaySummary
from sentry.domain.ledger import MinuteState, Totals
from sentry.store.database import Database
from sentry.store.schema import checks, day_summaries, ledger_runs, sealed_days
from sentry.store.sealed import summary_of
from sentry.store.writing import SLICE

STATES = (MinuteState.UP, MinuteState.DOWN, MinuteState.DEGRADED, MinuteState.MAINTENANCE)


async def totals_of_span(database: Database, start: int, end: int, site_key: str | None) -> Mapping[str, Totals]:
    """Returns the minutes of each state in [start, end), by check.

    Args:
        database: where they stand.
        start: first minute, of any day.
        end: the minute after the last.
        site_key: only of this site's checks; of all checks where absent.
    """
    of_site = checks.c.site_key == site_key if site_key is not None else None
    async with database.read() as connection:
        keys = {
            row.id: row.key for row in await connection.execute(_where(select(checks.c.id, checks.c.key), of_site))
        }
        counted: dict[int, list[int]] = {}
        sealed = await _sealed_days(connection, start, end)
        if sealed:
            await _add(connection, _from_summaries(sealed, None if of_site is None else list(keys)), counted)
        for begin, until in _rest(sealed, start, end):
            await _add(connection, _from_ledger(of_site), counted, {"begin": begin, "until": until})
    return {keys[number]: _totals(minutes, end - start) for number, minutes in counted.items() if number in keys}


def _totals(minutes: Sequence[int], of: int) -> Totals:
    up, down, degraded, maintenance = minutes
    return Totals(up, down, degraded, maintenance, of - sum(minutes))


async def summaries_of(database: Database, check_key: str, start_day: int, end_day: int) -> Sequence[DaySummary]:
    """Returns the summaries of a check's sealed days [start_day, end_day), oldest first."""
    query = (
        select(day_summaries)
        .join(checks, checks.c.id == day_summaries.c.check_id)
        .where(checks.c.key == check_key, day_summaries.c.day.in_(bindparam("days", expanding=True)))
        .order_by(day_summaries.c.day)
    )
    known = select(sealed_days.c.day).where(sealed_days.c.day >= start_day, sealed_days.c.day < end_day)
    async with database.read() as connection:
        days = list((await connection.execute(known)).scalars())
        return [summary_of(row) for row in await connection.execute(query, {"days": days})]


async def _sealed_days(connection: AsyncConnection, start: int, end: int) -> list[int]:
    """Returns the days that lie within the span, are sealed, and that nothing came for since."""
    query = select(sealed_days.c.day).where(
        sealed_days.c.day >= -(-start // MINUTES_PER_DAY),
        sealed_days.c.day < end // MINUTES_PER_DAY,
        sealed_days.c.done.is_(True),
        sealed_days.c.late.is_(False),
    )
    return list((await connection.execute(query.order_by(sealed_days.c.day))).scalars())


def _rest(sealed: Sequence[int], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yields the minutes [begin, until) of a span that lie in none of the days."""
    reached = start
    for day in sealed:
        if reached < day * MINUTES_PER_DAY:
            yield reached, day * MINUTES_PER_DAY
        reached = (day + 1) * MINUTES_PER_DAY
    if reached < end:
        yield reached, end


async def _add(
    connection: AsyncConnection,
    query: Select[*tuple[Any, ...]],
    counted: dict[int, list[int]],
    span: Mapping[str, int] | None = None,
) -> None:
    async with connection.stream(query, span) as rows:
        async for piece in rows.partitions(SLICE):
            for number, *minutes in piece:
                standing = counted.get(number)
                counted[number] = (
                    minutes
                    if standing is None
                    else [one + other for one, other in zip(standing, minutes, strict=True)]
                )


def _from_summaries(days: Sequence[int], ids: Sequence[int] | None) -> Select[*tuple[Any, ...]]:
    """Adds up whole days. Each day and check by itself where they are few: the primary key leads to them."""
    sums = (func.sum(day_summaries.c[state.value]) for state in STATES)
    query = select(day_summaries.c.check_id, *sums).group_by(day_summaries.c.check_id)
    if ids is not None:
        return query.where(day_summaries.c.day.in_(days), day_summaries.c.check_id.in_(ids))
    return query.where(day_summaries.c.day.in_(days))


def _from_ledger(of_site: ColumnElement[bool] | None) -> Select[*tuple[Any, ...]]:
    """Adds up the parts of runs that lie in a span, from the run that holds or precedes its beginning."""
    earlier = ledger_runs.alias()
    begin: BindParameter[int] = bindparam("begin", type_=Integer)
    until: BindParameter[int] = bindparam("until", type_=Integer)
    first = (
        select(func.max(earlier.c.start_minute))
        .where(earlier.c.check_id == checks.c.id, earlier.c.start_minute <= begin)
        .correlate(checks)
        .scalar_subquery()
    )
    start, end = ledger_runs.c.start_minute, ledger_runs.c.end_minute
    inside = case((end < until, end), else_=until) - case((start > begin, start), else_=begin)
    sums = (func.sum(case((ledger_runs.c.state == state.value, inside), else_=0)) for state in STATES)
    query = (
        select(checks.c.id, *sums)
        .select_from(checks)
        .join(
            ledger_runs,
            and_(ledger_runs.c.check_id == checks.c.id, start >= func.coalesce(first, begin), start < until),
        )
        .where(end > begin)
        .group_by(checks.c.id)
    )
    return _where(query, of_site)


def _where(query: Select[*tuple[Any, ...]], condition: ColumnElement[bool] | None) -> Select[*tuple[Any, ...]]:
    return query if condition is None else query.where(condition)
