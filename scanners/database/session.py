"""Reading from a database, whatever leads to it: selected columns as bytes, and nothing else."""

from collections.abc import Sequence
from typing import Protocol

Row = tuple[bytes | None, ...]

STATEMENT_S = 20
"""After that the server, where it can, ends a statement by itself."""

PRELUDES: Sequence[Sequence[str]] = (
    ("SET SESSION TRANSACTION READ ONLY", f"SET SESSION max_statement_time={STATEMENT_S}"),
    ("SET SESSION TRANSACTION READ ONLY", f"SET SESSION max_execution_time={STATEMENT_S * 1000}"),
    ("SET SESSION TRANSACTION READ ONLY",),
    (),
)
"""What binds a session to reading, and to its time: MariaDB's, MySQL's, and what older ones know of it."""


class DatabaseRefused(Exception):  # noqa: N818  # reads as a state
    """The database did not answer a question; the message says why, without secrets."""


class Database(Protocol):
    """An open database."""

    @property
    def way(self) -> str:
        """How it is read, for people."""
        ...

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file; else it is MySQL or MariaDB."""
        ...

    def rows(self, columns: Sequence[str], rest: str) -> Sequence[Row]:
        """Returns `SELECT columns rest`, each value as its bytes; the statement limits how many.

        Raises:
            DatabaseRefused: the database did not answer.
            HostLost: the link broke.
        """
        ...

    def close(self) -> None:
        """Ends it."""
        ...


def quoted(text: str) -> str:
    """Returns a text as it stands in a statement; of letters, digits and what no dialect reads otherwise."""
    if "\\" in text or "\0" in text:
        raise DatabaseRefused("a name with a backslash is not asked for")
    return "'" + text.replace("'", "''") + "'"


def number(value: bytes | None) -> int:
    """Returns a number that the database gave; zero where it is none."""
    try:
        return int(value or 0)
    except ValueError:
        return 0
