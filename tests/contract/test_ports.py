"""What every store of a port keeps to, the fakes included: unit tests that use a fake stand on this suite."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from sentry.domain.errors import StoreConflict
from sentry.domain.events import Event, EventKind
from sentry.domain.health import Health, HealthState
from sentry.domain.incident import IncidentState, TimelineEntry
from sentry.domain.notice import Delivery, DeliveryState, NoticeKind
from sentry.ports import DeliveryOutbox, EventQueue, IncidentStore, Observation, ObservationBook, WatchStore
from sentry.store import open_store
from tests.fakes.checks import make_check
from tests.fakes.clock import ManualClock
from tests.fakes.incidents import MemoryIncidentStore
from tests.fakes.observations import MemoryObservations
from tests.fakes.outbox import MemoryOutbox
from tests.fakes.postgres import PostgresServer
from tests.fakes.watch import NOON, down, incident, minute, record, up
from tests.fakes.watch_store import MemoryEventQueue, MemoryWatchStore

HANDLERS = ("first", "second")


@dataclass(frozen=True, slots=True)
class Shelf:
    """One implementation of each port, sharing one store."""

    incidents: IncidentStore
    events: EventQueue
    outbox: DeliveryOutbox
    watch: WatchStore
    observations: ObservationBook


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def shelf(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Shelf]:
    """The fakes, and the stores that they stand in for."""
    if request.param == "memory":
        queue = MemoryEventQueue(HANDLERS)
        yield Shelf(MemoryIncidentStore(queue), queue, MemoryOutbox(), MemoryWatchStore(queue), MemoryObservations())
        return
    address = f"sqlite:///{tmp_path}/sentry.db"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        address = server.empty_database()
    async with open_store(address, handlers=HANDLERS, clock=clock) as store:
        yield Shelf(store.incidents, store.events, store.deliveries, store.watch, store.observations)


async def owed(events: EventQueue, handler: str) -> list[Event]:
    """Everything that a handler is owed, taken in order."""
    taken = []
    while (event := await events.next_for(handler, NOON)) is not None:
        taken.append(event)
        await events.done(event, handler)
    return taken


async def test_second_unresolved_incident_of_a_key_is_refused(shelf: Shelf) -> None:
    """The store itself keeps one problem at one incident."""
    first = await shelf.incidents.open(incident("shop"), [])

    with pytest.raises(StoreConflict):
        await shelf.incidents.open(incident("shop"), [])

    resolved = replace(first, state=IncidentState.RESOLVED, resolved_at=minute(5), recovered_at=minute(4))
    await shelf.incidents.save(resolved, [], [])
    second = await shelf.incidents.open(incident("shop", minute(60)), [])
    assert (first.id, second.id) == (1, 2)
    standing, latest = await shelf.incidents.unresolved("shop"), await shelf.incidents.latest("shop")
    assert standing is not None
    assert latest is not None
    assert standing.id == latest.id == 2


async def test_incident_saved_keeps_its_whole_timeline_and_publishes_its_events(shelf: Shelf) -> None:
    """What is added goes behind what stands, and an event without a subject is about the new incident."""
    began = TimelineEntry(NOON, "first_failure", "first failed probe")
    opened = await shelf.incidents.open(
        replace(incident("shop"), timeline=(began,)), [Event(EventKind.INCIDENT_OPENED, NOON, "")]
    )
    taken = replace(opened, state=IncidentState.ACKNOWLEDGED, acknowledged_at=minute(1), acknowledged_by="ana")
    entry = TimelineEntry(minute(1), "acknowledged", "acknowledged by ana", {"by": "ana"})
    await shelf.incidents.save(taken, [entry], [Event(EventKind.INCIDENT_UPDATED, minute(1), str(opened.id))])

    read = await shelf.incidents.get(opened.id)

    assert read is not None
    assert read.timeline == (began, entry)
    assert (read.state, read.acknowledged_by) == (IncidentState.ACKNOWLEDGED, "ana")
    for handler in HANDLERS:
        told = await owed(shelf.events, handler)
        assert [(event.kind, event.subject) for event in told] == [
            (EventKind.INCIDENT_OPENED, "1"),
            (EventKind.INCIDENT_UPDATED, "1"),
        ]


async def test_incidents_are_listed_newest_first_and_by_state_and_site(shelf: Shelf) -> None:
    """The list is what pages and commands show; it leaves the timelines out."""
    for number, key in enumerate(("a", "b", "c")):
        await shelf.incidents.open(replace(incident(key, minute(number)), site_key=key), [])
    b = await shelf.incidents.unresolved("b")
    assert b is not None
    await shelf.incidents.save(replace(b, state=IncidentState.RESOLVED, resolved_at=minute(9)), [], [])

    assert [one.key for one in await shelf.incidents.list()] == ["c", "b", "a"]
    assert [one.key for one in await shelf.incidents.list(limit=1)] == ["c"]
    assert [one.key for one in await shelf.incidents.list(state=IncidentState.OPEN)] == ["c", "a"]
    assert [one.key for one in await shelf.incidents.list(site_key="b")] == ["b"]
    assert [one.key for one in await shelf.incidents.list(since=minute(1))] == ["c", "b"]
    assert all(one.timeline == () for one in await shelf.incidents.list())


async def test_events_wait_for_each_handler_by_itself(shelf: Shelf) -> None:
    """One that backs off holds back its own later events and nobody else's; one given up lets the next one pass."""
    await shelf.events.publish([Event(EventKind.CHANGE_SEEN, NOON, subject) for subject in ("a", "b")])
    event = await shelf.events.next_for("first", NOON)
    assert event is not None
    await shelf.events.failed(event, "first", "not today", NOON + timedelta(seconds=30))

    assert await shelf.events.next_for("first", NOON) is None
    assert [one.subject for one in await owed(shelf.events, "second")] == ["a", "b"]
    again = await shelf.events.next_for("first", NOON + timedelta(seconds=30))
    assert again is not None
    assert again.subject == "a"
    await shelf.events.failed(again, "first", "never", None)
    assert [one.subject for one in await owed(shelf.events, "first")] == ["b"]


async def test_batch_of_results_publishes_its_events_and_keeps_the_newest_health(shelf: Shelf) -> None:
    """What the watch wrote is what it finds after a restart."""
    check = make_check("shop/http")
    await shelf.watch.register([check], NOON)
    suspected = Event(EventKind.FAILURE_SUSPECTED, NOON, "shop/http", {"reason": "http_server_error"})
    await shelf.watch.commit(
        [
            record(up(at=minute(0)), health=Health("shop/http", state=HealthState.UP)),
            record(down(at=minute(1)), health=Health("shop/http", state=HealthState.SUSPECT), events=(suspected,)),
        ]
    )

    health = await shelf.watch.load_health()
    assert health["shop/http"].state is HealthState.SUSPECT
    assert [event.data for event in await owed(shelf.events, "first")] == [{"reason": "http_server_error"}]


def delivery(number: int, channel: str = "mail", **changes: object) -> Delivery:
    """A pending delivery, due a minute after the one before it."""
    made = Delivery(
        key=f"1:1:opened:{channel}:{number}",
        incident_id=1,
        opening=1,
        kind=NoticeKind.OPENED,
        channel=channel,
        recipient=str(number),
        state=DeliveryState.PENDING,
        created_at=minute(number),
        next_attempt_at=minute(number),
        expires_at=minute(number + 60),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a test names fields of the right types


async def test_outbox_gives_what_is_due_oldest_first_and_keeps_a_key_once(shelf: Shelf) -> None:
    """A repeated event owes nothing twice, and a stuck channel's queue hides no other's."""
    await shelf.outbox.enqueue([delivery(2), delivery(1), delivery(3, "chat"), delivery(9)])
    await shelf.outbox.enqueue([replace(delivery(1), attempts=7)])

    due = await shelf.outbox.due(minute(5), 10)
    assert [(one.recipient, one.attempts) for one in due] == [("1", 0), ("2", 0), ("3", 0)]
    assert [one.recipient for one in await shelf.outbox.due(minute(5), 1)] == ["1"]
    assert [one.recipient for one in await shelf.outbox.due(minute(5), 10, channel="chat")] == ["3"]
    assert await shelf.outbox.backlog() == (4, minute(1))


async def test_outbox_forgets_nothing_and_offers_no_settled_delivery_again(shelf: Shelf) -> None:
    """What was sent stays on record for the incident, and is never due again."""
    await shelf.outbox.enqueue([delivery(1), delivery(2)])
    await shelf.outbox.update(replace(delivery(1), state=DeliveryState.SENT, sent_at=minute(1), attempts=1))

    assert [one.recipient for one in await shelf.outbox.due(minute(5), 10)] == ["2"]
    assert [one.state for one in await shelf.outbox.of_incident(1)] == [DeliveryState.SENT, DeliveryState.PENDING]


async def test_observations_kept_at_once_are_as_each_kept_by_itself(shelf: Shelf) -> None:
    """Many in one transaction, in place of those before; none at all changes nothing."""
    await shelf.observations.keep("requests", "shop", Observation(NOON, {"requests": 1}))
    observations = {key: Observation(minute(5), {"requests": 2}) for key in ("shop", "blog")}
    await shelf.observations.keep_all("requests", observations)
    await shelf.observations.keep_all("requests", {})

    assert await shelf.observations.all("requests") == observations


async def test_observation_kept_again_replaces_the_one_before_and_no_other(shelf: Shelf) -> None:
    """One observation stands for each kind and subject, as the JSON that it was."""
    first, second = Observation(NOON, {"days": 30}), Observation(minute(5), {"days": 14, "names": ["a", "b"]})
    await shelf.observations.keep("certificate", "shop/tls", first)
    await shelf.observations.keep("certificate", "blog/tls", first)
    await shelf.observations.keep("domain", "shop/tls", first)
    await shelf.observations.keep("certificate", "shop/tls", second)

    assert await shelf.observations.all("certificate") == {"shop/tls": second, "blog/tls": first}

    await shelf.observations.forget("certificate", "shop/tls")
    await shelf.observations.forget("certificate", "shop/tls")
    assert await shelf.observations.all("certificate") == {"blog/tls": first}
    assert await shelf.observations.all("domain") == {"shop/tls": first}
