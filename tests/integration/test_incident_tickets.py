"""The ticket of an incident, over the real store: filed once, followed, solved, and never taken from a person."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from sentry.domain.concern import ConcernKind
from sentry.domain.errors import DeliveryError, DeliveryReason
from sentry.domain.events import Event, EventKind
from sentry.domain.incident import Incident, IncidentState, TimelineEntry
from sentry.domain.site import Language
from sentry.domain.ticket import Ticket, TicketEntry, TicketState
from sentry.ports import TicketNote
from sentry.services.tickets import IncidentTickets, TicketMirrors
from sentry.store import Store, open_store
from tests.fakes.clock import ManualClock
from tests.fakes.concerns import concern_incident
from tests.fakes.renderer import PlainRenderer
from tests.fakes.watch import NOON, incident, minute


@dataclass
class HelpDesk:
    """A mirror that remembers what it took, and refuses while it is away."""

    away: bool = False
    taken: list[tuple[int, int]] = field(default_factory=list)

    async def send(self, ticket: Ticket, entry: TicketEntry) -> None:
        if self.away:
            raise DeliveryError("nobody there", reason=DeliveryReason.UNREACHABLE, retryable=True)
        self.taken.append((ticket.number, entry.sequence))


@dataclass
class Desk:
    """The service and its mirror over one store."""

    store: Store
    tickets: IncidentTickets
    mirrors: TicketMirrors
    help_desk: HelpDesk

    async def open(self) -> Incident:
        """An incident opens and its event is handled."""
        opened = await self.store.incidents.open(incident("shop"), [])
        await self.tell(EventKind.INCIDENT_OPENED, opened)
        return opened

    async def tell(self, kind: EventKind, about: Incident, number: int = 1, **data: object) -> None:
        """An event of an incident is handled."""
        await self.tickets.handle(Event(kind, minute(number), str(about.id), dict(data), id=number))

    async def ticket(self) -> Ticket:
        """The only ticket, with its history."""
        ticket = await self.store.tickets.get(1)
        assert ticket is not None
        return ticket


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = ManualClock(NOON)
    async with open_store(f"sqlite:///{tmp_path}/sentry.db", handlers=("mirrors",), clock=clock) as store:

        async def change(
            incident_id: int, changed: Callable[[Incident], Incident], entry: TimelineEntry | None = None
        ) -> Incident:
            standing = await store.incidents.get(incident_id)
            assert standing is not None
            await store.incidents.save(changed(standing), [entry] if entry else [], [])
            return changed(standing)

        tickets = IncidentTickets(
            incidents=store.incidents,
            tickets=store.tickets,
            change=change,
            renderer=PlainRenderer(),
            language=lambda _client: Language.ES,
            clock=clock,
        )
        help_desk = HelpDesk()
        mirrors = TicketMirrors(tickets=store.tickets, mirrors={"desk": help_desk}, marks=store.marks)
        yield Desk(store, tickets, mirrors, help_desk)


async def test_incident_opened_files_one_ticket_and_learns_its_number(desk: Desk) -> None:
    """The ticket holds the failure report; handling the event again files nothing more."""
    opened = await desk.open()
    await desk.tell(EventKind.INCIDENT_OPENED, opened)

    ticket = await desk.ticket()
    standing = await desk.store.incidents.get(opened.id)
    assert [entry.kind for entry in ticket.entries] == ["failure_report"]
    assert standing is not None
    assert standing.ticket_number == 1
    assert [entry.kind for entry in standing.timeline][-1:] == ["ticket_filed"]
    assert len(await desk.store.tickets.list()) == 1


async def test_incident_resolved_solves_its_ticket_and_a_reopening_reopens_the_same(desk: Desk) -> None:
    """One problem, one ticket: it follows the incident through its openings, each event leaving one trace."""
    opened = await desk.open()
    resolved = replace(opened, state=IncidentState.RESOLVED, resolved_at=minute(5), recovered_at=minute(4))
    await desk.store.incidents.save(resolved, [], [])
    await desk.tell(EventKind.INCIDENT_RESOLVED, resolved, 2)
    await desk.tell(EventKind.INCIDENT_RESOLVED, resolved, 2)
    assert (await desk.ticket()).state is TicketState.SOLVED

    await desk.store.incidents.save(replace(opened, opening=2), [], [])
    await desk.tell(EventKind.INCIDENT_REOPENED, opened, 3)

    ticket = await desk.ticket()
    assert ticket.state is TicketState.REOPENED
    assert [entry.kind for entry in ticket.entries] == ["failure_report", "resolved", "reopened"]
    assert await desk.store.tickets.verify() == []


async def test_ticket_that_a_person_closed_is_told_of_the_end_and_stays_closed(desk: Desk) -> None:
    """What happened is written down, but nobody's decision is undone."""
    opened = await desk.open()
    closed = TicketNote("ana", "known problem of the provider", kind="closed", state=TicketState.CLOSED)
    await desk.store.tickets.append(1, closed, minute(1))

    await desk.tell(EventKind.INCIDENT_RESOLVED, opened, 2)

    ticket = await desk.ticket()
    assert ticket.state is TicketState.CLOSED
    assert ticket.entries[-1].kind == "resolved"


async def test_evidence_that_came_late_is_added_to_the_ticket(desk: Desk) -> None:
    """Other updates of the incident are in its timeline and leave the ticket alone."""
    opened = await desk.open()
    await desk.tell(EventKind.INCIDENT_UPDATED, opened, 2)
    await desk.tell(EventKind.INCIDENT_UPDATED, opened, 3, added="evidence")

    assert [entry.kind for entry in (await desk.ticket()).entries] == ["failure_report", "failure_report"]


async def test_mirror_that_was_away_gets_each_entry_once_and_in_order(desk: Desk) -> None:
    """The event stays owed while the help desk is away; what it has is never sent again."""
    await desk.open()
    changed = Event(EventKind.TICKET_CHANGED, NOON, "1", {"sequence": 1}, id=9)
    desk.help_desk.away = True
    with pytest.raises(DeliveryError):
        await desk.mirrors.handle(changed)
    await desk.store.tickets.append(1, TicketNote("ana", "looking into it"), minute(1))

    desk.help_desk.away = False
    await desk.mirrors.handle(changed)
    await desk.mirrors.handle(changed)

    assert desk.help_desk.taken == [(1, 1), (1, 2)]


async def test_each_ticket_entry_is_owed_to_the_mirrors(desk: Desk) -> None:
    """Also one that another process wrote, such as a comment from the command line."""
    await desk.open()
    await desk.store.tickets.append(1, TicketNote("ana", "looking into it"), minute(1))

    first = await desk.store.events.next_for("mirrors", NOON)
    assert first is not None
    assert (first.kind, first.subject, first.data) == (EventKind.TICKET_CHANGED, "1", {"sequence": 1})


async def test_concern_has_a_ticket_that_is_noted_when_it_becomes_worse_and_solved_in_the_end(desk: Desk) -> None:
    """As that of an outage; what only goes on adds nothing."""
    opened = await desk.store.incidents.open(concern_incident(ConcernKind.OWN_FAULT, ticket_number=None), [])
    await desk.tell(EventKind.INCIDENT_OPENED, opened)
    await desk.tell(EventKind.INCIDENT_UPDATED, opened, 2, added="facts")
    await desk.tell(EventKind.INCIDENT_UPDATED, opened, 3, added="severity")
    await desk.tell(EventKind.INCIDENT_UPDATED, opened, 3, added="severity")
    await desk.tell(EventKind.INCIDENT_RESOLVED, opened, 4)

    ticket = await desk.ticket()
    assert (ticket.site_key, ticket.client_key, ticket.state) == ("", "", TicketState.SOLVED)
    assert [entry.kind for entry in ticket.entries] == ["concern", "concern", "resolved"]


async def test_held_incident_has_no_ticket_until_it_is_told(desk: Desk) -> None:
    """What may be part of another problem is not written down as one of its own."""
    held = await desk.store.incidents.open(incident("shop", held_until=minute(1)), [])
    await desk.tell(EventKind.INCIDENT_OPENED, held)
    assert await desk.store.tickets.list() == []

    await desk.store.incidents.save(replace(held, held_until=None), [], [])
    await desk.tell(EventKind.INCIDENT_UPDATED, held, 2, released=True)
    assert [entry.kind for entry in (await desk.ticket()).entries] == ["failure_report"]


async def test_member_of_a_group_has_a_ticket_that_names_the_other_once(desk: Desk) -> None:
    """Each site has its own report and its own history; who reads it finds the whole problem."""
    parent = await desk.store.incidents.open(concern_incident(ConcernKind.GROUP, site_key="", client_key=""), [])
    member = await desk.store.incidents.open(incident("shop", parent_id=parent.id), [])
    for number in (1, 2):
        await desk.tell(EventKind.INCIDENT_UPDATED, member, number, parent=parent.id)

    entries = (await desk.ticket()).entries
    assert [(entry.kind, entry.text) for entry in entries] == [
        ("failure_report", "report of shop"),
        ("linked", f"part of incident {parent.id}"),
    ]


async def test_incident_that_depends_on_another_one_has_no_ticket_to_the_end(desk: Desk) -> None:
    """Nobody has to do anything about it; the ticket is that of what it depends on."""
    needed = await desk.store.incidents.open(incident("payments"), [])
    member = await desk.store.incidents.open(incident("shop", parent_id=needed.id), [])
    for number, kind in enumerate((EventKind.INCIDENT_OPENED, EventKind.INCIDENT_RESOLVED), start=1):
        await desk.tell(kind, member, number)

    assert await desk.store.tickets.list() == []
