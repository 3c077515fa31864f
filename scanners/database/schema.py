"""The tables of a WordPress: which there are, under which prefix, and how they are walked through."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanners.database.session import Database, DatabaseRefused, Row, number, quoted
from sentry.domain.finding import Manifest, Skipped

MAX_TABLES = 5_000
ROWS_AT_ONCE = 40
VALUE_BYTES = 400_000
"""What is read of one value; the longest posts of page builders have about as much."""

MAX_PREFIXES = 40
_NAME = re.compile(r"^[A-Za-z0-9_$-]{1,64}$")
_BLOG = re.compile(r"^\d{1,6}_$")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of texts.

    Attributes:
        table: without its prefix; key: the column of numbers by which rows are told apart.
        label: a column that says which row it is, e.g. a title; empty where the key says it.
    """

    table: str
    key: str
    name: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One text of the database.

    Attributes:
        place: its table, row and column, for people.
    """

    place: str
    label: str
    text: bytes


class Schema:
    """The tables of one database, and the manifest of what was looked at in them.

    Attributes:
        prefixes: of the WordPress sites in it that belong together: the main one first, then those of its network.
    """

    def __init__(self, database: Database, manifest: Manifest, configured: str) -> None:
        self._database = database
        self._manifest = manifest
        self.tables = _tables(database)
        self.prefixes = _prefixes(self.tables, configured)

    def has(self, table: str) -> bool:
        """Whether there is a table of this whole name."""
        return table in self.tables

    def count(self, table: str) -> int:
        """Counts the rows of a table into the manifest, and returns how many."""
        try:
            rows = number(self._database.rows(("COUNT(*)",), f"FROM {named(table)}")[0][0])
        except DatabaseRefused as error:
            self.skip(table, f"its rows cannot be counted: {error}")
            return 0
        self._manifest.rows += rows
        return rows

    def rows(self, columns: Sequence[str], rest: str, place: str) -> Sequence[Row]:
        """Returns rows, none where they cannot be read; then that is in the manifest."""
        try:
            return self._database.rows(columns, rest)
        except DatabaseRefused as error:
            self.skip(place, str(error))
            return ()

    def cells(self, prefix: str, column: Column, condition: str) -> Iterator[Cell]:
        """Yields the texts of a column, by their keys, so that each question is short and none is asked twice."""
        table, last = prefix + column.table, -1
        label = f"SUBSTR({column.label}, 1, 100)" if column.label else "''"
        asked = (column.key, label, f"SUBSTR({column.name}, 1, {VALUE_BYTES})", f"LENGTH({column.name})")
        while True:
            where = f"WHERE {column.key} > {last} AND ({condition}) ORDER BY {column.key} LIMIT {ROWS_AT_ONCE}"
            rows = self.rows(asked, f"FROM {named(table)} {where}", f"{table} after {column.key} {last}")
            for key, title, text, length in rows:
                place = f"{table} {column.key}={number(key)} {column.name}"
                if number(length) > VALUE_BYTES * 4:  # characters of SQL may have four bytes
                    self.skip(place, f"only its first {VALUE_BYTES:,} characters are looked at", number(length))
                yield Cell(place, (title or b"").decode("utf-8", "replace"), text or b"")
            if len(rows) < ROWS_AT_ONCE:
                return
            last = max(last + 1, number(rows[-1][0]))

    def skip(self, place: str, why: str, size_bytes: int = 0) -> None:
        """Says in the manifest that something was not looked at."""
        self._manifest.skipped.append(Skipped(f"database: {place}", why, size_bytes))


def named(table: str) -> str:
    """Returns a table's name as it stands in a statement."""
    return f"`{table}`"


def option(schema: Schema, prefix: str, name: str) -> bytes | None:
    """Returns the value of an option, None where there is none."""
    table = f"{prefix}options"
    where = f"FROM {named(table)} WHERE option_name = {quoted(name)} LIMIT 1"
    rows = schema.rows(("option_value",), where, f"{table} {name}")
    return rows[0][0] if rows else None


def _tables(database: Database) -> frozenset[str]:
    if database.is_sqlite:
        rows = database.rows(("name",), f"FROM sqlite_master WHERE type IN ('table', 'view') LIMIT {MAX_TABLES}")
    else:
        where = f"FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() LIMIT {MAX_TABLES}"
        rows = database.rows(("TABLE_NAME",), where)
    names = {(row[0] or b"").decode("utf-8", "replace") for row in rows}
    return frozenset(name for name in names if _NAME.match(name))


def _prefixes(tables: frozenset[str], configured: str) -> Sequence[str]:
    """Returns the prefixes that have a WordPress: the configured one and its network; else whatever there is."""
    there = sorted(name.removesuffix("options") for name in tables if name.endswith("options"))
    there = [prefix for prefix in there if f"{prefix}posts" in tables]
    if configured in there:
        network = [one for one in there if one.startswith(configured) and _BLOG.match(one.removeprefix(configured))]
        return (configured, *network[:MAX_PREFIXES])
    return tuple(there[:MAX_PREFIXES])
