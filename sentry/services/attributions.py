"""Whose side an outage was on: people say so with a reason, and every word that was said is kept."""

from collections.abc import Sequence

from sentry.domain.errors import NotFound, TransitionRefused
from sentry.domain.failure_report import Attribution
from sentry.domain.incident import Incident, TimelineEntry
from sentry.domain.responsibility import AGENT, AttributionEntry, said_by_person
from sentry.ports import AttributionBook, Clock, IncidentStore


class Attributions:
    """Takes the words of people, and tells all that was said."""

    def __init__(self, *, incidents: IncidentStore, book: AttributionBook, clock: Clock) -> None:
        self._incidents = incidents
        self._book = book
        self._clock = clock

    async def attribute(self, incident_id: int, side: Attribution, *, by: str, reason: str) -> AttributionEntry:
        """Adds a person's word: it counts from now on, for the openings that there were so far.

        What is said of a group of sites that fail together is said of each of them.

        Args:
            incident_id: of an outage or a group.
            side: who answers for its minutes.
            by: who says so.
            reason: what shows it.

        Raises:
            ValueError: the name or the reason is empty or too long.
            NotFound: there is no such incident.
            TransitionRefused: it is no outage.
        """
        incident = await self._incidents.get(incident_id)
        if incident is None:
            raise NotFound(f"there is no incident {incident_id}")
        if incident.report is None and not incident.is_group:
            raise TransitionRefused(f"incident {incident_id} is no outage: no minute of it counts, on no side")
        now = self._clock.now()
        entry = said_by_person(side, incident.opening, by, reason, now)
        for member in incident.members:
            own = await self._incidents.get(member.id)
            if own is not None and own.report is not None:
                await self._append(own.id, said_by_person(side, own.opening, by, reason, now))
        await self._append(incident_id, entry)
        return entry

    async def _append(self, incident_id: int, entry: AttributionEntry) -> None:
        text = f"{entry.side}, says {entry.by}: {entry.reason}"
        told = TimelineEntry(entry.at, "attributed", text, {"side": entry.side.value})
        await self._book.append(incident_id, entry, told)

    async def history(self, incident: Incident) -> Sequence[AttributionEntry]:
        """Returns every word said of an incident, oldest first; none of a concern.

        Of an incident of before there were attributions, its report says what the agent guessed.
        """
        said = await self._book.history(incident.id)
        if said or incident.report is None:
            return said
        report = incident.report
        return [AttributionEntry(incident.detected_at, report.attribution, 1, AGENT, report.attribution_basis)]
