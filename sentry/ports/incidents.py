"""Events, incidents and who answers for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sentry.domain.events import Event
from sentry.domain.incident import Incident, IncidentState, TimelineEntry
from sentry.domain.responsibility import AttributionEntry


class EventQueue(Protocol):
    """The outbox between the watch and the services: one row per (event, handler)."""

    async def publish(self, events: Sequence[Event]) -> None:
        """Stores events that no other write carries."""
        ...

    async def next_for(self, handler: str, now: datetime) -> Event | None:
        """Returns the oldest event this handler still owes, None when there is none or it must still back off."""
        ...

    async def done(self, event: Event, handler: str) -> None:
        """Marks it handled."""
        ...

    async def failed(self, event: Event, handler: str, error: str, retry_at: datetime | None) -> None:
        """Keeps the error and when to try again; with `retry_at=None` the event is given up for this handler."""
        ...


class IncidentStore(Protocol):
    """Incidents; the store itself refuses a second unresolved one of the same key."""

    async def unresolved(self, key: str) -> Incident | None:
        """Returns the unresolved incident of the key."""
        ...

    async def latest(self, key: str) -> Incident | None:
        """Returns the newest incident of the key, resolved or not."""
        ...

    async def open(self, incident: Incident, events: Sequence[Event]) -> Incident:
        """Stores a new incident (its id is ignored) with its timeline and events, in one transaction.

        An event whose subject is empty gets the new id as its subject.

        Returns:
            The incident with its id.

        Raises:
            StoreConflict: an unresolved incident has this key already.
        """
        ...

    async def save(self, incident: Incident, added: Sequence[TimelineEntry], events: Sequence[Event]) -> None:
        """Writes the incident's fields, appends to its timeline and stores the events, in one transaction."""
        ...

    async def adopt(
        self, parent: Incident, members: Sequence[int], added: Sequence[TimelineEntry], event: Event
    ) -> Incident:
        """Makes incidents members of another one and tells of it, in one transaction.

        A member is held no more; its timeline names the parent, and an INCIDENT_UPDATED event says
        `{"parent": id}`, for a resolved one followed by INCIDENT_RESOLVED.

        Args:
            parent: written as `save` does, or as `open` does where its id is 0.
            members: numbers of incidents.
            added: to the parent's timeline; of a new parent, its timeline.
            event: of the parent; an empty subject is filled in.

        Returns:
            The parent with its id.

        Raises:
            StoreConflict: an unresolved incident has the key of a new parent already.
        """
        ...

    async def held(self) -> Sequence[Incident]:
        """Returns the incidents that are not told yet, resolved ones too, oldest first, without their timelines."""
        ...

    async def get(self, incident_id: int) -> Incident | None:
        """Returns an incident with its whole timeline and its members."""
        ...

    async def list(
        self,
        *,
        site_key: str | None = None,
        state: IncidentState | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> Sequence[Incident]:
        """Returns incidents, newest first, without their timelines."""
        ...


class AttributionBook(Protocol):
    """What was said of whose side incidents were on. Nothing of it is changed or taken back.

    The agent's own guess is added by the incident store, with the report that it rests on.
    """

    async def history(self, incident_id: int) -> Sequence[AttributionEntry]:
        """Returns every word said of an incident, oldest first."""
        ...

    async def append(self, incident_id: int, entry: AttributionEntry, told: TimelineEntry) -> None:
        """Adds a word, and a line to the incident's timeline, in one transaction.

        Raises:
            NotFound: there is no such incident.
        """
        ...
