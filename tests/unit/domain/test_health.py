from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.events import EventKind
from sentry.domain.health import Health, HealthState, Step, step
from sentry.domain.ledger import MinuteState
from sentry.domain.result import Reason, Status
from sentry.domain.site import Check, CheckOptions, Plan
from tests.fakes.checks import START, make_check, make_result

UP, DOWN, DEGRADED, UNKNOWN = Status.UP, Status.DOWN, Status.DEGRADED, Status.UNKNOWN
FIRST_MINUTE = int(START.timestamp()) // 60


def run(check: Check, results: Iterable[tuple[float, Status]]) -> list[Step]:
    """Steps through results given as (seconds after START, status)."""
    health = Health(check.key)
    steps = []
    for at, status in results:
        taken = step(health, make_result(status, at), check)
        health = taken.health
        steps.append(taken)
    return steps


def ledger(steps: Iterable[Step]) -> dict[int, MinuteState]:
    """Minutes after START's with their state, the worse one winning where two meet in a minute."""
    order = [MinuteState.UP, MinuteState.DEGRADED, MinuteState.DOWN]
    minutes: dict[int, MinuteState] = {}
    for taken in steps:
        for entry in taken.minutes:
            for minute in range(entry.start, entry.end):
                standing = minutes.get(minute - FIRST_MINUTE, MinuteState.UP)
                minutes[minute - FIRST_MINUTE] = max(standing, entry.state, key=order.index)
    return minutes


def kinds(steps: Iterable[Step]) -> list[EventKind]:
    """Every event in order."""
    return [event.kind for taken in steps for event in taken.events]


def test_failure_confirmed_by_both_rechecks_is_down_from_the_first_probe() -> None:
    """Three failures in a row make an outage that began at the first of them."""
    steps = run(make_check(), [(0, UP), (60, DOWN), (70, DOWN), (80, DOWN)])

    assert kinds(steps) == [EventKind.FAILURE_SUSPECTED, EventKind.OUTAGE_CONFIRMED]
    assert steps[-1].health.state is HealthState.DOWN
    assert steps[-1].outage is not None
    assert steps[-1].outage.started_at == START + timedelta(seconds=60)
    assert ledger(steps) == {0: MinuteState.UP, 1: MinuteState.DOWN}


def test_clock_set_back_between_rechecks_delays_none_of_them() -> None:
    """The second re-check follows 20 s after the first, not an hour and 20 s later."""
    steps = run(make_check(), [(3600, DOWN), (10, DOWN)])

    assert steps[-1].health.recheck_at == START + timedelta(seconds=10.1 + 20)


def test_outage_that_ends_on_a_clock_set_back_lasts_no_negative_time() -> None:
    """It is over, and lasted at least nothing."""
    steps = run(make_check(), [(3600, DOWN), (3610, DOWN), (3620, DOWN), (30, UP), (40, UP), (50, UP)])

    assert kinds(steps) == [EventKind.FAILURE_SUSPECTED, EventKind.OUTAGE_CONFIRMED, EventKind.OUTAGE_ENDED]
    assert steps[-1].outage is not None
    assert steps[-1].outage.ended_at == steps[-1].outage.started_at == START + timedelta(seconds=3600)


def test_failure_asks_for_rechecks_after_10_and_20_seconds_of_the_first() -> None:
    """The plan's re-checks count from the moment the first failure was known."""
    steps = run(make_check(), [(0, DOWN), (10.1, DOWN)])

    known_at = START + timedelta(seconds=0.1)
    assert steps[0].health.recheck_at == known_at + timedelta(seconds=10)
    assert steps[1].health.recheck_at == known_at + timedelta(seconds=20)


def test_failure_that_vanishes_is_a_blip_and_its_minute_is_up() -> None:
    """A single lost probe is kept as a blip and never counts as down."""
    steps = run(make_check(), [(0, UP), (60, DOWN), (70, UP), (120, UP)])

    assert EventKind.BLIP_RECOVERED in kinds(steps)
    assert EventKind.OUTAGE_CONFIRMED not in kinds(steps)
    assert set(ledger(steps).values()) == {MinuteState.UP}
    assert steps[-1].health.blips == 1


def test_outage_of_three_minutes_counts_three_minutes() -> None:
    """Down from the minute of the first failed probe to the first minute of the confirmed recovery."""
    results = [
        (0.0, UP),
        (60, DOWN),
        (70, DOWN),
        (80, DOWN),
        (120, DOWN),
        (180, DOWN),
        (240, UP),
        (250, UP),
        (260, UP),
    ]
    steps = run(make_check(), results)

    states = ledger(steps)
    assert [minute for minute, state in states.items() if state is MinuteState.DOWN] == [1, 2, 3]
    assert states[4] is MinuteState.UP
    assert kinds(steps)[-1] is EventKind.OUTAGE_ENDED
    assert steps[-1].outage is not None
    assert steps[-1].outage.ended_at == START + timedelta(seconds=240)


def test_recovery_that_fails_again_stays_down_throughout() -> None:
    """One good answer in the middle of an outage is not a recovery; its minute is down."""
    results = [(0.0, DOWN), (10, DOWN), (20, DOWN), (60, UP), (70, DOWN), (120, DOWN)]
    steps = run(make_check(), results)

    assert ledger(steps) == {0: MinuteState.DOWN, 1: MinuteState.DOWN, 2: MinuteState.DOWN}
    assert EventKind.OUTAGE_ENDED not in kinds(steps)
    assert steps[-1].health.state is HealthState.DOWN


@pytest.mark.promise("001-28")
def test_own_fault_changes_no_verdict_and_writes_no_minute() -> None:
    """A minute the agent could not judge is unknown: neither up nor down, and no outage comes of it."""
    steps = run(make_check(), [(0, UP), (60, UNKNOWN), (120, UNKNOWN), (180, UNKNOWN), (240, UP)])

    assert set(ledger(steps)) == {0, 4}
    assert kinds(steps) == []


def test_own_fault_in_the_middle_of_a_suspicion_leaves_it_open() -> None:
    """An unknown result neither confirms nor refutes a failure."""
    steps = run(make_check(), [(0, DOWN), (10, UNKNOWN), (60, DOWN), (70, DOWN)])

    assert steps[1].health.state is HealthState.SUSPECT
    assert steps[-1].health.state is HealthState.DOWN


def test_check_without_rechecks_is_down_at_once() -> None:
    """Where a second look can see nothing new, the first failure is the outage."""
    steps = run(make_check(plan=Plan(recheck_after_s=())), [(0, UP), (60, DOWN), (120, UP)])

    assert kinds(steps) == [EventKind.FAILURE_SUSPECTED, EventKind.OUTAGE_CONFIRMED, EventKind.OUTAGE_ENDED]


def test_degraded_is_announced_once_and_is_not_down() -> None:
    """Slow is degraded: its minutes say so, and it starts and ends with one event each."""
    steps = run(make_check(), [(0, UP), (60, DEGRADED), (120, DEGRADED), (180, UP)])

    assert kinds(steps) == [EventKind.DEGRADED_STARTED, EventKind.DEGRADED_ENDED]
    assert ledger(steps)[1] is MinuteState.DEGRADED
    assert steps[-1].health.state is HealthState.UP


def test_interval_of_five_minutes_covers_the_minutes_between_and_no_more() -> None:
    """A result stands until the next one, for at most its interval; a gap beyond is nobody's."""
    steps = run(make_check(interval_s=300), [(0, UP), (300, UP), (1200, UP)])

    assert set(ledger(steps)) == {*range(10), 20}


def test_long_interval_outage_ends_at_the_recheck_that_saw_the_recovery() -> None:
    """With a probe each 5 minutes the down minutes reach exactly to the first good probe."""
    results = [(0.0, UP), (300, DOWN), (310, DOWN), (320, DOWN), (600, UP), (610, UP), (620, UP), (900, UP)]
    states = ledger(run(make_check(interval_s=300), results))

    assert [minute for minute, state in states.items() if state is MinuteState.DOWN] == [5, 6, 7, 8, 9]
    assert set(states) == set(range(16))


def test_restart_during_a_suspicion_leaves_the_minutes_between_unknown() -> None:
    """Minutes that nobody probed stay unknown even when the outage is confirmed later."""
    steps = run(make_check(), [(0, DOWN), (1800, DOWN), (1810, DOWN)])

    assert set(ledger(steps)) == {0, 30}
    assert steps[-1].outage is not None
    assert steps[-1].outage.started_at == START


def test_reason_of_the_outage_is_that_of_the_first_failure() -> None:
    """Later failures may look different; the report is about what happened first."""
    check = make_check()
    first = step(Health(check.key), make_result(DOWN, 0, reason=Reason.CONNECT_REFUSED), check)
    second = step(first.health, make_result(DOWN, 10), check)
    third = step(second.health, make_result(DOWN, 20), check)

    assert third.outage is not None
    assert third.outage.reason is Reason.CONNECT_REFUSED


@given(st.lists(st.sampled_from([UP, DOWN, DEGRADED, UNKNOWN]), max_size=40))
def test_any_history_of_minutes_is_down_only_in_confirmed_outages(history: list[Status]) -> None:
    """Whatever comes, down minutes lie within outages, and unknown minutes are never written."""
    check = make_check()
    steps = run(check, [(60.0 * minute, status) for minute, status in enumerate(history)])

    states = ledger(steps)
    outages = [taken.outage for taken in steps if taken.outage is not None]
    for minute, state in states.items():
        assert history[minute] is not UNKNOWN
        if state is MinuteState.DOWN:
            at = START + timedelta(minutes=minute)
            assert any(
                outage.started_at <= at and (outage.ended_at is None or at < outage.ended_at) for outage in outages
            )
    held = steps[-1].health.held if steps else ()
    decided = {minute for minute, status in enumerate(history) if status is not UNKNOWN}
    pending = {minute - FIRST_MINUTE for run_ in held for minute in range(run_.start, run_.end)}
    assert set(states) | pending == decided


def test_heartbeat_like_check_is_never_rechecked() -> None:
    """A kind that says so is believed at its first failure, whatever the plan."""

    class Silent(CheckOptions):
        rechecked = False

    steps = run(make_check(options=Silent(kind="silent")), [(0, UP), (60, DOWN)])

    assert steps[-1].health.state is HealthState.DOWN
