"""A book of maintenance windows in memory."""

from collections.abc import Sequence

from sentry.domain.announcement import Revision
from sentry.domain.errors import StoreConflict


class MemoryMaintenanceBook:
    """Fills the `MaintenanceBook` port."""

    def __init__(self, *revisions: Revision) -> None:
        self._revisions = list(revisions)

    async def count(self) -> int:
        return len(self._revisions)

    async def revisions(self) -> Sequence[Revision]:
        return list(self._revisions)

    async def add(self, revisions: Sequence[Revision]) -> None:
        taken = {(one.window, one.sequence) for one in self._revisions}
        if taken & {(one.window, one.sequence) for one in revisions}:
            raise StoreConflict("somebody else changed it meanwhile")
        self._revisions += revisions


class MemoryMarks:
    """Fills the `Marks` port."""

    def __init__(self) -> None:
        self.made: set[str] = set()

    async def once(self, key: str) -> bool:
        is_first = key not in self.made
        self.made.add(key)
        return is_first

    async def is_made(self, key: str) -> bool:
        return key in self.made
