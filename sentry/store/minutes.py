"""Writes minutes into the ledger: a run that goes on is one changed row, however long it gets."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.ledger import MinuteState, Run
from sentry.domain.ledger_tail import extend
from sentry.store.schema import checks, ledger_runs
from sentry.store.writing import insert_or_replace, write_rows

CHUNK = 500
"""Checks looked at in one go, so that the event loop never stands still for long."""


async def add_minutes(connection: AsyncConnection, added: Mapping[int, Sequence[Run]]) -> None:
    """Adds minutes to the ledgers of checks; where one overlaps what stands, the worse state wins.

    Args:
        connection: a writing transaction.
        added: the new minutes by check number.
    """
    added = {check_id: runs for check_id, runs in added.items() if runs}
    ids = sorted(added)
    for place in range(0, len(ids), CHUNK):
        chunk = ids[place : place + CHUNK]
        tails = await _tails(connection, chunk, min(run.start for check_id in chunk for run in added[check_id]))
        dropped: list[dict[str, Any]] = []
        written: list[dict[str, Any]] = []
        for check_id in chunk:
            before = tails.get(check_id, {})
            after = {run.start: run for run in extend(list(before.values()), added[check_id])}
            dropped += [{"of": check_id, "start": start} for start in before if start not in after]
            written += [_row(check_id, run) for start, run in after.items() if before.get(start) != run]
        await write_rows(connection, _DROP, dropped)
        await write_rows(connection, insert_or_replace(connection, ledger_runs, ("end_minute", "state")), written)


async def _tails(connection: AsyncConnection, ids: Sequence[int], earliest: int) -> dict[int, dict[int, Run]]:
    tails: dict[int, dict[int, Run]] = {}
    for row in await connection.execute(_TAILS, {"ids": ids, "earliest": earliest}):
        tails.setdefault(row.check_id, {})[row.start_minute] = run_of(row)
    return tails


def run_of(row: Row[*tuple[Any, ...]]) -> Run:
    """Returns the run of a row."""
    return Run(row.start_minute, row.end_minute, MinuteState(row.state))


def _row(check_id: int, run: Run) -> dict[str, Any]:
    return {
        "check_id": check_id,
        "start_minute": run.start,
        "end_minute": run.end,
        "state": run.state.value,
    }


def _tail_query() -> Select[*tuple[Any, ...]]:
    """Selects, by the primary key alone, each check's runs from the one that holds or precedes a minute."""
    earlier = ledger_runs.alias()
    begin = (
        select(func.max(earlier.c.start_minute))
        .where(earlier.c.check_id == checks.c.id, earlier.c.start_minute <= bindparam("earliest"))
        .scalar_subquery()
    )
    return (
        select(ledger_runs)
        .join(checks, checks.c.id == ledger_runs.c.check_id)
        .where(
            checks.c.id.in_(bindparam("ids", expanding=True)),
            ledger_runs.c.start_minute >= func.coalesce(begin, bindparam("earliest")),
        )
        .order_by(ledger_runs.c.check_id, ledger_runs.c.start_minute)
    )


_TAILS = _tail_query()
_DROP = delete(ledger_runs).where(
    ledger_runs.c.check_id == bindparam("of"), ledger_runs.c.start_minute == bindparam("start")
)
