import asyncio
from datetime import datetime, timedelta

from sentry.domain.events import EventKind
from sentry.domain.health import HealthState
from sentry.domain.result import ProbeResult, Status
from sentry.ports import SampleKind
from sentry.services.watch import HEALTH_EVERY, WRITE_WITHIN_S, Watch
from tests.fakes.checks import START, make_check, make_result
from tests.fakes.clock import ManualClock
from tests.fakes.telemetry import RecordingTelemetry
from tests.fakes.watch_store import MemoryWatchStore


class Harness:
    """A watch over a store in memory."""

    def __init__(self, *, queue_records: int = 1000) -> None:
        self.clock = ManualClock(START)
        self.store = MemoryWatchStore()
        self.telemetry = RecordingTelemetry()
        self.rechecks: list[tuple[str, datetime]] = []
        self.commits = 0
        self.watch = Watch(
            self.store,
            self.clock,
            self.telemetry,
            recheck=lambda key, at: self.rechecks.append((key, at)),
            committed=self._committed,
            queue_records=queue_records,
        )

    def _committed(self) -> None:
        self.commits += 1

    def take(self, status: Status, at: float = 0.0, check_key: str = "shop/http") -> ProbeResult:
        result = make_result(status, at, check_key=check_key)
        self.watch.take(result, SampleKind.SLOT, 0.0)
        return result


async def test_failure_taken_asks_for_a_recheck() -> None:
    """The watch books the re-check that the health step asks for."""
    harness = Harness()
    await harness.watch.replace([make_check()])

    harness.take(Status.DOWN)

    assert harness.rechecks == [("shop/http", START + timedelta(seconds=10.1))]


async def test_results_are_written_in_one_batch_and_dispatch_is_woken() -> None:
    """Many results make one transaction."""
    harness = Harness()
    await harness.watch.replace([make_check(f"s{n}/http") for n in range(50)])
    for number in range(50):
        harness.take(Status.UP, check_key=f"s{number}/http")

    await harness.watch.flush()

    assert harness.store.batches == [50]
    assert harness.commits == 1


async def test_store_that_is_locked_for_a_while_loses_nothing() -> None:
    """A locked store is the agent's trouble: every record is written once it answers, in order, and once."""
    harness = Harness()
    await harness.watch.replace([make_check()])
    harness.store.unavailable = 3
    for minute in range(5):
        harness.take(Status.UP, 60 * minute)

    flushing = asyncio.create_task(harness.watch.flush())
    await harness.clock.advance(30)
    await flushing

    slots = [record.result.scheduled_at for record in harness.store.records]
    assert slots == [START + timedelta(minutes=n) for n in range(5)]
    assert harness.telemetry.counted("store_errors_total", kind="unavailable") == 3


async def test_queue_that_is_full_keeps_what_carries_events() -> None:
    """Beyond the bound, only results that changed nothing are dropped, and the drop is counted."""
    harness = Harness(queue_records=10)
    await harness.watch.replace([make_check()])
    for minute in range(20):
        harness.take(Status.UP, 60 * minute)
    for second in (1200, 1210, 1220):
        harness.take(Status.DOWN, second)

    await harness.watch.flush()

    kinds = [event.kind for record in harness.store.records for event in record.events]
    assert EventKind.OUTAGE_CONFIRMED in kinds
    assert harness.telemetry.counters["store_dropped_total"] == 10


async def test_record_that_the_store_refuses_does_not_take_the_others_with_it() -> None:
    """One bad row is counted and left behind."""
    harness = Harness()
    await harness.watch.replace([make_check(f"s{n}/http") for n in range(3)])
    harness.store.refuses = {"s1/http"}
    for number in range(3):
        harness.take(Status.UP, check_key=f"s{number}/http")

    await harness.watch.flush()

    assert [record.result.check_key for record in harness.store.records] == ["s0/http", "s2/http"]
    assert harness.telemetry.counted("store_errors_total", kind="refused") == 1


async def test_steady_health_is_written_rarely_and_a_change_at_once() -> None:
    """A healthy check costs a health row each quarter of an hour, not each minute."""
    harness = Harness()
    await harness.watch.replace([make_check()])
    for minute in range(10):
        harness.take(Status.UP, 60 * minute)
    harness.take(Status.DOWN, 600)
    await harness.clock.advance(HEALTH_EVERY.total_seconds())
    await harness.watch.flush()

    assert [record.health is not None for record in harness.store.records] == [True] + [False] * 9 + [True]


async def test_restart_takes_up_the_health_that_was_written() -> None:
    """After a restart an outage is still an outage, and no second one is opened."""
    harness = Harness()
    await harness.watch.replace([make_check()])
    for second in (0, 10, 20):
        harness.take(Status.DOWN, second)
    await harness.watch.flush()

    again = Harness()
    again.store.health = dict(harness.store.health)
    await again.watch.replace([make_check()])
    again.take(Status.DOWN, 600)
    await again.watch.flush()

    view = again.watch.view("shop/http")
    assert view is not None
    assert view.health.state is HealthState.DOWN
    assert [event for record in again.store.records for event in record.events] == []


async def test_removed_check_is_forgotten_and_its_late_result_ignored() -> None:
    """A result that arrives after a reload removed its check changes nothing."""
    harness = Harness()
    await harness.watch.replace([make_check()])
    await harness.watch.replace([])

    harness.take(Status.UP)

    assert harness.telemetry.forgotten == ["shop/http"]
    assert harness.watch.queued == 0


async def test_good_results_gather_and_are_written_together() -> None:
    """Ten thousand sites a minute are two transactions a second, and not a hundred and sixty."""
    harness = Harness()
    await harness.watch.replace([make_check(f"s{n}/http") for n in range(8)])
    writing = asyncio.create_task(harness.watch.write())
    for number in range(8):
        harness.take(Status.UP, check_key=f"s{number}/http")
        await harness.clock.advance(WRITE_WITHIN_S / 10)
    assert harness.store.batches == []

    await harness.clock.advance(WRITE_WITHIN_S)
    harness.take(Status.UP, 60, check_key="s1/http")
    await harness.clock.advance(WRITE_WITHIN_S)
    writing.cancel()

    assert harness.store.batches == [8, 1]


async def test_event_is_written_at_once_with_all_that_came_before_it() -> None:
    """An outage never waits for company."""
    harness = Harness()
    await harness.watch.replace([make_check("a/http"), make_check("b/http")])
    writing = asyncio.create_task(harness.watch.write())
    harness.take(Status.UP, check_key="a/http")
    harness.take(Status.DOWN, check_key="b/http")

    await harness.clock.advance(0)
    assert harness.store.batches == [2]
    await harness.clock.advance(10 * WRITE_WITHIN_S)
    writing.cancel()

    assert harness.store.batches == [2]
    assert harness.commits == 1
