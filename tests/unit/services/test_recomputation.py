"""A month recomputed over a ledger in memory: what is compared, and what is not."""

from datetime import UTC, datetime, timedelta

import pytest

from sentry.domain.ledger import MinuteState, Run
from sentry.domain.month import Month, minute_of
from sentry.domain.own_fault import FaultCause, OwnFault
from sentry.domain.result import Status
from sentry.domain.watched_site import WatchedCheck
from sentry.ports import Sample, SampleKind
from sentry.services.recomputation import Recomputation
from tests.fakes.client_reports import shop
from tests.fakes.clock import ManualClock
from tests.fakes.ledger import MemoryLedger
from tests.fakes.results import a_check
from tests.fakes.stories import DAY, FIRST, Story, played

CHECK = a_check("acme-shop/http")
SITE = shop(checks=(WatchedCheck("acme-shop/http"),))
NOVEMBER = Month(2026, 11)


def told(story: Story) -> tuple[MemoryLedger, ManualClock]:
    """A ledger that holds a story, an hour after it."""
    ledger = MemoryLedger()
    ledger.seen = {CHECK.key: DAY}
    minutes = story.ledger
    ledger.check_runs = {CHECK.key: [Run(minute, minute + 1, minutes[minute]) for minute in sorted(minutes)]}
    ledger.check_outages = list(story.outages.values())
    ledger.check_samples = {
        CHECK.key: [
            Sample(CHECK.key, one.scheduled_at, SampleKind.SLOT, one.status, one.reason, one.duration_s, {})
            for one in story.results
        ]
    }
    return ledger, ManualClock(story.results[-1].scheduled_at + timedelta(hours=1))


def an_outage() -> Story:
    return played(CHECK, 7, [Status.UP] * 5 + [Status.DOWN] * 6 + [Status.UP] * 8, (), ())


@pytest.mark.promise("001-23")
async def test_of_month_minutes_that_nobody_probed_are_found() -> None:
    """A run that was made longer by hand rests on no evidence."""
    ledger, clock = told(an_outage())
    last = ledger.check_runs[CHECK.key][-1].end
    ledger.check_runs[CHECK.key].append(Run(last + 5, last + 8, MinuteState.UP))
    found = await Recomputation(ledger, clock, kept_days=396).of_month(SITE, [CHECK], NOVEMBER)
    assert [(one.minute - last, one.stored, one.possible) for one in found.differences] == [
        (place, MinuteState.UP, (MinuteState.UNKNOWN,)) for place in (5, 6, 7)
    ]


async def test_of_month_spans_that_are_given_void_what_failed_in_them() -> None:
    """Somebody who knows of a fault of ours sees what the month would have been without its failures."""
    story = an_outage()
    ledger, clock = told(story)
    (outage,) = story.outages.values()
    span = OwnFault(FaultCause.NETWORK, outage.started_at, outage.ended_at)
    recomputation = Recomputation(ledger, clock, kept_days=396)
    assert (await recomputation.of_month(SITE, [CHECK], NOVEMBER)).differences == ()
    found = await recomputation.of_month(SITE, [CHECK], NOVEMBER, unknown_spans=[span])
    assert found.stored.budget.minutes.down > 0
    assert found.told.budget.minutes.down == 0


async def test_of_month_that_is_older_than_its_evidence_says_so() -> None:
    """What retention has dropped is not held against the ledger; a check that is gone is named."""
    ledger, _ = told(an_outage())
    ledger.check_runs["acme-shop/tls"] = [Run(FIRST, FIRST + 60, MinuteState.UP)]
    later = ManualClock(datetime(2026, 11, 28, tzinfo=UTC))
    found = await Recomputation(ledger, later, kept_days=5).of_month(SITE, [CHECK], NOVEMBER)
    assert found.differences == ()
    assert found.compared == 0
    assert found.without_evidence > 0
    assert found.unconfigured == ("acme-shop/tls",)


async def test_of_month_sealed_days_are_told_by_the_worst_of_each_minute() -> None:
    """Before the raw probes begin one sample a minute and the outages decide; a down minute made up is found."""
    story = an_outage()
    ledger, clock = told(story)
    worst: dict[int, Sample] = {}
    for sample in ledger.check_samples[CHECK.key]:
        minute = minute_of(sample.scheduled_at)
        if minute not in worst or sample.status == "down":
            worst[minute] = sample
    ledger.check_samples[CHECK.key] = list(worst.values())
    ledger.raw_begin = max(worst) + 1
    recomputation = Recomputation(ledger, clock, kept_days=396)
    assert (await recomputation.of_month(SITE, [CHECK], NOVEMBER)).differences == ()
    first = ledger.check_runs[CHECK.key][0]
    ledger.check_runs[CHECK.key][0] = Run(first.start, first.end, MinuteState.DOWN)
    found = await recomputation.of_month(SITE, [CHECK], NOVEMBER)
    assert [(one.minute, one.possible) for one in found.differences] == [(first.start, (MinuteState.UP,))]
