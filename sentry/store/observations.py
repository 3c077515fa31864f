"""Findings: what was last found out about certificates, domains and the like, one JSON document for each."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import Row, delete, select

from sentry.domain.errors import StoreError
from sentry.ports import Observation
from sentry.store import schema
from sentry.store.database import Database
from sentry.store.documents import FACTS
from sentry.store.writing import insert_or_replace, write_rows

_TABLE = schema.findings

AT_ONCE = 200
"""Documents that are read in one turn of the event loop: there may be one for each of ten thousand certificates."""

_log = structlog.get_logger()


class StoredObservations:
    """Fills the `ObservationBook` port."""

    def __init__(self, database: Database) -> None:
        """Keeps them in the database."""
        self._database = database

    async def all(self, kind: str) -> Mapping[str, Observation]:
        """Returns the observations of a kind by their subjects."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(_TABLE).where(_TABLE.c.kind == kind))).all()
        found: dict[str, Observation] = {}
        for number, row in enumerate(rows, 1):
            observation = _observation(row)
            if observation is not None:
                found[row.subject] = observation
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return found

    async def keep(self, kind: str, subject: str, observation: Observation) -> None:
        """Keeps an observation in place of the one before."""
        await self.keep_all(kind, {subject: observation})

    async def keep_all(self, kind: str, observations: Mapping[str, Observation]) -> None:
        """Keeps many observations of a kind in one transaction, each in place of the one before."""
        if not observations:
            return
        rows = (
            {"kind": kind, "subject": subject, "at_us": one.at, "facts": FACTS.dump(dict(one.facts))}
            for subject, one in observations.items()
        )
        async with self._database.write() as connection:
            await write_rows(connection, insert_or_replace(connection, _TABLE, ("at_us", "facts")), rows)

    async def forget(self, kind: str, subject: str) -> None:
        """Forgets an observation; one that is not there is forgotten already."""
        statement = delete(_TABLE).where(_TABLE.c.kind == kind, _TABLE.c.subject == subject)
        async with self._database.write() as connection:
            await connection.execute(statement)


def _observation(row: Row[Any]) -> Observation | None:
    """Returns what a row holds; None where it is damaged: it will be found out again."""
    try:
        return Observation(row.at_us, FACTS.load(row.facts, f"observation {row.kind} {row.subject}"))
    except StoreError as error:
        _log.error("finding_damaged", kind=row.kind, subject=row.subject, error=str(error))
        return None
