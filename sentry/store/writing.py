"""Writes rows: many at a time, but never so many at once that the event loop stands still.

INSERT … ON CONFLICT is in the same words in both databases, and in SQLAlchemy only by dialect.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import ClauseElement, Executable, Select, Table
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


class RowStatement:
    """A statement that takes rows as plain tuples, past SQLAlchemy's handling of each value.

    For what every probe writes; no column of these has a type that changes what is written. On SQLite it goes to the
    driver itself: one hand-over to its thread, where SQLAlchemy takes three for a cursor.
    """

    def __init__(self, build: Callable[[AsyncConnection], ClauseElement]) -> None:
        """Keeps how the statement is built; it is put into words once for each kind of database."""
        self._build = build
        self._words: dict[str, str] = {}

    async def write(self, connection: AsyncConnection, rows: Iterable[tuple[Any, ...]]) -> None:
        """Executes it for each row; rows are handed over slice by slice, so that the event loop goes on between."""
        remaining = iter(rows)
        while piece := list(islice(remaining, ROWS)):
            words = self._in_words(connection)
            if connection.dialect.name == "sqlite":
                driver: Any = (await connection.get_raw_connection()).driver_connection
                await driver.executemany(words, piece)
            else:
                await connection.exec_driver_sql(words, piece)

    def _in_words(self, connection: AsyncConnection) -> str:
        name = connection.dialect.name
        if name not in self._words:
            self._words[name] = str(self._build(connection).compile(dialect=connection.dialect))
        return self._words[name]


class RowQuery:
    """A SELECT whose rows come as plain tuples; like `RowStatement`, one hand-over to SQLite's thread."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        """Keeps the statement; its parameters have names, and no column has a type that changes what is read."""
        self._statement = statement
        self._words: dict[str, tuple[str, Sequence[str], Mapping[str, Any]]] = {}

    async def rows(self, connection: AsyncConnection, **values: Any) -> Sequence[Sequence[Any]]:  # noqa: ANN401  # any column
        """Returns all rows for these values of the parameters."""
        name = connection.dialect.name
        if name not in self._words:
            compiled: Any = self._statement.compile(dialect=connection.dialect)
            self._words[name] = str(compiled), compiled.positiontup, compiled.params
        words, order, fixed = self._words[name]
        given = {**fixed, **values}
        places = tuple(given[one] for one in order)
        if name != "sqlite":
            return (await connection.exec_driver_sql(words, places)).all()
        driver: Any = (await connection.get_raw_connection()).driver_connection
        found: Sequence[Sequence[Any]] = await driver.execute_fetchall(words, places)
        return found


def row_insert(table: Table, *, replaces: Sequence[str] = ()) -> RowStatement:
    """Returns an INSERT of rows of all columns; where the key is there, it writes these columns or does nothing."""

    def build(connection: AsyncConnection) -> ClauseElement:
        return insert_or_replace(connection, table, replaces) if replaces else insert_new(connection, table)

    return RowStatement(build)


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
