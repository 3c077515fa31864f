"""What was said of whose side incidents were on, in memory."""

from collections.abc import Sequence

from sentry.domain.errors import NotFound
from sentry.domain.incident import TimelineEntry
from sentry.domain.responsibility import AttributionEntry
from tests.fakes.incidents import MemoryIncidentStore


class MemoryAttributionBook:
    """Fills the `AttributionBook` port over an incident store in memory."""

    def __init__(self, incidents: MemoryIncidentStore | None = None) -> None:
        self.said: dict[int, list[AttributionEntry]] = {}
        self._incidents = incidents

    async def history(self, incident_id: int) -> Sequence[AttributionEntry]:
        return list(self.said.get(incident_id, []))

    async def append(self, incident_id: int, entry: AttributionEntry, told: TimelineEntry) -> None:
        if self._incidents is not None:
            found = await self._incidents.get(incident_id)
            if found is None:
                raise NotFound(f"there is no incident {incident_id}")
            await self._incidents.save(found, [told], [])
        self.said.setdefault(incident_id, []).append(entry)
