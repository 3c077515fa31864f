"""Incidents and their timelines."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from sentry.domain.concern import ConcernKind
from sentry.domain.errors import NotFound, StoreConflict
from sentry.domain.events import Event, EventKind
from sentry.domain.failure_report import CollectedEvidence, DnsAnswer
from sentry.domain.incident import IncidentState, TimelineEntry
from sentry.domain.severity import Severity
from sentry.store import Store
from tests.fakes.concerns import concern_incident
from tests.fakes.incidents import report_of
from tests.fakes.watch import NOON, incident, minute

OPENED = Event(EventKind.INCIDENT_OPENED, NOON, "")
LINE = TimelineEntry(NOON, "opened", "The site does not answer.", {"check": "shop/http"})


async def test_open_a_new_incident_returns_it_with_its_number(store: Store) -> None:
    """Numbers begin at 1, and the event that announces it carries the number."""
    opened = await store.incidents.open(incident(timeline=(LINE,)), [OPENED])

    assert opened.id == 1
    assert await store.incidents.get(1) == opened
    assert opened.timeline == (LINE,)
    event = await store.events.next_for("alerts", NOON)
    assert event is not None
    assert (event.kind, event.subject) == (EventKind.INCIDENT_OPENED, "1")


async def test_open_a_second_of_the_same_key_is_refused_and_leaves_nothing(store: Store) -> None:
    """The store itself keeps the rule: no second incident, no event, and no number lost."""
    await store.incidents.open(incident(), [])

    with pytest.raises(StoreConflict):
        await store.incidents.open(incident(), [OPENED])

    assert await store.events.next_for("alerts", NOON) is None
    assert (await store.incidents.open(incident("site:blog"), [])).id == 2


async def test_open_after_the_first_is_resolved_is_a_new_incident(store: Store) -> None:
    """The rule is about unresolved ones only."""
    first = await store.incidents.open(incident(), [])
    await store.incidents.save(replace(first, state=IncidentState.RESOLVED, resolved_at=minute(9)), [], [])
    assert await store.incidents.unresolved("site:shop") is None

    second = await store.incidents.open(incident(at=minute(60)), [])

    assert second.id == 2
    assert await store.incidents.unresolved("site:shop") == second
    assert await store.incidents.latest("site:shop") == second


async def test_save_that_would_make_a_second_unresolved_is_refused(store: Store) -> None:
    """An old incident cannot be re-opened beside a new one of the same key."""
    first = await store.incidents.open(incident(), [])
    await store.incidents.save(replace(first, state=IncidentState.RESOLVED), [], [])
    await store.incidents.open(incident(at=minute(60)), [])

    with pytest.raises(StoreConflict):
        await store.incidents.save(replace(first, state=IncidentState.OPEN, opening=2), [], [])


async def test_save_a_changed_incident_keeps_every_field_and_adds_to_the_timeline(store: Store) -> None:
    """Late evidence, the acknowledgement and the end are found again, with the lines in their order."""
    opened = await store.incidents.open(incident(timeline=(LINE,)), [])
    answer = DnsAnswer("192.0.2.53", "shop.example", "A", ("192.0.2.7",), 0.01)
    late = CollectedEvidence(minute(1), dns=(answer,), complete=False, missing=("chains",))
    later = TimelineEntry(minute(1), "evidence", "Evidence was collected.")
    changed = replace(
        opened,
        state=IncidentState.ACKNOWLEDGED,
        acknowledged_at=minute(2),
        acknowledged_by="Ana",
        checks_down=frozenset({"shop/http", "shop/tls"}),
        ticket_number=7,
        report=replace(report_of(opened), evidence=late),
    )

    await store.incidents.save(changed, [later], [Event(EventKind.INCIDENT_UPDATED, minute(1), "")])

    assert await store.incidents.get(opened.id) == replace(changed, timeline=(LINE, later))
    event = await store.events.next_for("alerts", NOON)
    assert event is not None
    assert event.subject == "1"


@pytest.mark.parametrize("kind", list(ConcernKind))
async def test_open_a_concern_is_found_again_with_its_facts(store: Store, kind: ConcernKind) -> None:
    """It has a kind and facts in place of a failure report; what a hostile site put into them is stored harmless."""
    opened = await store.incidents.open(concern_incident(kind), [])
    assert await store.incidents.get(opened.id) == opened

    worse = replace(opened, severity=Severity.SEV1, facts={"detail": "\ud800\x00", "names": [1, None, 2.5]})
    await store.incidents.save(worse, [], [])

    again = await store.incidents.unresolved(opened.key)
    assert again is not None
    assert again.facts["names"] == [1, None, 2.5]
    assert not set("\ud800\x00") & set(again.facts["detail"])


async def test_save_an_incident_that_is_not_there_is_not_found(store: Store) -> None:
    """Nothing is written for a number that was never given."""
    with pytest.raises(NotFound, match="no incident 5"):
        await store.incidents.save(incident(id=5), [LINE], [OPENED])

    assert await store.events.next_for("alerts", NOON) is None


async def test_list_with_filters_gives_the_matching_newest_first(store: Store) -> None:
    """Lists can be narrowed by site, state and start."""
    for place in range(4):
        await store.incidents.open(incident(f"key:{place}", minute(place), site_key=f"site{place % 2}"), [])
    first = await store.incidents.get(1)
    assert first is not None
    await store.incidents.save(replace(first, state=IncidentState.RESOLVED), [], [])

    async def ids(**narrowed: object) -> list[int]:
        return [found.id for found in await store.incidents.list(**narrowed)]  # type: ignore[arg-type]  # by name

    assert await ids() == [4, 3, 2, 1]
    assert await ids(site_key="site0") == [3, 1]
    assert await ids(state=IncidentState.OPEN) == [4, 3, 2]
    assert await ids(since=minute(2)) == [4, 3]
    assert await ids(limit=1) == [4]


@pytest.mark.parametrize("change", ["UPDATE incident_timeline SET text = 'x'", "DELETE FROM incident_timeline"])
async def test_timeline_that_somebody_tries_to_change_stays_as_it_is(store: Store, change: str) -> None:
    """The database itself refuses to rewrite what happened."""
    opened = await store.incidents.open(incident(timeline=(LINE,)), [])

    with pytest.raises(StoreConflict, match="append-only"):
        async with store.database.write() as connection:
            await connection.execute(text(change))

    stored = await store.incidents.get(opened.id)
    assert stored is not None
    assert stored.timeline == (LINE,)


async def test_unresolved_by_state_counts_all_but_the_resolved(store: Store) -> None:
    """A state that no incident is in has its 0, so that a gauge comes back to it."""
    assert await store.incidents.unresolved_by_state() == {IncidentState.OPEN: 0, IncidentState.ACKNOWLEDGED: 0}
    for key, state in (("a", "open"), ("b", "open"), ("c", "acknowledged"), ("d", "resolved")):
        await store.incidents.open(replace(incident(f"site:{key}"), state=IncidentState(state)), [])

    await store.incidents.open(concern_incident(ConcernKind.DOMAIN), [])

    assert await store.incidents.unresolved_by_state() == {IncidentState.OPEN: 2, IncidentState.ACKNOWLEDGED: 1}


async def test_unresolved_by_concern_counts_those_that_stand(store: Store) -> None:
    """Outages are not among them, and a kind that does not stand has its 0."""
    await store.incidents.open(incident(), [])
    for place, state in enumerate(IncidentState):
        await store.incidents.open(concern_incident(ConcernKind.DOMAIN, key=f"domain:{place}", state=state), [])

    assert await store.incidents.unresolved_by_concern() == {
        kind: 2 if kind is ConcernKind.DOMAIN else 0 for kind in ConcernKind
    }


async def test_list_with_a_damaged_row_gives_the_others(store: Store) -> None:
    """One damaged incident does not empty the page."""
    await store.incidents.open(incident("a"), [])
    await store.incidents.open(incident("b"), [])
    async with store.database.write() as connection:
        await connection.execute(text("UPDATE incidents SET report = '{}' WHERE id = 1"))

    assert [found.key for found in await store.incidents.list()] == ["b"]


async def test_adopt_makes_a_new_parent_with_its_members_at_once(store: Store) -> None:
    """Whoever is told of the parent can see all of it; a member is held no more and says where it belongs."""
    held = [
        await store.incidents.open(incident(f"key:{place}", site_key=f"s{place}", held_until=minute(1)), [])
        for place in range(120)
    ]
    await store.incidents.save(replace(held[0], state=IncidentState.RESOLVED, recovered_at=minute(2)), [], [])
    assert [one.id for one in await store.incidents.held()] == [one.id for one in held]
    members = [one.id for one in held[:-1]]

    parent = await store.incidents.adopt(
        incident("group:address:192.0.2.7", site_key=""), members, [LINE], Event(EventKind.INCIDENT_OPENED, NOON, "")
    )

    found = await store.incidents.get(parent.id)
    assert found is not None
    assert found.timeline == (LINE,)
    assert [one.id for one in found.members] == members
    assert (found.members[0].state, found.members[0].recovered_at) == (IncidentState.RESOLVED, minute(2))
    assert [one.id for one in await store.incidents.held()] == [held[-1].id]
    member = await store.incidents.get(members[1])
    assert member is not None
    assert (member.parent_id, member.held_until) == (parent.id, None)
    assert [(entry.kind, entry.data) for entry in member.timeline] == [("parent", {"incident": parent.id})]
    told = await _told(store, 4)
    assert [(event.kind, event.subject) for event in told] == [
        (EventKind.INCIDENT_OPENED, str(parent.id)),
        (EventKind.INCIDENT_UPDATED, "1"),
        (EventKind.INCIDENT_RESOLVED, "1"),
        (EventKind.INCIDENT_UPDATED, "2"),
    ]
    assert told[1].data == {"parent": parent.id}


async def test_adopt_into_a_known_parent_writes_it_and_keeps_its_members(store: Store) -> None:
    """Later members come to those that are there."""
    first, second = [await store.incidents.open(incident(f"key:{place}"), []) for place in range(2)]
    opened = Event(EventKind.INCIDENT_OPENED, NOON, "")
    parent = await store.incidents.adopt(incident("group:host:web1"), [first.id], [LINE], opened)

    again = Event(EventKind.INCIDENT_REOPENED, minute(1), str(parent.id), {"opening": 2})
    await store.incidents.adopt(replace(parent, opening=2), [second.id], [LINE], again)

    found = await store.incidents.unresolved("group:host:web1")
    assert found is not None
    assert (found.id, found.opening, [one.id for one in found.members]) == (parent.id, 2, [first.id, second.id])
    assert found.timeline == (LINE, LINE)


async def test_adopt_for_a_second_parent_of_the_same_key_is_refused_and_leaves_nothing(store: Store) -> None:
    """Two agents that decide at once make one group; the other's members stay as they are."""
    member = await store.incidents.open(incident(held_until=minute(1)), [])
    await store.incidents.open(incident("group:host:web1"), [])

    with pytest.raises(StoreConflict):
        await store.incidents.adopt(incident("group:host:web1"), [member.id], [LINE], OPENED)

    assert [one.id for one in await store.incidents.held()] == [member.id]


async def _told(store: Store, count: int) -> list[Event]:
    """The oldest events that are owed."""
    found = []
    for _ in range(count):
        event = await store.events.next_for("alerts", minute(60))
        assert event is not None
        await store.events.done(event, "alerts")
        found.append(event)
    return found
