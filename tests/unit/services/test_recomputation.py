"""A month recomputed over a ledger in memory: what is compared, and what is not."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentry.domain.health import Health
from sentry.domain.ledger import MinuteState, Run
from sentry.domain.ledger_tail import corrected, extend
from sentry.domain.month import Month, minute_of
from sentry.domain.own_fault import FaultCause, OwnFault, excused
from sentry.domain.recomputation import from_results
from sentry.domain.result import ProbeResult, Reason, Status
from sentry.domain.watched_site import WatchedCheck
from sentry.ports import Correction, Sample, SampleKind, WatchRecord
from sentry.services.recomputation import Recomputation
from sentry.services.watch import Watch
from tests.fakes.client_reports import shop
from tests.fakes.clock import ManualClock
from tests.fakes.ledger import MemoryLedger
from tests.fakes.results import a_check
from tests.fakes.stories import DAY, FIRST, Story, played
from tests.fakes.telemetry import RecordingTelemetry
from tests.fakes.watch_store import MemoryWatchStore

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


class WrittenLedger(MemoryWatchStore):
    """A store that keeps what the watch hands over as the real one does: samples, minutes, and what mends them."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: tuple[Run, ...] = ()
        self.faults: dict[datetime, OwnFault] = {}

    async def commit(self, records: Sequence[WatchRecord]) -> None:
        await super().commit(records)
        self.runs = extend(self.runs, [run for record in records for run in record.minutes])

    async def correct(self, correction: Correction) -> None:
        await super().correct(correction)
        if correction.fault is not None:
            self.faults[correction.fault.began_at] = correction.fault
        for one in correction.checks:
            self.runs = corrected(self.runs, one.minutes)

    @property
    def minutes(self) -> dict[int, MinuteState]:
        return {minute: run.state for run in self.runs for minute in range(run.start, run.end)}


async def watched_with_faults(
    said: Sequence[Status], faults: Sequence[tuple[int, int, int]]
) -> tuple[WrittenLedger, list[ProbeResult]]:
    """A real watch over slots and re-checks while faults of ours come and go.

    Args:
        said: what each probe sees.
        faults: (minute of the beginning, minutes until it is noticed, minutes that it lasts).
    """
    clock, store, asked = ManualClock(DAY), WrittenLedger(), []
    watch = Watch(
        store,
        clock,
        RecordingTelemetry(),
        recheck=lambda _, at: asked.append(at),
        committed=lambda: None,
    )
    await watch.replace([CHECK])
    spans = [(FIRST + at, FIRST + at + late, FIRST + at + late + lasts) for at, late, lasts in faults]
    known: dict[int, OwnFault] = {}
    taken: list[ProbeResult] = []
    slot, answers = DAY + timedelta(seconds=7), iter(said)
    while (status := next(answers, None)) is not None:
        due = [at for at in asked if at <= slot]
        when = min([*due, slot])
        asked[:] = [at for at in asked if at > when]
        slot = slot if due else slot + timedelta(minutes=1)
        now = minute_of(when)
        for began, noticed, ended in spans:
            fault = OwnFault(FaultCause.NETWORK, instant_of(began), instant_of(ended) if now >= ended else None)
            if now >= noticed and known.get(began) != fault:
                known[began] = fault
                watch.correct(fault)
        reason = {Status.DOWN: Reason.CONNECT_TIMEOUT, Status.UNKNOWN: Reason.AGENT_STALLED}.get(status)
        result = excused(ProbeResult(CHECK.key, when, when, 0.1, status, reason), known.values())
        taken.append(result)
        watch.take(result, SampleKind.SLOT, 0.0)
    await watch.flush()
    return store, taken


def instant_of(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


@pytest.mark.promise("001-23", "001-24")
@settings(max_examples=200, deadline=None)
@given(
    said=st.lists(st.sampled_from([Status.UP] * 3 + [Status.DOWN] * 4 + [Status.UNKNOWN]), max_size=50),
    faults=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 2), st.integers(1, 10)), max_size=1),
)
async def test_from_results_any_story_of_a_real_watch_gives_its_ledger(
    said: list[Status], faults: list[tuple[int, int, int]]
) -> None:
    """Whatever was believed, taken back and mended: the ledger is what the samples and the spans of own fault say."""
    store, taken = await watched_with_faults(said, faults)
    told = from_results(taken, CHECK, Health(CHECK.key), faults=list(store.faults.values()))
    assert store.minutes == {minute: next(iter(states)) for minute, states in told.items()}
