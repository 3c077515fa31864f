"""Findings: what was last found out about certificates, domains and the like, one JSON document for each."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import Row, delete, select

from sentry.domain.errors import StoreError
from sentry.ports import Finding
from sentry.store import schema
from sentry.store.database import Database
from sentry.store.documents import FACTS
from sentry.store.writing import insert_or_replace, write_rows

_TABLE = schema.findings

AT_ONCE = 200
"""Documents that are read in one turn of the event loop: there may be one for each of ten thousand certificates."""

_log = structlog.get_logger()


class StoredFindings:
    """Fills the `FindingBook` port."""

    def __init__(self, database: Database) -> None:
        """Keeps them in the database."""
        self._database = database

    async def all(self, kind: str) -> Mapping[str, Finding]:
        """Returns the findings of a kind by their subjects."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(_TABLE).where(_TABLE.c.kind == kind))).all()
        found: dict[str, Finding] = {}
        for number, row in enumerate(rows, 1):
            finding = _finding(row)
            if finding is not None:
                found[row.subject] = finding
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return found

    async def keep(self, kind: str, subject: str, finding: Finding) -> None:
        """Keeps a finding in place of the one before."""
        await self.keep_all(kind, {subject: finding})

    async def keep_all(self, kind: str, findings: Mapping[str, Finding]) -> None:
        """Keeps many findings of a kind in one transaction, each in place of the one before."""
        if not findings:
            return
        rows = (
            {"kind": kind, "subject": subject, "at_us": one.at, "facts": FACTS.dump(dict(one.facts))}
            for subject, one in findings.items()
        )
        async with self._database.write() as connection:
            await write_rows(connection, insert_or_replace(connection, _TABLE, ("at_us", "facts")), rows)

    async def forget(self, kind: str, subject: str) -> None:
        """Forgets a finding; one that is not there is forgotten already."""
        statement = delete(_TABLE).where(_TABLE.c.kind == kind, _TABLE.c.subject == subject)
        async with self._database.write() as connection:
            await connection.execute(statement)


def _finding(row: Row[Any]) -> Finding | None:
    """Returns what a row holds; None where it is damaged: it will be found out again."""
    try:
        return Finding(row.at_us, FACTS.load(row.facts, f"finding {row.kind} {row.subject}"))
    except StoreError as error:
        _log.error("finding_damaged", kind=row.kind, subject=row.subject, error=str(error))
        return None
