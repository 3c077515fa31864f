"""The outbox of events."""

from datetime import timedelta

from sqlalchemy import text

from sentry.domain.events import Event, EventKind
from sentry.store import Store, open_store
from tests.contract.conftest import WAIT_S
from tests.fakes.clock import ManualClock
from tests.fakes.watch import NOON, minute


def _event(place: int) -> Event:
    return Event(EventKind.OUTAGE_CONFIRMED, minute(place), f"site{place}/http", {"place": place})


async def _subject(store: Store, handler: str, at: int = 0) -> str | None:
    event = await store.events.next_for(handler, minute(at))
    return None if event is None else event.subject


async def test_next_for_each_handler_gives_every_event_in_order(store: Store) -> None:
    """Handlers go on by themselves; none skips and none waits for the other."""
    await store.events.publish([_event(1), _event(2)])
    await store.events.publish([_event(3)])

    seen = []
    while (event := await store.events.next_for("alerts", NOON)) is not None:
        seen.append(event)
        await store.events.done(event, "alerts")

    assert [event.subject for event in seen] == ["site1/http", "site2/http", "site3/http"]
    assert seen[0].data == {"place": 1}
    assert seen[0].at == minute(1)
    assert await _subject(store, "incidents") == "site1/http"


async def test_failed_with_a_retry_holds_the_handler_until_then(store: Store) -> None:
    """An event that failed is tried again after its back-off, before any later one."""
    await store.events.publish([_event(1), _event(2)])
    event = await store.events.next_for("alerts", NOON)
    assert event is not None

    await store.events.failed(event, "alerts", "SMTP said no", minute(5))

    assert await _subject(store, "alerts", 4) is None
    assert await _subject(store, "alerts", 5) == "site1/http"
    assert await store.events.attempts(event, "alerts") == 1
    assert await _subject(store, "incidents") == "site1/http"


async def test_failed_without_a_retry_gives_it_up_for_that_handler_only(store: Store) -> None:
    """A poisonous event does not hold up what follows."""
    await store.events.publish([_event(1), _event(2)])
    event = await store.events.next_for("alerts", NOON)
    assert event is not None

    await store.events.failed(event, "alerts", "our bug", None)

    assert await _subject(store, "alerts") == "site2/http"
    assert await _subject(store, "incidents") == "site1/http"


async def test_next_for_a_damaged_event_gives_it_up_and_goes_on(store: Store) -> None:
    """A row that nobody can read is set aside, named in the log, and the next one is delivered."""
    await store.events.publish([_event(1), _event(2)])
    async with store.database.write() as connection:
        await connection.execute(text("UPDATE events SET data = '{' WHERE id = 1"))

    assert await _subject(store, "alerts") == "site2/http"


async def test_a_new_handler_gets_only_events_from_then_on(address: str, clock: ManualClock) -> None:
    """A service that is added later is not flooded with the past; one that is there keeps what it is owed."""
    async with open_store(address, handlers=["alerts"], clock=clock, wait_s=WAIT_S) as store:
        await store.events.publish([_event(1)])
    async with open_store(address, handlers=["alerts", "metrics"], clock=clock, wait_s=WAIT_S) as store:
        await store.events.publish([_event(2)])

        assert await _subject(store, "metrics") == "site2/http"
        assert await _subject(store, "alerts") == "site1/http"


async def test_ids_after_old_events_are_gone_are_never_used_again(store: Store) -> None:
    """An event's id stays its own, also when retention has emptied the table."""
    await store.events.publish([_event(1)])
    async with store.database.write() as connection:
        await connection.execute(text("DELETE FROM events"))

    await store.events.publish([_event(2)])

    event = await store.events.next_for("alerts", NOON + timedelta(days=1))
    assert event is not None
    assert event.id == 2
