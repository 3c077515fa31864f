"""When slow work is next due: a restart must not push an audit of every fifteen days into the future."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from sentry.store import schema
from sentry.store.database import Database
from sentry.store.writing import insert_or_replace

_TABLE = schema.due


@dataclass(frozen=True, slots=True)
class DueItem:
    """Work of a kind (`report`, `retention`) about a subject (a site, a client, or nothing), and when it is due."""

    kind: str
    subject: str
    at: datetime


class DueBook:
    """Keeps one due instant for each kind and subject."""

    def __init__(self, database: Database) -> None:
        """Keeps them in the database."""
        self._database = database

    async def set(self, kind: str, subject: str, at: datetime) -> None:
        """Sets when it is next due, in place of what was set before."""
        row = {"kind": kind, "subject": subject, "due_us": at}
        async with self._database.write() as connection:
            await connection.execute(insert_or_replace(connection, _TABLE, ("due_us",)), row)

    async def get(self, kind: str, subject: str = "") -> datetime | None:
        """Returns when it is next due, None where that was never set."""
        query = select(_TABLE.c.due_us).where(_TABLE.c.kind == kind, _TABLE.c.subject == subject)
        async with self._database.read() as connection:
            found: datetime | None = (await connection.execute(query)).scalar()
        return found

    async def due(self, now: datetime, kind: str | None = None) -> Sequence[DueItem]:
        """Returns what is due at this instant or was before, longest due first."""
        query = (
            select(_TABLE).where(_TABLE.c.due_us <= now).order_by(_TABLE.c.due_us, _TABLE.c.kind, _TABLE.c.subject)
        )
        if kind is not None:
            query = query.where(_TABLE.c.kind == kind)
        async with self._database.read() as connection:
            return [DueItem(row.kind, row.subject, row.due_us) for row in await connection.execute(query)]

    async def clear(self, kind: str, subject: str = "") -> None:
        """Forgets it: it is never due until it is set again."""
        statement = delete(_TABLE).where(_TABLE.c.kind == kind, _TABLE.c.subject == subject)
        async with self._database.write() as connection:
            await connection.execute(statement)
