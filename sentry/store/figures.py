"""Figures of many days: added up from sealed days, and from the ledger where a day is not whole or not sealed."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import add
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    select,
)

from sentry.domain.day import MINUTES_PER_DAY, DaySummary
from sentry.domain.ledger import MinuteState, Totals
from sentry.store.database import Database
from sentry.store.schema import checks, day_summaries, ledger_runs, sealed_days
from sentry.store.sealed import summary_of
from sentry.store.writing import ROWS, RowQuery

STATES = (MinuteState.UP, MinuteState.DOWN, MinuteState.DEGRADED, MinuteState.MAINTENANCE)


async def totals_of_span(database: Database, start: int, end: int, site_key: str | None) -> Mapping[str, Totals]:
    """Returns the minutes of each state in [start, end), by check.

    Args:
        database: where they stand.
        start: first minute, of any day.
        end: the minute after the last.
        site_key: only of this site's checks; of all checks where absent.
    """
    queries = _OF_ALL if site_key is None else _OF_SITE
    of = {} if site_key is None else {"site": site_key}
    counted: dict[str, Sequence[int]] = {}
    async with database.read() as connection:
        first, last = -(-start // MINUTES_PER_DAY), end // MINUTES_PER_DAY
        sealed = [day for (day,) in await _SEALED.rows(connection, first=first, last=last)]
        if sealed:
            await _add(await queries.summaries.rows(connection, first=first, last=last, **of), counted)
        for begin, until in _rest(sealed, start, end):
            await _add(await queries.ledger.rows(connection, begin=begin, until=until, **of), counted)
    return {key: _totals(minutes, end - start) for key, minutes in counted.items()}


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


def _rest(sealed: Sequence[int], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yields the minutes [begin, until) of a span that lie in none of the days."""
    reached = start
    for day in sealed:
        if reached < day * MINUTES_PER_DAY:
            yield reached, day * MINUTES_PER_DAY
        reached = (day + 1) * MINUTES_PER_DAY
    if reached < end:
        yield reached, end


async def _add(rows: Sequence[Sequence[Any]], counted: dict[str, Sequence[int]]) -> None:
    """Adds minutes up by check; ten thousand checks at once would hold up the event loop."""
    for place in range(0, len(rows), ROWS):
        for key, *minutes in rows[place : place + ROWS]:
            standing = counted.get(key)
            counted[key] = minutes if standing is None else list(map(add, standing, minutes))
        await asyncio.sleep(0)


def _trusted(days: FromClause) -> ColumnElement[bool]:
    """Days within the span that are sealed, and that nothing came for since."""
    return and_(
        days.c.day >= bindparam("first", type_=Integer),
        days.c.day < bindparam("last", type_=Integer),
        days.c.done.is_(True),
        days.c.late.is_(False),
    )


def _from_summaries(of_site: ColumnElement[bool] | None) -> Select[*tuple[Any, ...]]:
    """Adds up whole days. One site's are found by the primary key, a look for each day and check."""
    sums = [func.sum(day_summaries.c[state.value]).label(state.value) for state in STATES]
    days = select(sealed_days.c.day).where(_trusted(sealed_days))
    added = select(day_summaries.c.check_id, *sums).where(day_summaries.c.day.in_(days))
    if of_site is not None:
        added = added.where(day_summaries.c.check_id.in_(select(checks.c.id).where(of_site)))
    added = added.group_by(day_summaries.c.check_id)
    each = added.subquery()
    return select(checks.c.key, *(each.c[state.value] for state in STATES)).join(each, each.c.check_id == checks.c.id)


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
    of_check = and_(ledger_runs.c.check_id == checks.c.id, start >= func.coalesce(first, begin), start < until)
    query = select(checks.c.key, *sums).select_from(checks).join(ledger_runs, of_check).where(end > begin)
    return (query if of_site is None else query.where(of_site)).group_by(checks.c.key)


@dataclass(frozen=True, slots=True)
class _Queries:
    """Both ways to the minutes of each check: key, up, down, degraded, maintenance."""

    summaries: RowQuery
    ledger: RowQuery


def _queries(of_site: ColumnElement[bool] | None) -> _Queries:
    return _Queries(RowQuery(_from_summaries(of_site)), RowQuery(_from_ledger(of_site)))


_SEALED = RowQuery(select(sealed_days.c.day).where(_trusted(sealed_days)).order_by(sealed_days.c.day))
_OF_ALL = _queries(None)
_OF_SITE = _queries(checks.c.site_key == bindparam("site", type_=Text))
