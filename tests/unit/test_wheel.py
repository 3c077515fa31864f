import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.result import Reason, Status
from sentry.domain.site import Check, CheckOptions
from sentry.ports import SampleKind
from sentry.wheel import CUT_AFTER_S, FIRST_PER_S, FIRST_WITHIN_S, TICK_S, Finished, Wheel, next_slot, phase_of
from tests.fakes.checks import make_check, make_result
from tests.fakes.clock import ManualClock
from tests.fakes.probe import ManualProbe
from tests.fakes.telemetry import RecordingTelemetry

UP = make_result()


@dataclass
class Harness:
    """A wheel with a clock that the test turns."""

    clock: ManualClock = field(default_factory=ManualClock)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    finished: list[Finished] = field(default_factory=list)
    max_concurrent: int = 1000

    def __post_init__(self) -> None:
        self.wheel = Wheel(self.clock, self.telemetry, self.finished.append, max_concurrent=self.max_concurrent)

    def watch(self, *checks: Check, answer: bool = True) -> list[ManualProbe]:
        probes = [ManualProbe(UP if answer else None) for _ in checks]
        self.wheel.replace({check.key: (check, probe) for check, probe in zip(checks, probes, strict=True)})
        return probes

    async def turn(self, seconds: float, step_s: float = 0.5) -> None:
        for _ in range(round(seconds / step_s)):
            await self.clock.advance(step_s)
            self.wheel.tick()

    async def stall(self, seconds: float) -> None:
        """The loop stands still: time goes by without a tick."""
        await self.clock.advance(seconds)


async def test_wheel_stretched_check_keeps_only_some_of_its_slots_until_it_is_let_go() -> None:
    """Each fifth slot is probed and none of the others is missed; re-checks and other checks are as ever."""
    harness = Harness()
    resting, other = make_check("a/http"), make_check("b/http")
    rested, probed = harness.watch(resting, other)
    await harness.turn(60)
    before = (len(rested.started), len(probed.started))
    harness.wheel.stretch({resting.key: 5})
    await harness.turn(600)
    assert (len(rested.started) - before[0], len(probed.started) - before[1]) == (2, 10)
    assert {at.timestamp() // 60 % 5 for at in rested.started[before[0] :]} == {0}
    harness.wheel.recheck(resting.key, harness.clock.now() + timedelta(seconds=1))
    await harness.turn(5)
    assert len(rested.started) - before[0] in {3, 4}
    assert harness.telemetry.missed == []
    harness.wheel.stretch({})
    rested.started.clear()
    await harness.turn(300)
    assert len(rested.started) == 5


@pytest.mark.promise("001-29")
async def test_wheel_over_ten_minutes_gives_each_check_a_slot_a_minute() -> None:
    """Every check is probed once a minute at its own phase, after one first probe at the start."""
    harness = Harness()
    checks = [make_check(f"site{number}/http", host_group=f"h{number}") for number in range(20)]
    probes = harness.watch(*checks)

    await harness.turn(600)

    for check, probe in zip(checks, probes, strict=True):
        slots = [at for at in probe.started[1:] if abs(at.timestamp() % 60 - phase_of(check.key, 60)) < 0.001]
        assert len(slots) in {9, 10}
        assert all(abs((b - a).total_seconds() - 60) < 0.001 for a, b in pairwise(slots))
    assert harness.telemetry.missed == []


@pytest.mark.promise("001-28")
async def test_wheel_over_the_turn_of_a_year_keeps_probing() -> None:
    """No calendar stops probing: slots go on over midnight, Sunday and New Year."""
    clock = ManualClock(start=ManualClock().now().replace(month=12, day=31, hour=23, minute=55))
    harness = Harness(clock=clock)
    (probe,) = harness.watch(make_check())

    await harness.turn(600)

    assert len(probe.started) >= 10


def test_phase_of_a_check_is_the_same_on_every_run() -> None:
    """A restart keeps every slot where it was: these figures must never change."""
    assert phase_of("acme-shop/http", 60) == 4.511
    assert phase_of("acme-shop/tls", 60) == 40.978


@given(st.floats(min_value=0, max_value=2e9), st.sampled_from([1, 10, 60, 300, 3600]), st.text(max_size=20))
def test_next_slot_is_later_and_at_the_phase(after: float, interval_s: int, key: str) -> None:
    """The next slot lies within one interval after the instant."""
    slot = next_slot(after, phase_of(key, interval_s), interval_s)
    assert after < slot <= after + interval_s + 1e-3


async def test_new_check_is_probed_within_seconds_of_the_start() -> None:
    """Nobody waits a minute to see the first result."""
    harness = Harness()
    (probe,) = harness.watch(make_check())

    await harness.turn(FIRST_WITHIN_S)

    assert len(probe.started) >= 1


async def test_many_new_checks_are_not_probed_all_at_once() -> None:
    """A start of thousands of checks takes its time, and yet each is probed within its first interval."""
    harness = Harness()
    probes = harness.watch(*(make_check(f"site{number}/http", host_group=f"h{number}") for number in range(4000)))

    before, most_per_s = 0, 0
    for _ in range(60):
        await harness.turn(1)
        started = sum(len(probe.started) for probe in probes)
        before, most_per_s = started, max(most_per_s, started - before)

    assert all(probe.started for probe in probes)
    assert most_per_s < 1.5 * (FIRST_PER_S + 4000 / 60)


@pytest.mark.promise("001-29")
async def test_probe_that_runs_into_its_next_slot_never_overlaps() -> None:
    """The next probe waits for the end of the one before it and then starts at once."""
    harness = Harness()
    check = make_check(options=CheckOptions(kind="http", timeout_s=90))
    (probe,) = harness.watch(check, answer=False)
    await harness.turn(70)
    assert len(probe.started) == 1

    probe.finish()
    await harness.turn(0.5)

    assert len(probe.started) == 2


@pytest.mark.promise("001-29")
async def test_slots_that_go_by_during_a_stall_are_reported_as_missed() -> None:
    """A slot without a probe is recorded `unknown` and counted, never passed over in silence."""
    harness = Harness()
    harness.watch(make_check())
    await harness.turn(65)

    await harness.stall(200)
    await harness.turn(1)

    missed = [done for done in harness.finished if done.kind is SampleKind.MISSED]
    assert [done.result.status for done in missed] == [Status.UNKNOWN]
    assert missed[0].result.reason is Reason.SLOT_MISSED
    assert len(harness.telemetry.missed) in {2, 3}


async def test_failure_seen_across_a_stall_is_the_agents_fault_and_probed_again() -> None:
    """A loop blocked for 5 s turns no site down."""
    harness = Harness()
    (probe,) = harness.watch(make_check(), answer=False)
    await harness.turn(FIRST_WITHIN_S)
    await harness.stall(5)
    probe.finish(make_result(Status.DOWN, reason=Reason.PROCESSING_TIMEOUT))

    assert harness.finished[-1].result.status is Status.UNKNOWN
    assert harness.finished[-1].result.reason is Reason.AGENT_STALLED
    await harness.turn(1)
    assert len(probe.started) == 2


async def test_probe_that_met_a_long_stall_may_still_tell_what_it_saw() -> None:
    """The time that the loop stood still is not the probe's: it is not cut before its answer can be read."""
    harness = Harness()
    (probe,) = harness.watch(make_check(), answer=False)
    await harness.turn(6)

    await harness.stall(30)
    harness.wheel.tick()
    assert probe.cancelled == 0
    probe.finish()

    assert [done.result.status for done in harness.finished] == [Status.UP]


async def test_success_seen_across_a_stall_stays_a_success() -> None:
    """What answered did answer, however late we looked."""
    harness = Harness()
    (probe,) = harness.watch(make_check(), answer=False)
    await harness.turn(FIRST_WITHIN_S)
    await harness.stall(5)
    probe.finish()

    assert harness.finished[-1].result.status is Status.UP


async def test_failure_after_the_wheel_noticed_the_stall_is_excused_too() -> None:
    """Probes that were under way when the loop stood still stay excused after it turns again."""
    harness = Harness()
    (probe,) = harness.watch(make_check(), answer=False)
    await harness.turn(FIRST_WITHIN_S)
    await harness.stall(5)
    harness.wheel.tick()
    probe.finish(make_result(Status.DOWN))

    assert harness.finished[-1].result.reason is Reason.AGENT_STALLED


@pytest.mark.parametrize(
    ("timeout_s", "lag_s", "reason"),
    [
        (1.0, 0.5, Reason.AGENT_STALLED),
        (1.0, 0.2, Reason.CONNECT_TIMEOUT),
        (10.0, 0.5, Reason.CONNECT_TIMEOUT),
    ],
)
async def test_short_deadline_that_a_lag_may_have_eaten_up_accuses_the_agent(
    timeout_s: float, lag_s: float, reason: Reason
) -> None:
    """Half a second is nothing to a probe of ten, and half of what a probe of one second has."""
    harness = Harness()
    (probe,) = harness.watch(make_check(options=CheckOptions(kind="http", timeout_s=timeout_s)), answer=False)
    await harness.turn(FIRST_WITHIN_S, step_s=0.05)

    await harness.stall(lag_s)
    harness.wheel.tick()
    probe.finish(make_result(Status.DOWN, reason=Reason.CONNECT_TIMEOUT))

    assert harness.finished[-1].result.reason is reason


async def test_probe_that_never_ends_is_cut_as_our_own_fault() -> None:
    """The hard deadline belongs to the wheel; a probe of ours that hangs accuses nobody."""
    harness = Harness()
    (probe,) = harness.watch(make_check(), answer=False)

    await harness.turn(FIRST_WITHIN_S + 10 + CUT_AFTER_S + 1)

    assert probe.cancelled == 1
    assert harness.finished[0].result.status is Status.UNKNOWN
    assert harness.finished[0].result.reason is Reason.AGENT_ERROR


async def test_host_is_never_asked_by_more_probes_than_its_cap() -> None:
    """Twenty checks of one server with a cap of 2 run two at a time, and all of them run."""
    harness = Harness()
    checks = [make_check(f"site{n}/http", host_group="server", host_cap=2) for n in range(20)]
    probes = harness.watch(*checks, answer=False)
    for _ in range(20):
        await harness.turn(1)
        running = [probe for probe in probes if probe._done]
        assert len(running) <= 2
        assert harness.wheel.probes_running == len(running)
        for probe in running:
            probe.finish()
            probe._done = None

    assert all(probe.started for probe in probes)


async def test_total_of_probes_is_capped() -> None:
    """No more than the total cap run at once, over all hosts."""
    harness = Harness(max_concurrent=3)
    harness.watch(*(make_check(f"s{n}/http", host_group=f"h{n}") for n in range(10)), answer=False)

    await harness.turn(FIRST_WITHIN_S + 1)

    assert harness.wheel.probes_running == 3


async def test_recheck_runs_at_its_instant_beside_the_slots() -> None:
    """A re-check is one more probe, marked as such."""
    harness = Harness()
    (probe,) = harness.watch(make_check())
    await harness.turn(70)
    before = len(probe.started)

    harness.wheel.recheck("shop/http", harness.clock.now() + timedelta(seconds=2))
    await harness.turn(2.5)

    assert len(probe.started) == before + 1
    assert harness.finished[-1].kind is SampleKind.RECHECK


@pytest.mark.parametrize("jump_s", [-7200, 7200])
async def test_clock_jump_moves_the_slots_and_probing_goes_on(jump_s: float) -> None:
    """A clock set back two hours does not stop the watch for two hours; set forward, it fires no flood."""
    harness = Harness()
    (probe,) = harness.watch(make_check())
    await harness.turn(65)
    before = len(probe.started)

    harness.clock.jump(jump_s)
    await harness.turn(180)

    assert 2 <= len(probe.started) - before <= 4
    assert harness.telemetry.counters["clock_jumps_total"] == 1
    assert harness.telemetry.missed == []


async def test_reload_with_an_equal_check_leaves_its_probe_running() -> None:
    """Only what changed restarts."""
    harness = Harness()
    stays, changes = make_check("a/http"), make_check("b/http")
    first = harness.watch(stays, changes, answer=False)
    await harness.turn(FIRST_WITHIN_S)

    changed = make_check("b/http", interval_s=30)
    second = harness.watch(stays, changed, answer=False)
    await harness.turn(FIRST_WITHIN_S)

    assert first[0].cancelled == 0
    assert second[0].started == []
    assert first[1].cancelled == 1
    assert len(second[1].started) == 1


async def test_removed_check_is_never_probed_again() -> None:
    """A check that left the configuration falls silent, its probe under way included."""
    harness = Harness()
    (probe,) = harness.watch(make_check(), answer=False)
    await harness.turn(FIRST_WITHIN_S)

    harness.wheel.replace({})
    await harness.turn(120)

    assert probe.cancelled == 1
    assert len(probe.started) == 1
    assert harness.finished == []


async def test_wheel_that_turns_by_itself_starts_probes_in_their_slot_and_rests_between() -> None:
    """An idle agent costs little; what is due starts within a tick all the same."""
    harness = Harness()
    harness.watch(make_check())
    turning = asyncio.create_task(harness.wheel.run())

    await harness.clock.advance(130)
    turning.cancel()
    await asyncio.gather(turning, return_exceptions=True)

    assert len(harness.finished) == 3
    assert all(done.delay_s <= TICK_S + 0.001 for done in harness.finished)
    assert harness.telemetry.missed == []
    assert harness.telemetry.counters["stalls_total"] == 0


async def test_removed_check_that_waited_leaves_its_place_to_others() -> None:
    """A reload amid a queue loses no place of the host, nor of the whole."""
    harness = Harness(max_concurrent=2)
    checks = [make_check(f"s{n}/http", host_group="server", host_cap=3) for n in range(6)]
    harness.watch(*checks, answer=False)
    await harness.turn(FIRST_WITHIN_S + 1)
    assert harness.wheel.probes_running == 2

    left = [make_check(f"new{n}/http", host_group="server", host_cap=3) for n in range(3)]
    probes = harness.watch(*left, answer=False)
    await harness.turn(FIRST_WITHIN_S + 1)
    for probe in [probe for probe in probes if probe.started]:
        probe.finish()
    await harness.turn(1)

    assert all(probe.started for probe in probes)


async def test_host_gives_its_place_to_who_waited_longest() -> None:
    """Nobody is passed over for ever on a crowded host."""
    harness = Harness()
    checks = [make_check(f"s{n}/http", host_group="server", host_cap=1) for n in range(5)]
    probes = dict(zip(checks, harness.watch(*checks, answer=False), strict=True))
    order: list[str] = []
    for _ in range(5):
        await harness.turn(FIRST_WITHIN_S)
        (running,) = [check for check, probe in probes.items() if probe._done]
        order.append(running.key)
        probes[running].finish()
        probes[running]._done = None

    assert order == sorted(order, key=lambda key: phase_of(key, 60))


async def test_cut_probe_is_told_by_its_own_slot() -> None:
    """Not by that of the probe which came due while it hung."""
    harness = Harness()
    check = make_check(interval_s=8, options=CheckOptions(kind="http", timeout_s=10))
    (probe,) = harness.watch(check, answer=False)
    await harness.turn(FIRST_WITHIN_S + 10 + CUT_AFTER_S + 1)

    cut = next(done for done in harness.finished if done.result.reason is Reason.AGENT_ERROR)
    assert cut.result.scheduled_at == probe.started[0]


@pytest.mark.parametrize("back_s", [0.5, 1.5])
async def test_clock_set_back_a_little_loses_no_slot(back_s: float) -> None:
    """A correction that is no jump neither repeats a slot nor leaves one out."""
    harness = Harness()
    (probe,) = harness.watch(make_check())
    await harness.turn(65)
    before = len(probe.started)

    harness.clock.jump(-back_s)
    await harness.turn(180)

    assert len(probe.started) - before == 3
    assert harness.telemetry.missed == []


async def test_fault_of_a_listener_ends_the_wheel_with_it() -> None:
    """It is raised where the wheel is run, so that it is logged and the wheel started again; no timer is left."""

    def fail(_: Finished) -> None:
        raise ZeroDivisionError

    clock = ManualClock()
    wheel = Wheel(clock, RecordingTelemetry(), fail)
    wheel.replace({"shop/http": (make_check(), ManualProbe(UP))})
    turning = asyncio.create_task(wheel.run())
    await clock.advance(FIRST_WITHIN_S)

    with pytest.raises(ZeroDivisionError):
        await turning
    last = wheel.last_tick
    await clock.advance(10)
    assert wheel.last_tick == last


async def test_lag_of_every_turn_is_counted() -> None:
    """The distribution of how late the loop woke, beside the worst of the last second."""
    harness = Harness()
    harness.watch(make_check())
    harness.wheel.tick()
    await harness.stall(0.705)
    harness.wheel.tick()

    assert harness.telemetry.counters["loop_delay_seconds"] == pytest.approx(0.7)


async def test_dead_data_centre_keeps_nobody_else_waiting() -> None:
    """Thousands that hang, and thousands more that wait for a place of their host, and one that answers on time."""
    harness = Harness(max_concurrent=5000)
    slow = CheckOptions(kind="http", timeout_s=300)
    dead = [make_check(f"d{n}/http", options=slow, host_group=f"rack{n % 250}") for n in range(4000)]
    alive = make_check("alive/http", host_group="elsewhere")
    probe = ManualProbe(UP)
    harness.wheel.replace({**{check.key: (check, ManualProbe()) for check in dead}, alive.key: (alive, probe)})

    await harness.turn(70)

    assert harness.wheel.probes_running == 2000
    delays = [done.delay_s for done in harness.finished if done.check is alive]
    assert len(delays) in {2, 3}
    assert max(delays) <= 0.5
