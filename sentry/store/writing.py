"""Writes rows: many at a time, but never so many at once that the event loop stands still.

INSERT … ON CONFLICT is in the same words in both databases, and in SQLAlchemy only by dialect.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

SLICE = 250
"""Rows made ready in one go: some 10 ms of Python, after which the loop may probe. All are still one transaction."""

ROWS = 1_000
"""Likewise of rows that are plain tuples, which nothing is done to on their way."""

Insert = sqlite.Insert | postgresql.Insert


async def write_rows(connection: AsyncConnection, statement: Executable, rows: Iterable[dict[str, Any]]) -> None:
    """Executes a statement for each row; rows that are generated are made slice by slice as well."""
    remaining = iter(rows)
    while piece := list(islice(remaining, SLICE)):
        await connection.execute(statement, piece)


class RowInsert:
    """An INSERT that takes rows as plain tuples of all columns, past SQLAlchemy's handling of each value.

    For the tables that every probe writes to; none of their columns has a type that changes what is written.
    """

    def __init__(self, table: Table, *, replaces: Sequence[str] = ()) -> None:
        """Prepares it; a row whose primary key is there already writes these columns, or is passed over."""
        self._table = table
        self._replaces = replaces
        self._by_dialect: dict[str, str] = {}

    async def write(self, connection: AsyncConnection, rows: Iterable[tuple[Any, ...]]) -> None:
        """Writes rows; those that are generated are made slice by slice, so that the event loop goes on between."""
        remaining = iter(rows)
        while piece := list(islice(remaining, ROWS)):
            await connection.exec_driver_sql(self._words(connection), piece)

    def _words(self, connection: AsyncConnection) -> str:
        name = connection.dialect.name
        if name not in self._by_dialect:
            statement = (
                insert_or_replace(connection, self._table, self._replaces)
                if self._replaces
                else insert_new(connection, self._table)
            )
            self._by_dialect[name] = str(statement.compile(dialect=connection.dialect))
        return self._by_dialect[name]


def insert_new(connection: AsyncConnection, table: Table) -> Insert:
    """Returns an insert that leaves a row of the same key as it stands."""
    return _insert(connection, table).on_conflict_do_nothing()


def insert_or_replace(connection: AsyncConnection, table: Table, columns: Sequence[str]) -> Insert:
    """Returns an insert that, where the primary key is there already, writes these columns."""
    statement = _insert(connection, table)
    return statement.on_conflict_do_update(
        index_elements=[column.name for column in table.primary_key],
        set_={name: statement.excluded[name] for name in columns},
    )


def _insert(connection: AsyncConnection, table: Table) -> Insert:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
