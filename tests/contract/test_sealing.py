"""Days that are over: sealed once and again, read as one with the raw ones, and never counted twice."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from sentry.domain.day import MINUTES_PER_DAY
from sentry.domain.latency import percentile_us, steps_of
from sentry.domain.ledger import MinuteState, Run, Totals
from sentry.domain.result import ProbeResult, Reason, Status
from sentry.domain.retention import RetentionPolicy
from sentry.ports import SampleKind, WatchRecord
from sentry.store import Store
from sentry.store.sealing import Sealing
from tests.fakes.clock import ManualClock
from tests.fakes.watch import record

DAY = 20_700
FIRST = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=DAY)
UP, DOWN, DEGRADED = MinuteState.UP, MinuteState.DOWN, MinuteState.DEGRADED
STATES = {Status.UP: UP, Status.DOWN: DOWN, Status.DEGRADED: DEGRADED}
REASONS = {
    Status.DOWN: Reason.CONNECT_TIMEOUT,
    Status.DEGRADED: Reason.SLOW_RESPONSE,
    Status.UNKNOWN: Reason.AGENT_NETWORK,
}
TOLERANCE = 0.03


def at(minute: int, second: float = 7.25) -> datetime:
    """The instant in a minute of the first day, or of a later one."""
    return FIRST + timedelta(minutes=minute, seconds=second)


def probed(
    key: str, minute: int, status: Status = Status.UP, *, took_s: float = 0.2, second: float = 7.25
) -> WatchRecord:
    """One probe, with the minute that it writes into the ledger."""
    when = at(minute, second)
    result = ProbeResult(key, when, when, took_s, status, REASONS.get(status))
    number = DAY * MINUTES_PER_DAY + minute
    state = STATES.get(status)
    return record(result, minutes=(Run(number, number + 1, state),) if state else ())


async def seal(store: Store, clock: ManualClock, hours: float) -> None:
    """Lets the sealing do all that there is to do so many hours after the first day began."""
    set_clock(clock, FIRST + timedelta(hours=hours))
    assert await store.sealing.work(60)


def set_clock(clock: ManualClock, to: datetime) -> None:
    clock.jump((to - clock.now()).total_seconds())


async def test_times_of_sealed_days_are_read_by_check(store: Store, clock: ManualClock) -> None:
    """What is learnt of a check is what was sealed of it, day by day, and of no other."""
    keys = ("shop/http", "blog/http")
    await store.watch.commit([probed(key, minute) for key in keys for minute in (10, 11, MINUTES_PER_DAY + 5)])
    await seal(store, clock, 24 * 4)
    found = await store.times.days(["shop/http"], DAY, DAY + 2)
    assert list(found) == ["shop/http"]
    assert [(day, len(of_day.steps)) for day, of_day in found["shop/http"]] == [(DAY, 2), (DAY + 1, 1)]
    assert [day for day, _ in (await store.times.days(keys, DAY, DAY + 1))["blog/http"]] == [DAY]


class SlowClock(ManualClock):
    """Each look at it takes 0.3 seconds."""

    def monotonic(self) -> float:
        self._monotonic += 0.3
        return self._monotonic


async def count(store: Store, table: str) -> int:
    async with store.database.read() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())  # noqa: S608  # a literal of this file


async def sealed_bytes(store: Store) -> list[tuple[object, ...]]:
    """Everything that sealing wrote."""
    async with store.database.read() as connection:
        blobs = await connection.execute(text("SELECT * FROM day_blobs ORDER BY day, check_id"))
        summaries = await connection.execute(text("SELECT * FROM day_summaries ORDER BY day, check_id"))
        return [tuple(row) for row in (*blobs, *summaries)]


def a_lively_day(key: str, seed: int, first: int = 0) -> list[WatchRecord]:
    """A day of probes with gaps, an outage, slow answers, re-checks and faults of the agent."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    records = []
    for minute in range(first, first + MINUTES_PER_DAY):
        if chance.random() < 0.02:
            continue
        status = chance.choices([Status.UP, Status.DEGRADED, Status.UNKNOWN], [95, 3, 2])[0]
        if 300 <= minute % MINUTES_PER_DAY < 340:
            status = Status.DOWN
        made = probed(key, minute, status, took_s=chance.lognormvariate(-1.5, 0.4))
        records.append(made)
        if chance.random() < 0.03:
            again = replace(made.result, scheduled_at=at(minute, 37), duration_s=chance.lognormvariate(-1.5, 0.4))
            records.append(replace(made, result=again, kind=SampleKind.RECHECK))
    return records


async def commit(store: Store, records: Sequence[WatchRecord]) -> None:
    for place in range(0, len(records), 500):
        await store.watch.commit(records[place : place + 500])


async def test_sealed_day_reads_as_its_raw_samples_did(store: Store, clock: ManualClock) -> None:
    """A page looks the same before and after, but for a re-check within its minute and 3 % of a time."""
    await commit(store, a_lively_day("shop/http", 1))
    before = await store.ledger.samples("shop/http", FIRST, at(9_999), 9_999)

    await seal(store, clock, 80)
    after = await store.ledger.samples("shop/http", FIRST, at(9_999), 9_999)

    assert await count(store, "samples") == 0
    assert len({sample.scheduled_at.replace(second=0, microsecond=0) for sample in before}) == len(after)
    slots = {sample.scheduled_at: sample for sample in before if sample.kind is SampleKind.SLOT}
    busy = {sample.scheduled_at.replace(second=7, microsecond=250_000) for sample in before} & {
        sample.scheduled_at.replace(second=7, microsecond=250_000) for sample in before if sample.kind != "slot"
    }
    for sample in after:
        raw = slots[sample.scheduled_at]
        assert (sample.status, sample.reason) == (raw.status, raw.reason)
        if sample.scheduled_at not in busy:
            assert sample.duration_s == pytest.approx(raw.duration_s, rel=TOLERANCE)
    newest = await store.ledger.samples("shop/http", FIRST, at(9_999), 5)
    assert list(newest) == list(after[-5:])


async def test_summary_is_what_the_samples_and_the_ledger_say(store: Store, clock: ManualClock) -> None:
    """Counts, times and minutes are exact, percentiles within the step of the scale."""
    records = a_lively_day("shop/http", 2)
    await commit(store, records)
    results = [each.result for each in records]
    times = sorted(round(result.duration_s * 1e6) for result in results if result.answers)

    await seal(store, clock, 26.1)
    (summary,) = await store.ledger.summaries("shop/http", DAY, DAY + 9)

    probes = summary.probes
    assert probes.probes == len(records) == await count(store, "samples")
    assert probes.rechecks == sum(each.kind is SampleKind.RECHECK for each in records)
    assert probes.down == sum(result.status is Status.DOWN for result in results)
    assert (probes.answered, probes.min_us, probes.max_us) == (len(times), times[0], times[-1])
    assert probes.sum_us == sum(times)
    histogram = [0] * 256
    for step in steps_of(times):
        histogram[step] += 1
    assert summary.p95_us == percentile_us(histogram, 95)
    assert summary.p95_us == pytest.approx(times[-(-95 * len(times) // 100) - 1], rel=TOLERANCE)
    minutes = {each.minutes[0] for each in records if each.minutes}
    assert summary.minutes.down == sum(run.state is DOWN for run in minutes)
    assert summary.minutes.total == MINUTES_PER_DAY
    assert summary.longest_down >= 36
    totals = await store.ledger.totals(DAY * MINUTES_PER_DAY, (DAY + 1) * MINUTES_PER_DAY)
    assert totals == {"shop/http": summary.minutes}


async def test_totals_of_any_span_are_the_ledgers_own(store: Store, clock: ManualClock) -> None:
    """A local month begins and ends within UTC days; sealed and open days add up to its exact minutes."""
    await store.checks.register({"shop/http": "shop", "blog/http": "blog", "shop/tls": "shop"}, FIRST)
    for key in ("shop/http", "blog/http"):
        for number in range(4):
            await commit(store, a_lively_day(key, number, number * MINUTES_PER_DAY))
    await seal(store, clock, 75)
    start, end = DAY * MINUTES_PER_DAY + 1_381, (DAY + 3) * MINUTES_PER_DAY + 77

    totals = await store.ledger.totals(start, end)

    for site in ("shop", "blog"):
        runs = (await store.ledger.runs(site, start, end))[f"{site}/http"]
        seen = {state: sum(run.minutes for run in runs if run.state is state) for state in (UP, DOWN, DEGRADED)}
        unknown = end - start - sum(seen.values())
        assert totals[f"{site}/http"] == Totals(seen[UP], seen[DOWN], seen[DEGRADED], 0, unknown)
        assert await store.ledger.totals(start, end, site) == {f"{site}/http": totals[f"{site}/http"]}
    assert set(totals) == {"shop/http", "blog/http"}


async def test_seal_again_writes_the_same_bytes(store: Store, clock: ManualClock) -> None:
    """From the raw samples, and from the sealed day once those are gone."""
    await commit(store, a_lively_day("shop/http", 3) + a_lively_day("blog/http", 4))
    await seal(store, clock, 27)
    first = await sealed_bytes(store)

    for hours in (28, 60, 99):
        async with store.database.write() as connection:
            await connection.execute(text("UPDATE sealed_days SET late = true"))
        await seal(store, clock, hours)
        assert await sealed_bytes(store) == first

    assert await count(store, "samples") == 0


async def test_raw_samples_are_dropped_once_they_are_48_hours_old_and_not_before(
    store: Store, clock: ManualClock
) -> None:
    """The minute at the edge stays; both sides of the edge read as one."""
    await commit(store, [probed("shop/http", minute) for minute in range(0, 2 * MINUTES_PER_DAY, 10)])

    await seal(store, clock, 48)
    assert await count(store, "samples") == 288
    await seal(store, clock, 60)

    assert await count(store, "samples") == 288 - 72
    found = await store.ledger.samples("shop/http", FIRST, at(5_000), 999)
    assert [sample.scheduled_at for sample in found] == [at(minute) for minute in range(0, 2_880, 10)]


async def test_samples_that_come_late_are_sealed_too(store: Store, clock: ManualClock) -> None:
    """A queue that waited for the store, a clock set back: whatever the day is like by then, nothing is lost."""
    await commit(store, [probed("shop/http", minute) for minute in range(600)])
    await seal(store, clock, 27)

    await commit(store, [probed("shop/http", minute, Status.DOWN) for minute in range(600, 620)])
    await seal(store, clock, 28)
    (summary,) = await store.ledger.summaries("shop/http", DAY, DAY + 1)
    assert (summary.probes.probes, summary.minutes.down, summary.longest_down) == (620, 20, 20)

    await seal(store, clock, 72)
    assert await count(store, "samples") == 0
    late = [probed("shop/http", minute, Status.DEGRADED) for minute in range(610, 640)]
    await commit(store, late)
    shown = await store.ledger.samples("shop/http", FIRST, at(5_000), 9_999)
    assert [sample.status for sample in shown] == ["up"] * 600 + ["down"] * 20 + ["degraded"] * 20
    await seal(store, clock, 73)

    again = await store.ledger.samples("shop/http", FIRST, at(5_000), 9_999)
    assert [sample.status for sample in again] == [sample.status for sample in shown]
    (summary,) = await store.ledger.summaries("shop/http", DAY, DAY + 1)
    assert (summary.probes.probes, summary.probes.degraded) == (640, 20)
    assert (summary.minutes.down, summary.minutes.degraded, summary.minutes.up) == (20, 20, 600)
    assert await count(store, "samples") == 0
    await commit(store, late)  # an answer that got lost
    await seal(store, clock, 74)
    assert await store.ledger.summaries("shop/http", DAY, DAY + 1) == [summary]


async def test_ledger_that_changes_after_midnight_changes_the_summary(store: Store, clock: ManualClock) -> None:
    """Minutes that were held back are written once their turn is decided, when their day may be sealed already."""
    await commit(store, [probed("shop/http", minute) for minute in range(1_430)])
    await seal(store, clock, 27)
    end = (DAY + 1) * MINUTES_PER_DAY
    held = record(probed("shop/http", 1_600).result, minutes=(Run(end - 10, end + 5, DOWN),))
    await store.watch.commit([held])

    totals = await store.ledger.totals(end - MINUTES_PER_DAY, end)
    assert totals["shop/http"] == Totals(1_430, 10)
    await seal(store, clock, 27.5)

    (summary,) = await store.ledger.summaries("shop/http", DAY, DAY + 1)
    assert summary.minutes == totals["shop/http"]


async def test_day_without_samples_costs_nothing_and_is_unknown(store: Store, clock: ManualClock) -> None:
    """The agent stood still for days: the next night seals what there is, and the days between are unknown."""
    await commit(store, [probed("shop/http", 5), probed("shop/http", 5 * MINUTES_PER_DAY + 5)])
    await seal(store, clock, 24 * 8)

    assert [one.day for one in await store.ledger.summaries("shop/http", DAY, DAY + 9)] == [DAY, DAY + 5]
    totals = await store.ledger.totals(DAY * MINUTES_PER_DAY, (DAY + 8) * MINUTES_PER_DAY)
    assert totals["shop/http"] == Totals(up=2, unknown=8 * MINUTES_PER_DAY - 2)
    assert len(await store.ledger.samples("shop/http", FIRST, at(20_000), 10)) == 2


async def test_nothing_to_seal_is_done_at_once(store: Store, clock: ManualClock) -> None:
    """An empty store, and one of today."""
    await seal(store, clock, 0)
    await commit(store, [probed("shop/http", 5)])
    await seal(store, clock, 25.9)

    assert await count(store, "sealed_days") == 0
    assert await store.ledger.totals(0, 10) == {}
    assert await store.ledger.summaries("no/such", 0, 99_999) == []


async def test_removed_check_keeps_its_days(store: Store, clock: ManualClock) -> None:
    """Its days are sealed and read like any other's; only the status page forgets it."""
    await store.checks.register({"shop/http": "shop", "blog/http": "blog"}, FIRST)
    await commit(store, [probed("shop/http", minute) for minute in range(9)])
    await store.checks.register({"blog/http": "blog"}, at(10))
    await seal(store, clock, 99)

    assert len(await store.ledger.samples("shop/http", FIRST, at(99), 99)) == 9
    assert (await store.ledger.totals(DAY * 1440, DAY * 1440 + 9, "shop"))["shop/http"] == Totals(up=9)
    assert await store.ledger.latest() == {}


async def test_latest_outlives_the_raw_samples(store: Store, clock: ManualClock) -> None:
    """A command says when a check was last seen, also after a week of standstill."""
    await commit(store, [probed("shop/http", 3), probed("shop/http", 4, Status.DOWN)])
    await seal(store, clock, 24 * 7)

    latest = (await store.ledger.latest())["shop/http"]
    assert (latest.scheduled_at, latest.status) == (at(4), "down")


async def test_clock_that_ran_ahead_loses_nothing_once_it_is_set_right(store: Store, clock: ManualClock) -> None:
    """Today was sealed as if it were over, and its samples dropped; what follows is read and sealed all the same."""
    await commit(store, [probed("shop/http", minute) for minute in range(100)])
    await seal(store, clock, 24 * 30)
    assert await count(store, "samples") == 0

    set_clock(clock, at(100))
    await commit(store, [probed("shop/http", minute) for minute in range(100, 200)])
    found = await store.ledger.samples("shop/http", FIRST, at(999), 999)
    assert [sample.scheduled_at for sample in found] == [at(minute) for minute in range(200)]
    assert (await store.ledger.totals(DAY * 1440, DAY * 1440 + 1440))["shop/http"] == Totals(200, unknown=1_240)
    await seal(store, clock, 5)  # the day is not over, whatever was thought before
    await seal(store, clock, 30)

    (summary,) = await store.ledger.summaries("shop/http", DAY, DAY + 1)
    assert (summary.probes.probes, summary.minutes.up) == (200, 200)
    found = await store.ledger.samples("shop/http", FIRST, at(999), 999)
    assert [sample.scheduled_at for sample in found] == [at(minute) for minute in range(200)]


async def test_clock_that_jumped_to_the_past_seals_that_past(store: Store, clock: ManualClock) -> None:
    """Samples of thirty years ago are strange, and kept like others until they are too old for the policy."""
    await commit(store, [probed("shop/http", -30 * 365 * MINUTES_PER_DAY)])
    await commit(store, [probed("shop/http", minute) for minute in range(10)])
    await seal(store, clock, 99)

    assert await count(store, "samples") == 0
    assert await count(store, "sealed_days") == 2
    await store.retention.prune(RetentionPolicy(), clock.now())
    assert await count(store, "sealed_days") == 1


async def test_work_that_is_cut_short_goes_on_where_it_stopped(store: Store) -> None:
    """A duty has a few seconds at a time; the day is sealed once they add up, and not touched twice."""
    keys = [f"site{place:03}/http" for place in range(120)]
    for place in range(3):
        await commit(store, [probed(key, place) for key in keys])
    sealing = Sealing(store.database, SlowClock(FIRST + timedelta(hours=99)))
    assert not await sealing.work(0)
    assert await count(store, "day_blobs") == 0

    rounds = 0
    while not await sealing.work(0.5):
        rounds += 1
        assert rounds < 30
    assert rounds > 1
    assert await count(store, "day_blobs") == 120
    assert await count(store, "samples") == 0


async def test_prune_drops_sealed_days_that_are_too_old(store: Store, clock: ManualClock) -> None:
    """The minutes of the ledger stay for ever; what a page drew of them goes."""
    for number in range(3):
        await commit(store, [probed("shop/http", number * MINUTES_PER_DAY)])
    await seal(store, clock, 24 * 6)

    dropped = await store.retention.prune(RetentionPolicy(samples_days=5), clock.now())

    assert (dropped["day_blobs"], dropped["day_summaries"], dropped["sealed_days"]) == (1, 1, 1)
    assert len(await store.ledger.samples("shop/http", FIRST, at(9_999), 9)) == 2
    assert (await store.ledger.totals(DAY * 1440, (DAY + 3) * 1440))["shop/http"].up == 3


async def test_damaged_blob_costs_its_own_day_and_no_other(store: Store, clock: ManualClock) -> None:
    """The page shows a gap, and the sealing goes on."""
    await commit(store, [probed("shop/http", minute) for minute in (0, MINUTES_PER_DAY)] + [probed("blog/http", 1)])
    await seal(store, clock, 99)
    async with store.database.write() as connection:
        damage = text(
            "UPDATE day_blobs SET blob = :blob WHERE day = :day"
            " AND check_id = (SELECT id FROM checks WHERE key = 'shop/http')"
        )
        await connection.execute(damage, {"blob": b"\x01junk", "day": DAY})
        await connection.execute(text("UPDATE sealed_days SET late = true"))

    await seal(store, clock, 100)

    found = await store.ledger.samples("shop/http", FIRST, at(9_999), 9)
    assert [sample.scheduled_at for sample in found] == [at(MINUTES_PER_DAY)]
    assert len(await store.ledger.samples("blog/http", FIRST, at(9_999), 9)) == 1
