"""INSERT … ON CONFLICT, which both databases have in the same words and SQLAlchemy only by dialect."""

from collections.abc import Sequence

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Insert = sqlite.Insert | postgresql.Insert


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
