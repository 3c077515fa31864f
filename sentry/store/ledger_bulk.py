"""Reads the ledger of many sites at once: one short transaction where each site alone would take several."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select, text

from sentry.domain.ledger import MinuteState, Run
from sentry.ports import SiteHistory
from sentry.store import attributions
from sentry.store.database import Database
from sentry.store.schema import checks, ledger_runs
from sentry.store.writing import SLICE

_STATES = {state.value: state for state in MinuteState}


@dataclass(slots=True)
class _Gathered:
    """What is read of one site, bit by bit."""

    runs: dict[str, list[Run]] = field(default_factory=dict)
    first_seen: dict[str, datetime] = field(default_factory=dict)
    uncounted: set[str] = field(default_factory=set)


async def histories(
    database: Database, site_keys: Collection[str], start: int, end: int
) -> Mapping[str, SiteHistory]:
    """Returns what is known of the checks of each site, their runs clipped to minutes [start, end).

    Args:
        database: where it stands.
        site_keys: each of them is in the answer; at most a few hundred.
        start: first minute.
        end: the minute after the last.
    """
    gathered = {key: _Gathered() for key in site_keys}
    runs_of: dict[int, list[Run]] = {}
    async with database.read() as connection:
        for row in await connection.execute(_CHECKS, {"sites": list(site_keys)}):
            of_site = gathered[row.site_key]
            of_site.first_seen[row.key] = row.first_seen_us
            of_site.runs[row.key] = runs_of[row.id] = []
            if not row.counts:
                of_site.uncounted.add(row.key)
        if runs_of:
            span = {"ids": list(runs_of), "start": start, "end": end}
            async with connection.stream(_RUNS, span) as rows:
                async for piece in rows.partitions(SLICE):  # a site may have flapped for weeks
                    for check_id, begins, ends, state in piece:
                        if ends > start:
                            run = Run(max(begins, start), min(ends, end), _STATES[state])
                            runs_of[check_id].append(run)
        attributed = await attributions.spans(connection, site_keys, start, end)
    return {
        key: SiteHistory(each.runs, each.first_seen, each.uncounted, attributed[key])
        for key, each in gathered.items()
    }


async def lapses(database: Database, since: int) -> Mapping[str, Hashable]:
    """Returns a mark of the minutes down or in maintenance, by site, from the runs that end after a minute.

    What was said since of whose side an incident was on is part of it.
    """
    found: dict[str, Hashable] = {}
    async with database.read() as connection, connection.stream(_LAPSES, {"since": since}) as rows:
        async for piece in rows.partitions(SLICE):
            for site_key, *mark in piece:
                found[site_key] = tuple(mark)
        for site_key, said in (await attributions.marks(connection, since)).items():
            found[site_key] = (found.get(site_key), said)
    return found


def _runs_query() -> Select[*tuple[Any, ...]]:
    """Selects, by the primary key alone, each check's runs from the one that holds or precedes a minute."""
    earlier = ledger_runs.alias()
    begin = (
        select(func.max(earlier.c.start_minute))
        .where(earlier.c.check_id == checks.c.id, earlier.c.start_minute <= bindparam("start"))
        .scalar_subquery()
    )
    return (
        select(ledger_runs.c.check_id, ledger_runs.c.start_minute, ledger_runs.c.end_minute, ledger_runs.c.state)
        .join(checks, checks.c.id == ledger_runs.c.check_id)
        .where(
            checks.c.id.in_(bindparam("ids", expanding=True)),
            ledger_runs.c.start_minute >= func.coalesce(begin, bindparam("start")),
            ledger_runs.c.start_minute < bindparam("end"),
        )
        .order_by(ledger_runs.c.check_id, ledger_runs.c.start_minute)
    )


def lapses_query() -> Select[*tuple[Any, ...]]:
    """Selects a few sums by site that no change of its minutes down or in maintenance leaves as they were."""
    down = ledger_runs.c.end_minute - ledger_runs.c.start_minute
    return (
        select(
            checks.c.site_key,
            func.count(),
            func.sum(ledger_runs.c.start_minute),
            func.sum(ledger_runs.c.end_minute),
            func.sum(down).filter(ledger_runs.c.state == MinuteState.DOWN.value),
        )
        .join(checks, checks.c.id == ledger_runs.c.check_id)
        # In the words of the index, or SQLite does not see that it holds these rows.
        .where(text("ledger_runs.state IN ('down', 'maintenance')"), ledger_runs.c.end_minute > bindparam("since"))
        .group_by(checks.c.site_key)
    )


_CHECKS = select(checks.c.id, checks.c.key, checks.c.site_key, checks.c.first_seen_us, checks.c.counts).where(
    checks.c.site_key.in_(bindparam("sites", expanding=True))
)
_RUNS = _runs_query()
_LAPSES = lapses_query()
