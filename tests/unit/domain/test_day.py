"""A check's day: against brute force, over every shape of a day, and as bytes and back."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.day import (
    MINUTES_PER_DAY,
    MS_PER_MINUTE,
    STATUSES,
    CheckDay,
    DayProbes,
    ProbeCounts,
    ProbeRun,
    add_late,
    gather,
    summarize,
)
from sentry.domain.day_blob import DIFFERENCES, PLAIN, decode, encode
from sentry.domain.errors import StoreError
from sentry.domain.latency import percentile_us, steps_of, time_us
from sentry.domain.ledger import MinuteState, Run, Totals
from sentry.domain.result import Reason, Status

DAY_MS = MINUTES_PER_DAY * MS_PER_MINUTE
WORST_FIRST = (Status.DOWN, Status.DEGRADED, Status.UP, Status.UNKNOWN)

durations = st.integers(0, 400_000_000)
reasons = st.sampled_from([None, "connect_timeout", "slow_response", "slot_missed", "ñ, 'odd'"])


@st.composite
def probes(draw: st.DrawFn, most: int = 40) -> DayProbes:
    """Probes of a day, each moment, kind and status once, oldest first."""
    span = draw(st.sampled_from([9 * MS_PER_MINUTE, DAY_MS]))  # close together, minutes have several
    places = draw(st.sets(st.tuples(st.integers(0, span - 1), st.integers(0, 11)), max_size=most))
    found = sorted(places)
    return DayProbes(
        [moment for moment, _ in found],
        [code for _, code in found],
        draw(st.lists(durations, min_size=len(found), max_size=len(found))),
        draw(st.lists(reasons, min_size=len(found), max_size=len(found))),
    )


@st.composite
def plain_days(draw: st.DrawFn) -> DayProbes:
    """The usual day: a probe a minute, all up, now and then one left out."""
    left_out = draw(st.sets(st.integers(0, MINUTES_PER_DAY - 1), max_size=5))
    minutes = [minute for minute in range(draw(st.integers(1, MINUTES_PER_DAY))) if minute not in left_out]
    times = draw(st.lists(durations, min_size=1, max_size=9))
    return DayProbes(
        [minute * MS_PER_MINUTE + 777 for minute in minutes],
        [0] * len(minutes),
        [times[place % len(times)] for place in range(len(minutes))],
    )


def statuses_of(day: DayProbes) -> list[Status]:
    return [STATUSES[code % 4] for code in day.codes]


@given(probes() | plain_days())
def test_blob_of_any_day_reads_back_as_that_day(day_probes: DayProbes) -> None:
    """Nothing is lost between the day and its bytes, and equal days are equal bytes."""
    day, _ = gather(day_probes)

    blob = encode(day)

    assert decode(blob) == day
    assert encode(decode(blob)) == blob


@given(st.binary(max_size=200))
def test_blob_of_any_bytes_is_a_day_or_is_called_damaged(junk: bytes) -> None:
    """A damaged row is an error that says so, and never another one."""
    try:
        decode(junk)
    except StoreError:
        return


@given(probes(), st.data())
def test_blob_with_a_wrong_byte_is_a_day_or_is_called_damaged(day_probes: DayProbes, data: st.DataObject) -> None:
    """As above, and nearer to what a bad disk does."""
    blob = bytearray(encode(gather(day_probes)[0]))
    blob[data.draw(st.integers(0, len(blob) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        decode(bytes(blob))
    except StoreError:
        return


@given(probes() | plain_days())
def test_day_is_what_each_minute_was_at_its_worst(day_probes: DayProbes) -> None:
    """Against brute force: of each minute the worst status, of these the slowest."""
    statuses = statuses_of(day_probes)
    day, _ = gather(day_probes)

    expected: dict[int, tuple[int, int]] = {}
    for moment, status, duration in zip(day_probes.moments_ms, statuses, day_probes.durations_us, strict=True):
        rank = (-WORST_FIRST.index(status), steps_of([duration])[0])
        minute = moment // MS_PER_MINUTE
        expected[minute] = max(expected.get(minute, (-9, 0)), rank)

    found = {minute: (-WORST_FIRST.index(run.status), step) for minute, run, step in day.minutes()}
    assert found == expected
    starts = [run.start for run in day.runs]
    assert starts == sorted(starts)
    for one, other in zip(day.runs, day.runs[1:], strict=False):
        assert one.end < other.start or (one.status, one.reason) != (other.status, other.reason)


@given(probes() | plain_days())
def test_counts_and_histogram_are_those_of_all_probes(day_probes: DayProbes) -> None:
    """Against brute force: also the probes that no minute shows are counted."""
    statuses = statuses_of(day_probes)
    day, counts = gather(day_probes)
    times = [
        duration
        for status, duration in zip(statuses, day_probes.durations_us, strict=True)
        if status in {Status.UP, Status.DEGRADED}
    ]

    assert (counts.up, counts.down, counts.degraded, counts.unknown) == tuple(map(statuses.count, STATUSES))
    kinds = Counter(code // 4 for code in day_probes.codes)
    assert (counts.slots, counts.rechecks, counts.missed) == (kinds[0], kinds[1], kinds[2])
    assert (counts.sum_us, counts.min_us, counts.max_us) == (
        sum(times),
        min(times, default=None),
        max(times, default=None),
    )
    assert dict(enumerate(day.histogram())) == dict.fromkeys(range(256), 0) | Counter(steps_of(times))


@given(probes(), probes())
def test_late_probes_fill_only_minutes_that_had_none(first: DayProbes, late: DayProbes) -> None:
    """Whatever comes late, and however often: no minute that was known changes, and nothing counts twice."""
    day, counts = gather(first)
    known = {minute: (run.status, run.reason, step) for minute, run, step in day.minutes()}

    filled, more = add_late(day, counts, late)

    after = {minute: (run.status, run.reason, step) for minute, run, step in filled.minutes()}
    assert {minute: after[minute] for minute in known} == known
    assert set(after) == set(known) | {moment // MS_PER_MINUTE for moment in late.moments_ms}
    assert sum(filled.histogram()) == more.answered
    assert add_late(filled, more, late) == (filled, more)
    assert add_late(filled, more, first) == (filled, more)
    assert decode(encode(filled)) == filled


@given(probes(), st.permutations(range(12)))
def test_order_of_the_rows_does_not_matter(day_probes: DayProbes, shuffled: list[int]) -> None:
    """A database gives rows in any order: the same day is the same bytes all the same."""
    places = sorted(range(len(day_probes.codes)), key=lambda place: (shuffled[place % 12], place))
    mixed = DayProbes(
        [day_probes.moments_ms[place] for place in places],
        [day_probes.codes[place] for place in places],
        [day_probes.durations_us[place] for place in places],
        [day_probes.reasons[place] for place in places],
    )

    assert gather(mixed.in_order()) == gather(day_probes.in_order())


@given(st.lists(durations, min_size=1))
def test_step_of_a_time_stands_for_it_within_three_percent(times: list[int]) -> None:
    """One byte is enough for a page: none from 0.1 ms to 240 s moves by more, beside half a microsecond."""
    for time, step in zip(times, steps_of(times), strict=True):
        if 100 <= time <= 240_000_000:
            assert abs(time_us(step) - time) <= 0.03 * time + 0.5


@given(st.lists(st.integers(0, 255), min_size=1), st.integers(1, 100))
def test_percentile_is_the_nearest_rank(steps: list[int], percent: int) -> None:
    """Against the definition: the smallest time that so many percent did not exceed."""
    histogram = [steps.count(step) for step in range(256)]

    found = percentile_us(histogram, percent)

    assert found == time_us(sorted(steps)[-(-percent * len(steps) // 100) - 1])
    assert percentile_us([0] * 256, percent) is None


def test_summary_counts_the_ledgers_minutes_and_not_the_probes() -> None:
    """An unconfirmed failure was a failed probe and no minute down; runs are cut to the day."""
    start = 20_000 * MINUTES_PER_DAY
    runs = [
        Run(start - 90, start + 10, MinuteState.DOWN),
        Run(start + 10, start + 700, MinuteState.UP),
        Run(start + 705, start + 720, MinuteState.DOWN),
        Run(start + 720, start + 9_000, MinuteState.DEGRADED),
    ]
    day, counts = gather(DayProbes([5], [1], [900], ["connect_timeout"]))

    summary = summarize(20_000, day, counts, runs)

    assert summary.minutes == Totals(up=690, down=25, degraded=720, maintenance=0, unknown=5)
    assert summary.longest_down == 15
    assert (summary.probes.down, summary.probes.answered, summary.p50_us) == (1, 0, None)


def test_day_without_probes_is_a_day() -> None:
    """Nothing in, nothing out, a few bytes."""
    day, counts = gather(DayProbes())

    assert (day, counts) == (CheckDay(), ProbeCounts())
    assert decode(encode(day)) == day
    assert summarize(3, day, counts, []).minutes == Totals(unknown=MINUTES_PER_DAY)


def test_steady_site_is_kept_as_differences_and_a_noisy_one_as_it_is() -> None:
    """The shorter of both forms is kept; a day of a quick, steady site is a few dozen bytes."""
    steady = CheckDay(0, (ProbeRun(0, 1_440, Status.UP),), bytes(100 + minute // 12 for minute in range(1_440)))
    chance = random.Random(5)  # noqa: S311  # no secret
    noise = bytes(round(chance.gauss(120, 4)) for _ in range(1_440))
    noisy = CheckDay(0, (ProbeRun(0, 1_440, Status.UP),), noise)

    assert (encode(steady)[0], encode(noisy)[0]) == (DIFFERENCES, PLAIN)
    assert len(encode(steady)) < 300
    assert len(encode(noisy)) < 900


def test_flapping_day_with_every_reason_stays_small_and_whole() -> None:
    """The worst day: another status and reason each minute."""
    named = [None, *(reason.value for reason in Reason)]
    runs = tuple(
        ProbeRun(minute, minute + 1, STATUSES[minute % 4], named[minute % len(named)])
        for minute in range(MINUTES_PER_DAY)
    )
    day = CheckDay(59_999, runs, bytes(minute % 256 for minute in range(MINUTES_PER_DAY)), ((3, 4_000), (255, 1)))

    assert decode(encode(day)) == day
    assert len(encode(day)) < 8_000
