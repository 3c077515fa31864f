"""The minutes told anew from the evidence are those that the watch wrote."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentry.domain.day import MINUTES_PER_DAY, STATUSES, DayProbes, gather
from sentry.domain.health import Health, HealthState, step
from sentry.domain.ledger import MinuteState
from sentry.domain.month import minute_of
from sentry.domain.recomputation import UNKNOWN, from_results, from_worst, health_at
from sentry.domain.result import ProbeResult, Reason, Status
from tests.fakes.results import a_check
from tests.fakes.stories import DAY, FIRST, Story, played

answers = st.lists(
    st.sampled_from([Status.UP] * 6 + [Status.DOWN] * 6 + [Status.DEGRADED] + [Status.UNKNOWN]), max_size=60
)
few = st.lists(st.integers(0, 40), max_size=4)
stories = st.builds(
    played,
    st.sampled_from([60, 300, 120, 90]).map(lambda interval: replace(a_check("shop/http"), interval_s=interval)),
    st.integers(0, 59),
    answers,
    few,
    few,
)


@pytest.mark.promise("001-23", "001-24")
@settings(max_examples=300)
@given(stories)
def test_from_results_any_story_gives_the_minutes_that_the_watch_wrote(story: Story) -> None:
    """The same steps over the stored results are the same ledger, over restarts too."""
    told = from_results(story.results, story.check, Health(story.check.key), starts=story.starts)
    assert {minute: next(iter(states)) for minute, states in told.items()} == story.ledger


def test_health_at_an_instant_within_an_outage_is_down_until_it_ends() -> None:
    """Whoever begins within an outage goes on with it: its next failure is down at once, and not a suspicion."""
    story = played(a_check("shop/http"), 7, [Status.UP] + [Status.DOWN] * 6 + [Status.UP] * 4, (), ())
    (outage,) = story.outages.values()
    assert outage.ended_at is not None
    rest = [result for result in story.results if result.scheduled_at > outage.confirmed_at]
    before = health_at("shop/http", [outage], rest[0].scheduled_at)
    assert before.state is HealthState.DOWN
    told = from_results(rest, story.check, before)
    begin = minute_of(rest[0].scheduled_at)
    ledger = {minute: state for minute, state in story.ledger.items() if minute >= begin}
    assert {minute: next(iter(states)) for minute, states in told.items()} == ledger
    assert health_at("shop/http", [outage], outage.ended_at + timedelta(seconds=1)).state is HealthState.NEW
    assert health_at("shop/http", [outage], outage.started_at).state is HealthState.NEW


def worst_of(story: Story) -> list[ProbeResult]:
    """What a sealed day keeps of a story: the worst probe of each minute."""
    base = DAY
    probes = DayProbes(
        [int((one.scheduled_at - base) / timedelta(milliseconds=1)) for one in story.results],
        [STATUSES.index(one.status) for one in story.results],
        [100_000] * len(story.results),
        [one.reason for one in story.results],
    )
    day, _ = gather(probes.in_order())
    return [
        ProbeResult(
            story.check.key,
            base + timedelta(minutes=minute, milliseconds=day.offset_ms),
            base + timedelta(minutes=minute, milliseconds=day.offset_ms),
            0.1,
            run.status,
            Reason(run.reason) if run.reason else None,
        )
        for minute, run, _ in day.minutes()
    ]


@pytest.mark.promise("001-23", "001-24")
@settings(max_examples=500)
@given(stories)
def test_from_worst_any_story_admits_the_minutes_that_the_watch_wrote(story: Story) -> None:
    """The worst probe of each minute and the confirmed outages never contradict a ledger that is right."""
    if story.results and minute_of(story.results[-1].scheduled_at) >= FIRST + MINUTES_PER_DAY:
        return
    settled = _settled(story)
    told = from_worst(worst_of(story), story.check, list(story.outages.values()), starts=story.starts)
    ledger = story.ledger
    for minute in range(FIRST, settled):
        assert ledger.get(minute, MinuteState.UNKNOWN) in told.get(minute, UNKNOWN), minute - FIRST


def _settled(story: Story) -> int:
    """Up to where nothing is held back: the first result of a turn that the story leaves open."""
    health = Health(story.check.key)
    for result in story.results:
        health = step(health, result, story.check).health
    if health.held:
        return health.held[0].start
    return minute_of(story.results[-1].scheduled_at) + 1 if story.results else FIRST
