"""The watch's store: batches, health, samples, failures and outages."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from sentry.domain.events import Event, EventKind
from sentry.domain.health import Health, HealthState, Outage
from sentry.domain.ledger import MinuteState, Run
from sentry.domain.result import Evidence, Phase, Reason
from sentry.ports import SampleKind
from sentry.store import Store
from tests.contract.conftest import HANDLERS
from tests.fakes.watch import NOON, down, minute, record, up

UP, DOWN = MinuteState.UP, MinuteState.DOWN


async def test_commit_a_whole_record_reads_back_every_part(store: Store) -> None:
    """What one result changed is found again, part by part."""
    outage = Outage("shop/http", NOON, minute(1), Reason.HTTP_SERVER_ERROR, Phase.PROCESSING, "status 503")
    known = Health("shop/http", state=HealthState.DOWN, outage=outage, failure=down(), last_good=up())
    happened = Event(EventKind.OUTAGE_CONFIRMED, minute(1), "shop/http", {"reason": "http_server_error"})

    await store.watch.commit(
        [record(down(), health=known, minutes=(Run(10, 11, DOWN),), outage=outage, events=(happened,))]
    )

    assert await store.watch.load_health() == {"shop/http": known}
    assert await store.ledger.runs("shop", 0, 100) == {"shop/http": [Run(10, 11, DOWN)]}
    assert await store.ledger.outages("shop", NOON, minute(5)) == [outage]
    assert await store.ledger.failures("shop/http", 5) == [down()]
    for handler in HANDLERS:
        event = await store.events.next_for(handler, minute(1))
        assert event is not None
        assert (event.kind, event.subject, event.data) == (happened.kind, "shop/http", happened.data)


async def test_commit_the_same_batch_twice_leaves_one_trace(store: Store) -> None:
    """A batch that is repeated because its answer got lost is neither counted nor announced twice."""
    batch = [record(down(), minutes=(Run(10, 11, DOWN),), events=(Event(EventKind.FAILURE_SUSPECTED, NOON, "s"),))]

    await store.watch.commit(batch)
    await store.watch.commit(batch)

    assert len(await store.ledger.samples("shop/http", NOON, minute(1), 10)) == 1
    event = await store.events.next_for("alerts", NOON)
    assert event is not None
    await store.events.done(event, "alerts")
    assert await store.events.next_for("alerts", NOON) is None


async def test_commit_after_the_clock_was_set_back_still_announces_what_happened(store: Store) -> None:
    """The same slot comes twice, but it is another probe: its event must not be taken for a repetition."""
    first, second = (
        record(down(duration_s=duration_s), events=(Event(EventKind.OUTAGE_CONFIRMED, NOON, subject),))
        for duration_s, subject in ((0.5, "before"), (0.6, "after"))
    )

    await store.watch.commit([first])
    await store.watch.commit([second])

    event = await store.events.next_for("alerts", NOON)
    assert event is not None
    await store.events.done(event, "alerts")
    event = await store.events.next_for("alerts", NOON)
    assert event is not None
    assert event.subject == "after"


async def test_commit_of_a_mass_outage_does_not_hold_up_the_event_loop(store: Store) -> None:
    """Thousands of sites fail at once, and the probes go on: no slice of the work is long."""
    batch = [
        record(
            down(f"site{place}/http"),
            health=Health(f"site{place}/http", failure=down()),
            minutes=(Run(1, 2, DOWN),),
            events=(Event(EventKind.FAILURE_SUSPECTED, NOON, f"site{place}/http"),),
        )
        for place in range(1_500)
    ]
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(store.watch.commit(batch))
    gaps, last = [], loop.time()
    while not task.done():
        await asyncio.sleep(0.001)
        gaps.append(loop.time() - last)
        last = loop.time()

    await task
    assert max(gaps) < 0.25  # all of it takes several times as long; generous for a busy machine
    assert len(await store.ledger.latest()) == len(batch)


async def test_commit_text_that_no_database_takes_is_stored_with_replacements(store: Store) -> None:
    """A hostile site cannot stop the agent from writing by sending NUL bytes, lone surrogates or infinite figures."""
    hostile = down(detail="a\0b\udc80ñ", evidence=Evidence(values={"x": float("inf")}, log=("\ud800",)))
    outage = Outage("shop/http", NOON, NOON, Reason.HTTP_PROTOCOL, None, "a\0b\udc80ñ")

    await store.watch.commit([record(hostile, health=Health("shop/http", failure=hostile), outage=outage)])

    (failure,) = await store.ledger.failures("shop/http", 1)
    assert failure.detail == "a\ufffdb\ufffdñ"
    assert failure.evidence.values == {"x": float("inf")}
    (stored,) = await store.ledger.outages("shop", NOON, minute(1))
    assert stored.detail == "a\ufffdb\ufffdñ"


async def test_load_health_with_a_damaged_row_leaves_that_check_out(store: Store) -> None:
    """One damaged row costs one check its memory and not the agent its start."""
    await store.watch.commit([record(up(key), health=Health(key)) for key in ("shop/http", "blog/http")])
    async with store.database.write() as connection:
        await connection.execute(text("UPDATE health SET document = '{\"state\": 1}' WHERE check_id = 1"))

    loaded = await store.watch.load_health()

    assert len(loaded) == 1


async def test_commit_more_failures_than_are_kept_drops_the_oldest(store: Store) -> None:
    """The newest twenty failures keep their evidence; the samples of all of them stay."""
    await store.watch.commit([record(down(at=minute(place))) for place in range(30)])

    kept = await store.ledger.failures("shop/http", 100)

    assert [failure.scheduled_at for failure in kept] == [minute(place) for place in range(29, 9, -1)]
    assert len(await store.ledger.samples("shop/http", NOON, minute(30), 100)) == 30


async def test_samples_with_a_limit_are_the_newest_oldest_first(store: Store) -> None:
    """A page asks for the last few samples and draws them from left to right."""
    await store.watch.commit([record(up(at=minute(place))) for place in range(10)])

    found = await store.ledger.samples("shop/http", NOON, minute(8), 3)

    assert [sample.scheduled_at for sample in found] == [minute(5), minute(6), minute(7)]
    assert found[0].phases == pytest.approx({"dns": 0.004, "connect": 0.02})
    assert found[0].duration_s == pytest.approx(0.125)
    assert (found[0].kind, found[0].status, found[0].reason) == (SampleKind.SLOT, "up", None)


async def test_latest_of_several_checks_is_the_newest_sample_of_each(store: Store) -> None:
    """The status page gets one sample a check."""
    await store.watch.commit([record(up(at=minute(0))), record(up(at=minute(1))), record(down("blog/http"))])

    latest = await store.ledger.latest()

    assert {key: sample.scheduled_at for key, sample in latest.items()} == {"shop/http": minute(1), "blog/http": NOON}


async def test_outage_that_ends_later_is_the_same_row_with_its_end(store: Store) -> None:
    """An outage is told by its check and its start; the end completes it."""
    open_outage = Outage("shop/http", NOON, minute(1), Reason.CONNECT_REFUSED, Phase.CONNECT, "refused")
    closed = Outage("shop/http", NOON, minute(1), Reason.CONNECT_REFUSED, Phase.CONNECT, "refused", minute(9))

    await store.watch.commit([record(down(), outage=open_outage)])
    assert await store.ledger.outages("shop", minute(100), minute(200)) == [open_outage]
    await store.watch.commit([record(up(at=minute(9)), outage=closed)])

    assert await store.ledger.outages("shop", NOON, minute(2)) == [closed]
    assert await store.ledger.outages("shop", minute(9), minute(200)) == []


async def test_changes_of_a_site_are_those_of_its_checks_since_then(store: Store) -> None:
    """The failure report lists what changed at the site, and not at one whose name begins alike."""
    await store.events.publish(
        [
            Event(EventKind.CHANGE_SEEN, NOON - timedelta(days=2), "shop/tls", {"kind": "old", "text": "too old"}),
            Event(EventKind.CHANGE_SEEN, NOON, "shop/tls", {"kind": "certificate", "text": "new certificate"}),
            Event(EventKind.CHANGE_SEEN, NOON, "shop2/tls", {"kind": "certificate", "text": "another site"}),
            Event(EventKind.FAILURE_SUSPECTED, NOON, "shop/tls", {"kind": "no change", "text": ""}),
        ]
    )

    found = await store.ledger.changes("shop", NOON - timedelta(days=1))

    assert [(change.at, change.kind, change.text) for change in found] == [(NOON, "certificate", "new certificate")]
