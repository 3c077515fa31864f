"""What the agent makes of what a worker says, and of what it does not say."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from sentry.app.workers.beat import Beat
from sentry.app.workers.commands import Setup
from sentry.app.workers.member import MAX_MISSED_AT_ONCE, NEW_FOR_S, Member
from sentry.app.workers.results import Arrival
from sentry.domain.health import HealthState
from sentry.domain.ledger import MinuteState
from sentry.domain.result import ProbeResult, Reason, Status
from sentry.domain.site import Check
from sentry.ports import SampleKind
from sentry.services.watch import Watch
from sentry.settings.model import Probing
from sentry.wheel import Finished
from tests.fakes.checks import make_check, make_result
from tests.fakes.clock import ManualClock
from tests.fakes.telemetry import RecordingTelemetry
from tests.fakes.watch_store import MemoryWatchStore


class Harness:
    """A worker that has no process yet."""

    def __init__(self, *checks: Check) -> None:
        self.clock = ManualClock()
        self.telemetry = RecordingTelemetry()
        self.finished: list[Finished] = []
        self.member = Member(
            2,
            Setup(Probing(), 100),
            clock=self.clock,
            telemetry=self.telemetry,
            finished=self.finished.append,
        )
        self.member.replace(1, checks)

    def result(self, key: str = "shop/http") -> ProbeResult:
        """A good result of this moment."""
        return make_result(at=self.clock.now(), check_key=key)

    def arrive(self, result: ProbeResult, generation: int = 1, *, missed: int = 0) -> None:
        """The worker hands a result over."""
        kind = SampleKind.MISSED if missed else SampleKind.SLOT
        self.member.arrived(generation, [Arrival(result, kind, 0.0, missed)])


def test_result_of_a_check_is_handed_on_with_it() -> None:
    """As the agent's own wheel would."""
    check = make_check("shop/http")
    harness = Harness(check)
    result = harness.result()
    harness.arrive(result)
    assert harness.finished == [Finished(check, result, SampleKind.SLOT, 0.0)]


def test_result_from_before_a_change_of_its_check_is_dropped() -> None:
    """What the old text said must not judge the new one; a check that did not change is taken as ever."""
    changed, same = make_check("a/http"), make_check("b/http")
    harness = Harness(changed, same)
    harness.member.replace(2, (replace(changed, interval_s=5), same))
    for key in ("a/http", "b/http"):
        harness.arrive(harness.result(key), generation=1)
    assert [done.check.key for done in harness.finished] == ["b/http"]
    harness.arrive(harness.result("a/http"), generation=2)
    assert [done.check.key for done in harness.finished] == ["b/http", "a/http"]


def test_result_of_a_check_of_another_worker_is_dropped() -> None:
    """A worker that was taken over speaks for its own checks only."""
    harness = Harness(make_check("shop/http"))
    harness.arrive(harness.result("other/http"))
    assert harness.finished == []


def test_missed_slots_are_counted_but_not_without_end() -> None:
    """Also when a worker claims a thousand million of them."""
    harness = Harness(make_check("shop/http"))
    harness.arrive(harness.result(), missed=3)
    assert harness.telemetry.missed == ["shop/http"] * 3
    harness.arrive(harness.result(), missed=1_000_000_000)
    assert len(harness.telemetry.missed) == 3 + MAX_MISSED_AT_ONCE


async def test_slots_without_a_process_are_told_of_as_unknown() -> None:
    """New checks wait for their worker to start; after that each slot that goes by is missed."""
    harness = Harness(make_check("shop/http", interval_s=60))
    await harness.clock.advance(NEW_FOR_S)
    harness.member.look()
    assert harness.finished == []
    for _ in range(3):
        await harness.clock.advance(60)
        harness.member.look()
    assert [(done.kind, done.result.status, done.result.reason) for done in harness.finished] == [
        (SampleKind.MISSED, Status.UNKNOWN, Reason.SLOT_MISSED)
    ] * 3
    slots = [done.result.scheduled_at for done in harness.finished]
    assert [later - earlier for earlier, later in pairwise(slots)] == [timedelta(minutes=1)] * 2
    assert "worker 2 was not there" in harness.finished[0].result.detail


async def test_reload_without_a_process_keeps_telling_of_missed_slots() -> None:
    """A check that stays is missed on, a new one is not at once, one that went not at all."""
    stays, goes = make_check("stays/http"), make_check("goes/http")
    harness = Harness(stays, goes)
    await harness.clock.advance(120)
    harness.member.look()
    harness.finished.clear()
    harness.member.replace(2, (stays, make_check("new/http")))
    await harness.clock.advance(60)
    harness.member.look()
    told = [done.check.key for done in harness.finished]
    assert "goes/http" not in told
    assert told.count("stays/http") == 1
    assert told.count("new/http") <= 1


async def test_beat_shows_how_a_worker_is() -> None:
    """Its wheel's age moves the agent's own sign of life; stalls are summed up, losses told."""
    harness = Harness(make_check("shop/http"))
    await harness.clock.advance(30)
    harness.member.beaten(Beat(0.5, 0.02, 7, 1, 2.5, 3))
    assert harness.member.last_tick == harness.clock.monotonic() - 0.5
    assert harness.member.running == 7
    counters, gauges = harness.telemetry.counters, harness.telemetry.gauges
    assert (counters["stalls_total"], counters["stalled_seconds_total"]) == (1, 2.5)
    assert counters["worker_results_lost_total"] == 3
    worker = frozenset({("worker", "2")})
    assert gauges["worker_up", worker] == 1
    assert gauges["worker_loop_lag_seconds", worker] == 0.02
    assert gauges["worker_probes_running", worker] == 7


@pytest.mark.promise("001-29")
async def test_minutes_without_a_worker_are_unknown_and_never_down() -> None:
    """A site is seen up, nobody probes for five minutes, and it is seen up again: no outage, and a gap of five."""
    check = make_check("shop/http", interval_s=60)
    harness = Harness(check)
    store = MemoryWatchStore()
    watch = Watch(store, harness.clock, harness.telemetry, recheck=harness.member.recheck, committed=lambda: None)
    await watch.replace([check])
    began = harness.clock.now()
    harness.arrive(harness.result())
    for _ in range(5 * 60):
        await harness.clock.advance(1)
        harness.member.look()
    await harness.clock.advance(60)
    harness.arrive(harness.result())
    for done in harness.finished:
        watch.take(done.result, done.kind, done.delay_s)
    await watch.flush()

    first = int(began.timestamp()) // 60
    runs = [run for record in store.records for run in record.minutes]
    assert [(run.start - first, run.end - first, run.state) for run in runs] == [
        (0, 1, MinuteState.UP),
        (6, 7, MinuteState.UP),
    ]
    assert [record.kind for record in store.records].count(SampleKind.MISSED) == 5
    assert not any(record.outage or record.events for record in store.records)
    view = watch.view(check.key)
    assert view is not None
    assert view.health.state is HealthState.UP
