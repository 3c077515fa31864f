"""The soak's plan and its verdict: a comparison that could not fail would show nothing."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.obedient_sites import ERROR, SLOW
from benchmarks.soak_faults import BLIP_S, OUTAGE_S, REST_S, Fault, plan, turns
from benchmarks.soak_verdict import Found, Verdict, judge

START = 29_159_040 * 60.0


def judged(
    *faults: Fault, found: tuple[Found, ...] = (), down: tuple[int, ...] = (), unknown: tuple[int, ...] = ()
) -> Verdict:
    """Returns the verdict on one site, whose minutes down are counted from the start."""
    verdict = Verdict(seed=1, sites=1)
    seen = dict.fromkeys(range(-5, 60), "up") | dict.fromkeys(down, "down")
    minutes = {int(START // 60) + minute: state for minute, state in seen.items() if minute not in unknown}
    judge(verdict, faults, found, {0: minutes}, 60)
    return verdict


def outage(minutes: float = 5, late_s: float = 30) -> tuple[Fault, Found]:
    """Returns an outage from the start, and how the agent found it."""
    end = START + minutes * 60
    return Fault(0, ERROR, START, end), Found(0, START + late_s, end + late_s)


@given(st.integers(0, 1_000), st.floats(0.1, 12))
def test_plan_any_seed_leaves_no_doubt_what_is_to_be_found(seed: int, faults_per_hour: float) -> None:
    """Every fault is clearly an outage or clearly none, inside the span, and the next one of its site comes later."""
    faults = plan(seed, 5, START, START + 3600, faults_per_hour)

    assert faults == plan(seed, 5, START, START + 3600, faults_per_hour)
    assert all(fault.start < fault.end < START + 3600 for fault in faults)
    spans = [fault.end - fault.start for fault in faults]
    assert all(span <= BLIP_S[1] + 0.001 or span >= OUTAGE_S[0] - 0.001 for span in spans)
    for site in range(5):
        own = [fault for fault in faults if fault.site == site]
        assert all(later.start - earlier.end >= REST_S[0] for earlier, later in pairwise(own))
    assert [when for when, _, _ in turns(faults)] == sorted(
        [fault.start for fault in faults] + [fault.end for fault in faults]
    )


def test_verdict_every_outage_found_in_time_agrees() -> None:
    """Half a minute late at both edges is what a probe a minute can see."""
    fault, found = outage()
    verdict = judged(fault, found=(found,), down=(0, 1, 2, 3, 4))
    assert verdict.agrees
    assert (verdict.outages, verdict.found, verdict.worst_edge_s, verdict.minutes_down) == (1, 1, 30.0, 5)


def test_verdict_outage_that_nobody_found_differs() -> None:
    """A missed outage is the worst that can be said of the agent."""
    fault, _ = outage()
    verdict = judged(fault)
    assert (verdict.agrees, verdict.missed) == (False, 1)


@pytest.mark.parametrize("fault", [Fault(0, ERROR, START, START + 10), Fault(0, SLOW, START, START + 300)])
def test_verdict_blip_or_slowness_taken_for_an_outage_differs(fault: Fault) -> None:
    """What was found and is none is false, also where something less was wrong."""
    verdict = judged(fault, found=(Found(0, START + 1, START + 70),), down=(0,))
    assert (verdict.agrees, verdict.outages, verdict.others, verdict.false) == (False, 0, 1, 1)


def test_verdict_edge_beyond_the_interval_differs() -> None:
    """Begun 70 s too late is more than the probe interval explains."""
    fault, found = outage(late_s=70)
    verdict = judged(fault, found=(found,), down=(1, 2, 3, 4, 5))
    assert (verdict.agrees, verdict.edges_off) == (False, 2)


def test_verdict_edge_in_minutes_that_the_agent_could_not_see_agrees() -> None:
    """Begun 70 s late, of which it says itself that it had not seen them."""
    fault, found = outage(late_s=70)
    verdict = judged(fault, found=(Found(0, found.start, fault.end + 30),), down=(2, 3, 4), unknown=(0, 1))
    assert verdict.agrees


def test_verdict_outage_without_end_differs() -> None:
    """The site is well again, and the agent does not know it."""
    fault, found = outage()
    verdict = judged(fault, found=(Found(0, found.start, None),), down=(0, 1, 2, 3, 4))
    assert (verdict.agrees, verdict.edges_off) == (False, 1)


def test_verdict_minutes_that_the_outage_does_not_have_differ() -> None:
    """Minutes too few within it, and minutes down that no outage explains."""
    fault, found = outage()
    verdict = judged(fault, found=(found,), down=(0, 1, 40))
    assert (verdict.agrees, verdict.minutes_off, verdict.stray_minutes) == (False, 1, 1)
