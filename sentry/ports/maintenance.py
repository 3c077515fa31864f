"""Maintenance windows."""

from collections.abc import Sequence
from typing import Protocol

from sentry.domain.announcement import Revision


class MaintenanceBook(Protocol):
    """Every revision of every maintenance window; revisions are added and never changed."""

    async def count(self) -> int:
        """Returns how many revisions there are: whoever has read as many knows them all."""
        ...

    async def revisions(self) -> Sequence[Revision]:
        """Returns all of them, in the order in which they were added."""
        ...

    async def add(self, revisions: Sequence[Revision]) -> None:
        """Adds some in one transaction.

        Raises:
            StoreConflict: a window has a revision of that number already; somebody else changed it meanwhile.
        """
        ...
