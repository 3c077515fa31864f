"""What a slow watch has told of its concerns, read from the events."""

from sentry.domain.concern import Concern
from sentry.domain.events import Event, EventKind
from tests.fakes.watch_store import MemoryEventQueue


class ToldEvents(MemoryEventQueue):
    """An event queue that says what is new in it."""

    def __init__(self) -> None:
        super().__init__(())
        self._read = 0

    def news(self) -> list[Event]:
        """Returns the events since it was last asked."""
        found, self._read = self.events[self._read :], len(self.events)
        return found

    def raised(self) -> list[Concern]:
        """Returns the concerns that were raised since, and nothing but such was told."""
        found = self.news()
        assert {event.kind for event in found} <= {EventKind.CONCERN_RAISED}
        return [Concern.of(event) for event in found]
