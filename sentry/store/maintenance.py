"""Maintenance windows: their revisions, in the order in which they were said."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, insert, select

from sentry.domain.announcement import Revision
from sentry.store.database import Database
from sentry.store.documents import NOTICES, SITE_KEYS, WINDOW
from sentry.store.schema import maintenance


class StoredMaintenance:
    """Fills the `MaintenanceBook` port."""

    def __init__(self, database: Database) -> None:
        """Writes to the database."""
        self._database = database

    async def count(self) -> int:
        """Returns how many revisions there are."""
        async with self._database.read() as connection:
            return int((await connection.execute(select(func.count()).select_from(maintenance))).scalar_one())

    async def revisions(self) -> Sequence[Revision]:
        """Returns every revision, in the order in which they were added.

        Raises:
            StoreError: a row is damaged.
        """
        async with self._database.read() as connection:
            rows = (await connection.execute(select(maintenance).order_by(maintenance.c.position))).all()
        return [_revision(row) for row in rows]

    async def add(self, revisions: Sequence[Revision]) -> None:
        """Adds some in one transaction.

        Raises:
            StoreConflict: a window has a revision of that number already.
        """
        async with self._database.write() as connection:
            last = (await connection.execute(select(func.max(maintenance.c.position)))).scalar_one() or 0
            rows = [_row(place, one) for place, one in enumerate(revisions, start=last + 1)]
            if rows:
                await connection.execute(insert(maintenance), rows)


def _row(position: int, revision: Revision) -> dict[str, Any]:
    return {
        "position": position,
        "window_key": revision.window,
        "sequence": revision.sequence,
        "at_us": revision.at,
        "author": revision.author,
        "plan": None if revision.plan is None else WINDOW.dump(revision.plan),
        "joined_sites": NOTICES.dump(dict(revision.joined)),
        "left_sites": SITE_KEYS.dump(revision.left),
    }


def _revision(row: Row[Any]) -> Revision:
    where = f"maintenance {row.position}"
    return Revision(
        window=row.window_key,
        sequence=row.sequence,
        at=row.at_us,
        author=row.author,
        plan=None if row.plan is None else WINDOW.load(row.plan, where),
        joined=NOTICES.load(row.joined_sites, where),
        left=SITE_KEYS.load(row.left_sites, where),
    )
