"""When duties are due, in memory."""

from datetime import datetime

from sentry.domain.errors import StoreUnavailable


class MemoryDueBook:
    """Fills the `DueBook` port; `locked` makes it refuse."""

    def __init__(self) -> None:
        self.at: dict[tuple[str, str], datetime] = {}
        self.locked = False

    async def get(self, kind: str, subject: str = "") -> datetime | None:
        return self.at.get((kind, subject))

    async def set(self, kind: str, subject: str, at: datetime) -> None:
        if self.locked:
            raise StoreUnavailable("locked")
        self.at[(kind, subject)] = at
