"""Writes minutes into the ledger: a run that goes on is one changed row, however long it gets."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.ledger import MinuteState, Run
from sentry.domain.ledger_tail import append, corrected, extend
from sentry.store.schema import checks, ledger_runs
from sentry.store.writing import row_insert, write_rows

CHUNK = 500
"""Checks looked at in one go, so that the event loop never stands still for long."""

_WORDS = {state: state.value for state in MinuteState}  # a property of an enum costs more than all the rest of a row
_WRITE = row_insert(ledger_runs, replaces=("end_minute", "state"))


_Merge = Callable[[Sequence[Run], Sequence[Run]], Sequence[Run]]


class LedgerWriter:
    """Adds minutes to the ledgers of checks; where one overlaps what stands, the worse state wins.

    It remembers the last run of each check, for nearly every minute goes on with it. The memory is of what was
    committed, and the one agent of a store is the only one that writes the ledger: after a write that failed, or may
    have, `forget` makes it look again.
    """

    def __init__(self) -> None:
        self._last: dict[int, Run] = {}

    async def add(self, connection: AsyncConnection, added: Mapping[int, Sequence[Run]]) -> Mapping[int, Run]:
        """Writes minutes within a writing transaction.

        Args:
            connection: the transaction.
            added: the new minutes by check number.

        Returns:
            The last run of each check, for `remember` once the transaction is committed.
        """
        last: dict[int, Run] = {}
        written: list[tuple[int, int, int, str]] = []
        others: dict[int, Sequence[Run]] = {}
        for check_id, runs in added.items():
            standing = self._last.get(check_id)
            changed = append(standing, runs) if standing is not None else None
            if changed is None:
                others[check_id] = runs
            elif changed:
                written += [_row(check_id, run) for run in changed]
                last[check_id] = changed[-1]
        await _WRITE.write(connection, written)
        return last | await _merge_within(connection, others, extend)

    async def correct(self, connection: AsyncConnection, minutes: Mapping[int, Sequence[Run]]) -> None:
        """Writes minutes, within a writing transaction, that stand as given, also where they were worse.

        Args:
            connection: the transaction.
            minutes: by check number; UNKNOWN ones leave the ledger.
        """
        for check_id in minutes:
            self._last.pop(check_id, None)
        await _merge_within(connection, minutes, corrected)

    def remember(self, last: Mapping[int, Run]) -> None:
        """Takes note of what was committed."""
        self._last.update(last)

    def forget(self) -> None:
        """Forgets every last run: what stands in the store is not known."""
        self._last.clear()


async def _merge_within(
    connection: AsyncConnection, added: Mapping[int, Sequence[Run]], merged: _Merge
) -> dict[int, Run]:
    """Changes ledgers whose ends must be read first."""
    ids = sorted(added)
    last: dict[int, Run] = {}
    for place in range(0, len(ids), CHUNK):
        chunk = ids[place : place + CHUNK]
        tails = await _tails(connection, chunk, min(run.start for check_id in chunk for run in added[check_id]))
        dropped: list[dict[str, Any]] = []
        written: list[tuple[int, int, int, str]] = []
        for check_id in chunk:
            before = tails.get(check_id, {})
            after = {run.start: run for run in merged(list(before.values()), added[check_id])}
            dropped += [{"of": check_id, "start": start} for start in before if start not in after]
            written += [_row(check_id, run) for start, run in after.items() if before.get(start) != run]
            if after:
                last[check_id] = after[max(after)]
        await write_rows(connection, _DROP, dropped)
        await _WRITE.write(connection, written)
    return last


async def _tails(connection: AsyncConnection, ids: Sequence[int], earliest: int) -> dict[int, dict[int, Run]]:
    tails: dict[int, dict[int, Run]] = {}
    for row in await connection.execute(_TAILS, {"ids": ids, "earliest": earliest}):
        tails.setdefault(row.check_id, {})[row.start_minute] = run_of(row)
    return tails


async def runs_within(
    connection: AsyncConnection, ids: Sequence[int], start: int, end: int
) -> Mapping[int, list[Run]]:
    """Returns the runs of checks that touch the minutes [start, end), not cut to them, ordered, by check number."""
    found: dict[int, list[Run]] = {}
    query = _TAILS.where(ledger_runs.c.start_minute < end, ledger_runs.c.end_minute > start)
    for row in await connection.execute(query, {"ids": ids, "earliest": start}):
        found.setdefault(row.check_id, []).append(run_of(row))
    return found


def run_of(row: Row[*tuple[Any, ...]]) -> Run:
    """Returns the run of a row."""
    return Run(row.start_minute, row.end_minute, MinuteState(row.state))


def _row(check_id: int, run: Run) -> tuple[int, int, int, str]:
    return check_id, run.start, run.end, _WORDS[run.state]


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
