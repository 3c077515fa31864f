"""Deliveries, heartbeats, due work, marks, the index of checks and retention."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from sentry.domain.errors import NotFound, StoreUnavailable
from sentry.domain.events import Event, EventKind
from sentry.domain.incident import IncidentState
from sentry.domain.ledger import MinuteState, Run
from sentry.domain.notice import Delivery, DeliveryState, NoticeKind
from sentry.domain.retention import RetentionPolicy
from sentry.ports import Heartbeat
from sentry.store import Store, open_store
from sentry.store.due import DueItem
from tests.contract.conftest import WAIT_S
from tests.fakes.clock import ManualClock
from tests.fakes.watch import NOON, down, incident, minute, record, up


def _delivery(place: int, **changed: object) -> Delivery:
    delivery = Delivery(
        key=f"{place}:1:opened:mail:ana@example.com",
        incident_id=place,
        opening=1,
        kind=NoticeKind.OPENED,
        channel="mail",
        recipient="ana@example.com",
        state=DeliveryState.PENDING,
        created_at=minute(place),
        next_attempt_at=minute(place),
        expires_at=minute(place + 60),
    )
    return replace(delivery, **changed)  # type: ignore[arg-type]  # fields by name


async def test_enqueue_a_key_that_is_there_leaves_the_first(store: Store) -> None:
    """A service that repeats itself sends nobody a second message."""
    await store.deliveries.enqueue([_delivery(1)])
    await store.deliveries.update(_delivery(1, state=DeliveryState.SENT, sent_at=minute(1), attempts=1))

    await store.deliveries.enqueue([_delivery(1), _delivery(2)])

    assert await store.deliveries.due(minute(9), 10) == [_delivery(2)]
    (first,) = await store.deliveries.of_incident(1)
    assert (first.state, first.sent_at, first.attempts) == (DeliveryState.SENT, minute(1), 1)


async def test_due_gives_pending_deliveries_oldest_first_up_to_the_limit(store: Store) -> None:
    """What backs off or is not yet due is not given."""
    await store.deliveries.enqueue([_delivery(place) for place in (3, 1, 2, 9)])
    await store.deliveries.update(
        _delivery(1, attempts=1, last_error="connection refused", next_attempt_at=minute(8))
    )

    async def due(at: int, limit: int = 10, channel: str | None = None) -> list[int]:
        return [found.incident_id for found in await store.deliveries.due(minute(at), limit, channel=channel)]

    assert await due(4) == [2, 3]
    assert await due(8) == [1, 2, 3]
    assert await due(8, limit=1) == [1]
    assert await due(8, channel="mail") == [1, 2, 3]
    assert await due(8, channel="webhook") == []


async def test_backlog_counts_what_is_pending_and_since_when(store: Store) -> None:
    """Operators see how much is owed and how old the oldest is."""
    assert await store.deliveries.backlog() == (0, None)
    await store.deliveries.enqueue([_delivery(1), _delivery(2), _delivery(3)])
    await store.deliveries.update(_delivery(1, state=DeliveryState.DEAD, last_error="gone"))

    assert await store.deliveries.backlog() == (2, minute(2))


async def test_update_a_delivery_that_was_never_enqueued_is_not_found(store: Store) -> None:
    """An outcome without its message is an error and not a new row."""
    with pytest.raises(NotFound):
        await store.deliveries.update(_delivery(1))


async def test_heartbeat_after_a_restart_is_still_known(address: str, clock: ManualClock) -> None:
    """A restart of the agent does not make a healthy job look dead."""
    async with open_store(address, handlers=[], clock=clock, wait_s=WAIT_S) as store:
        assert store.heartbeats.last("shop/backup") is None
        await store.heartbeats.record("shop/backup", Heartbeat(minute(1), ok=False, text="disk \0 full"))
        await store.heartbeats.record("shop/backup", Heartbeat(minute(3), ok=True, text="x" * 9_000))
        known = store.heartbeats.last("shop/backup")
    async with open_store(address, handlers=[], clock=clock, wait_s=WAIT_S) as store:
        assert store.heartbeats.last("shop/backup") == known == Heartbeat(minute(3), ok=True, text="x" * 1_000)


async def test_heartbeat_after_the_clock_was_set_back_counts(address: str, clock: ManualClock) -> None:
    """The newest call is the one that came last, whatever the clock said when it came."""
    async with open_store(address, handlers=[], clock=clock, wait_s=WAIT_S) as store:
        await store.heartbeats.record("shop/backup", Heartbeat(minute(3), ok=True))
        await store.heartbeats.record("shop/backup", Heartbeat(minute(2), ok=False, text="disk full"))
        known = store.heartbeats.last("shop/backup")
    async with open_store(address, handlers=[], clock=clock, wait_s=WAIT_S) as store:
        assert store.heartbeats.last("shop/backup") == known == Heartbeat(minute(2), ok=False, text="disk full")


async def test_heartbeat_while_the_store_is_locked_counts_at_once(
    store: Store, address: str, clock: ManualClock
) -> None:
    """The job is alive, whatever our own database does."""
    async with open_store(address, handlers=[], clock=clock, wait_s=WAIT_S) as other, other.database.write():
        with pytest.raises(StoreUnavailable):
            await store.heartbeats.record("shop/backup", Heartbeat(NOON))

    assert store.heartbeats.last("shop/backup") == Heartbeat(NOON)


async def test_due_work_is_kept_over_restarts_and_given_longest_due_first(address: str, clock: ManualClock) -> None:
    """An audit each fifteen days runs although the agent restarts each fourteen."""
    async with open_store(address, handlers=[], clock=clock, wait_s=WAIT_S) as store:
        await store.due.set("report", "acme", minute(3))
        await store.due.set("report", "bolt", minute(1))
        await store.due.set("retention", "", minute(2))
        await store.due.set("retention", "", minute(5))
    async with open_store(address, handlers=[], clock=clock, wait_s=WAIT_S) as store:
        assert await store.due.get("retention") == minute(5)
        assert await store.due.get("audit", "shop") is None
        bolt, acme = DueItem("report", "bolt", minute(1)), DueItem("report", "acme", minute(3))
        assert await store.due.due(minute(0)) == []
        assert await store.due.due(minute(3)) == [bolt, acme]
        assert await store.due.due(minute(9), "retention") == [DueItem("retention", "", minute(5))]
        await store.due.clear("report", "bolt")
        assert await store.due.due(minute(3)) == [acme]


async def test_once_is_true_for_the_first_and_carries_its_events(store: Store) -> None:
    """One ticket for each threshold of a month: the mark and the event that files it are written together."""
    happened = Event(EventKind.BUDGET_THRESHOLD, NOON, "shop", {"threshold": 50})

    assert await store.marks.once("budget:shop:2026-11:50", [happened])
    assert not await store.marks.once("budget:shop:2026-11:50", [happened])

    assert await store.marks.is_made("budget:shop:2026-11:50")
    assert not await store.marks.is_made("budget:shop:2026-11:75")
    event = await store.events.next_for("alerts", NOON)
    assert event is not None
    await store.events.done(event, "alerts")
    assert await store.events.next_for("alerts", NOON) is None


async def test_known_checks_remember_when_they_came_and_went(store: Store) -> None:
    """A check that is taken out and put back keeps the day on which it was first seen."""
    await store.checks.register({"shop/http": "shop", "shop/tls": "shop", "blog/http": "blog"}, minute(0))
    await store.checks.register({"shop/http": "shop", "blog/http": "blog"}, minute(5))
    await store.checks.register({"shop/http": "shop", "shop/dns": "shop"}, minute(7))
    await store.checks.register({"shop/http": "shop", "shop/dns": "shop", "blog/http": "blog"}, minute(9))

    known = {check.key: (check.first_seen, check.removed_at) for check in await store.checks.known()}

    assert known == {
        "shop/http": (minute(0), None),
        "shop/tls": (minute(0), minute(5)),
        "shop/dns": (minute(7), None),
        "blog/http": (minute(0), None),
    }
    assert [check.key for check in await store.checks.known("blog")] == ["blog/http"]
    assert await store.ledger.first_seen("blog") == {"blog/http": minute(0)}


async def test_check_without_a_say_is_remembered_after_it_was_removed(store: Store) -> None:
    """A check that never counted does not begin to count when it leaves the configuration."""
    await store.checks.register({"shop/http": "shop", "shop/icmp": "shop"}, minute(0), uncounted={"shop/icmp"})
    assert await store.ledger.uncounted("shop") == {"shop/icmp"}

    await store.checks.register({"shop/http": "shop"}, minute(5))
    assert await store.ledger.uncounted("shop") == {"shop/icmp"}

    await store.checks.register({"shop/http": "shop", "shop/icmp": "shop"}, minute(9))
    assert await store.ledger.uncounted("shop") == set()


def _some(dropped: Mapping[str, int]) -> dict[str, int]:
    return {table: count for table, count in dropped.items() if count}


async def test_prune_drops_what_is_old_and_nothing_that_is_owed_or_promised(store: Store) -> None:
    """Samples, evidence, handled events and sent messages go by age; the ledger and what is pending stay."""
    policy = RetentionPolicy(samples_days=2, failures_days=3, events_days=2, deliveries_days=5)
    handled, owed = (Event(EventKind.CHANGE_SEEN, NOON, subject) for subject in ("handled", "owed"))
    await store.watch.commit(
        [record(up(at=minute(place)), minutes=(Run(place, place + 1, MinuteState.UP),)) for place in range(5_000)]
    )
    await store.watch.commit([record(down("blog/http"))])
    await store.events.publish([handled, owed])
    for handler in ("incidents", "alerts"):
        event = await store.events.next_for(handler, NOON)
        assert event is not None
        await store.events.done(event, handler)
    await store.deliveries.enqueue([_delivery(1), _delivery(2, state=DeliveryState.SENT)])
    last = NOON + timedelta(days=6)

    dropped = await store.retention.prune(policy, last)

    assert _some(dropped) == {"samples": 5_001, "failures": 1, "events": 1, "deliveries": 1}
    assert await store.ledger.samples("shop/http", NOON, last, 10) == []
    assert await store.ledger.failures("blog/http", 10) == []
    assert await store.ledger.runs("shop", 0, 9_000) == {"shop/http": [Run(0, 5_000, MinuteState.UP)]}
    event = await store.events.next_for("alerts", last)
    assert event is not None
    assert event.subject == "owed"
    assert [found.incident_id for found in await store.deliveries.due(last, 9)] == [1]
    async with store.database.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM event_handlings"))).scalar() == 2


async def test_prune_keeps_who_was_told_of_an_incident_while_it_lasts(store: Store) -> None:
    """Else nobody would hear of its end, and any change of it would tell of its beginning anew."""
    policy = RetentionPolicy(deliveries_days=1)
    lasting = await store.incidents.open(incident(), [])
    await store.deliveries.enqueue([_delivery(lasting.id, state=DeliveryState.SENT)])

    await store.retention.prune(policy, NOON + timedelta(days=9))
    assert len(await store.deliveries.of_incident(lasting.id)) == 1

    await store.incidents.save(replace(lasting, state=IncidentState.RESOLVED), [], [])
    await store.retention.prune(policy, NOON + timedelta(days=9))
    assert await store.deliveries.of_incident(lasting.id) == []


async def test_prune_of_what_is_young_drops_nothing(store: Store) -> None:
    """The edge itself is kept."""
    await store.watch.commit([record(down())])

    dropped = await store.retention.prune(RetentionPolicy(samples_days=2, failures_days=2), NOON + timedelta(days=2))

    assert _some(dropped) == {}


async def test_blips_are_counted_in_their_span_and_stay_as_long_as_samples(store: Store) -> None:
    """The report of a month that has just ended counts its first days too."""
    events = [Event(EventKind.BLIP_RECOVERED, minute(place), "shop/http") for place in (0, 1, 60)]
    await store.events.publish([*events, Event(EventKind.BLIP_RECOVERED, NOON, "blog/http")])
    for handler in ("incidents", "alerts"):
        for _ in range(4):
            event = await store.events.next_for(handler, minute(90))
            assert event is not None
            await store.events.done(event, handler)
    await store.retention.prune(RetentionPolicy(samples_days=40, events_days=2), NOON + timedelta(days=30))

    assert await store.ledger.blips(["shop/http", "shop/tls"], NOON, minute(60)) == 2
    assert await store.ledger.blips(["blog/http"], NOON, minute(60)) == 1
    assert await store.ledger.blips([], NOON, minute(60)) == 0
    await store.retention.prune(RetentionPolicy(samples_days=40, events_days=2), NOON + timedelta(days=41))
    assert await store.ledger.blips(["shop/http"], NOON, minute(90)) == 0
