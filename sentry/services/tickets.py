"""Tickets of incidents: filed when one opens, followed while it lasts, solved when it has recovered."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Protocol

from sentry.domain.errors import TransitionRefused
from sentry.domain.events import Event, EventKind
from sentry.domain.incident import Incident, TimelineEntry
from sentry.domain.notice import NoticeKind
from sentry.domain.site import Language
from sentry.domain.ticket import Ticket, TicketState
from sentry.ports import Clock, IncidentStore, Marks, MessageRenderer, TicketMirror, TicketNote, TicketStore

AUTHOR = "online-sentry"


NOTED = frozenset({"evidence", "severity"})
"""What is worth a new report in the ticket: evidence that came late, a concern that has become worse."""


PLACED = frozenset({"released", "parent"})
"""Facts of an event that says how an incident is told which was held until then."""


class ChangeIncident(Protocol):
    """Changes one incident as it stands now (`Incidents.change`)."""

    def __call__(
        self, incident_id: int, changed: Callable[[Incident], Incident], entry: TimelineEntry | None = None
    ) -> Awaitable[Incident]:
        """Changes the incident and returns it."""
        ...


class IncidentTickets:
    """Keeps one ticket per incident.

    Args:
        tickets: the embedded book.
        change: how the incident learns its ticket's number.
        language: in which language a client's tickets are written.
    """

    def __init__(
        self,
        *,
        incidents: IncidentStore,
        tickets: TicketStore,
        change: ChangeIncident,
        renderer: MessageRenderer,
        language: Callable[[str], Language],
        clock: Clock,
    ) -> None:
        self._incidents = incidents
        self._tickets = tickets
        self._change = change
        self._renderer = renderer
        self._language = language
        self._clock = clock
        self._reactions = {
            EventKind.INCIDENT_OPENED: self._opened,
            EventKind.INCIDENT_REOPENED: self._reopened,
            EventKind.INCIDENT_UPDATED: self._updated,
            EventKind.INCIDENT_RESOLVED: self._resolved,
        }

    async def handle(self, event: Event) -> None:
        """Reacts to what happened to an incident. Each note has the event's id as its key: twice leaves one trace."""
        reaction = self._reactions.get(event.kind)
        incident = await self._incidents.get(int(event.subject)) if reaction else None
        if reaction is None or incident is None or incident.held_until is not None:
            return  # what is held is written down once it is known what it is part of
        parent = await self._incidents.get(incident.parent_id) if incident.parent_id is not None else None
        if parent is not None and not parent.is_group:
            return  # the ticket is that of what it depends on
        if event.data.keys() & PLACED:
            reaction = self._opened if incident.opening == 1 else self._reopened
        await reaction(event, incident)
        if parent is not None:
            await self._link(event, incident, parent)

    async def _link(self, event: Event, incident: Incident, parent: Incident) -> None:
        """Says once in the ticket of a member which other one it belongs to."""
        ticket = await self._tickets.find(ticket_key(incident.id))
        if ticket is not None:
            text = self._renderer.part_of(parent, self._language(incident.client_key))
            key = f"part of:{parent.id}:{incident.opening}"
            await self._tickets.append(ticket.number, TicketNote(AUTHOR, text, "linked"), event.at, key=key)

    async def _opened(self, event: Event, incident: Incident) -> None:
        await self._file(event, incident)

    async def _file(self, event: Event, incident: Incident) -> Ticket:
        language = self._language(incident.client_key)
        ticket = await self._tickets.file(
            key=ticket_key(incident.id),
            site_key=incident.site_key,
            client_key=incident.client_key,
            title=self._renderer.cause(incident, language),
            note=TicketNote(AUTHOR, self._renderer.report_text(incident, language), kind=_note_kind(incident)),
            at=event.at,
        )
        if incident.ticket_number is None:
            entry = TimelineEntry(
                self._clock.now(), "ticket_filed", f"ticket {ticket.number} filed", {"ticket": ticket.number}
            )
            await self._change(incident.id, lambda current: replace(current, ticket_number=ticket.number), entry)
        return ticket

    async def _note(self, event: Event, incident: Incident, text: str, kind: str, state: TicketState | None) -> None:
        ticket = await self._tickets.find(ticket_key(incident.id)) or await self._file(event, incident)
        key = f"event:{event.id}"
        try:
            await self._tickets.append(ticket.number, TicketNote(AUTHOR, text, kind, state=state), event.at, key=key)
        except TransitionRefused:
            # A person has already moved the ticket on; what happened is still written down.
            await self._tickets.append(ticket.number, TicketNote(AUTHOR, text, kind), event.at, key=key)

    async def _reopened(self, event: Event, incident: Incident) -> None:
        text = self._renderer.report_text(incident, self._language(incident.client_key))
        await self._note(event, incident, text, "reopened", TicketState.REOPENED)

    async def _updated(self, event: Event, incident: Incident) -> None:
        if event.data.get("added") in NOTED:
            text = self._renderer.report_text(incident, self._language(incident.client_key))
            await self._note(event, incident, text, _note_kind(incident), None)

    async def _resolved(self, event: Event, incident: Incident) -> None:
        message = self._renderer.message(
            incident,
            NoticeKind.RESOLVED,
            key=ticket_key(incident.id),
            language=self._language(incident.client_key),
            delayed_s=0.0,
        )
        await self._note(event, incident, message.text, "resolved", TicketState.SOLVED)


class TicketMirrors:
    """Sends each new entry of a ticket to the help desks that mirror the book.

    The embedded book is always the record: a help desk that is away loses nothing, its copy follows later.

    Args:
        mirrors: help desks by name.
        marks: remembers, over restarts, what was sent.
    """

    def __init__(self, *, tickets: TicketStore, mirrors: Mapping[str, TicketMirror], marks: Marks) -> None:
        self._tickets = tickets
        self._mirrors = mirrors
        self._marks = marks

    def replace(self, mirrors: Mapping[str, TicketMirror]) -> None:
        """Takes other help desks."""
        self._mirrors = mirrors

    async def handle(self, event: Event) -> None:
        """Sends what a ticket's change left to send.

        Raises:
            DeliveryError: a help desk did not accept an entry; the event is tried again later.
        """
        if event.kind is not EventKind.TICKET_CHANGED or not self._mirrors:
            return
        ticket = await self._tickets.get(int(event.subject))
        if ticket is not None:
            for name in self._mirrors:
                await self._catch_up(name, ticket)

    async def _catch_up(self, name: str, ticket: Ticket) -> None:
        for entry in ticket.entries:
            mark = f"mirror:{name}:{ticket.number}:{entry.sequence}"
            if not await self._marks.is_made(mark):
                await self._mirrors[name].send(ticket, entry)
                await self._marks.once(mark)


def _note_kind(incident: Incident) -> str:
    return "failure_report" if incident.concern is None else "concern"


def ticket_key(incident_id: int) -> str:
    """Returns the key under which an incident's ticket is filed."""
    return f"incident:{incident_id}"
