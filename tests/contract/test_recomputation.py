"""A month recomputed from what the store kept of each probe, sealed days and all."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from sentry.domain.health import HealthState
from sentry.domain.ledger import MinuteState
from sentry.domain.month import Month, minute_of
from sentry.domain.own_fault import FaultCause, OwnFault
from sentry.domain.result import Status
from sentry.domain.site import Language
from sentry.domain.watched_site import WatchedCheck, WatchedSite
from sentry.ports import Correction
from sentry.services.recomputation import Recomputation, Recomputed
from sentry.store import Store
from tests.fakes.clock import ManualClock
from tests.fakes.results import a_check
from tests.fakes.stories import DAY, Story, played

CHECK = a_check("shop/http")
SITE = WatchedSite(
    key="shop",
    name="Shop",
    url="https://shop.example/",
    client_key="acme",
    client_name="Acme",
    zone=ZoneInfo("UTC"),
    language=Language.EN,
    checks=(WatchedCheck("shop/http"),),
)


def four_days(seed: int) -> Story:
    """Four days of a minute's slots, mostly good, with bad spells at random; the last two days are still raw."""
    chance = random.Random(seed)  # noqa: S311  # a story, not a secret
    said: list[Status] = []
    while len(said) < 4 * 1440 - 300:
        said += [Status.UP] * chance.randrange(5, 200)
        bad = chance.choice([Status.DOWN, Status.DOWN, Status.DEGRADED, Status.UNKNOWN])
        said += [bad] * chance.choice([1, 2, 3, 4, 40])
    return played(CHECK, 7, said, gaps=[chance.randrange(5000) for _ in range(30)], restarts=[])


async def written(store: Store, clock: ManualClock, story: Story) -> None:
    """Writes a story as the watch does, and seals what is over."""
    await store.watch.register([CHECK], DAY)
    for place in range(0, len(story.records), 500):
        await store.watch.commit(story.records[place : place + 500])
    last = story.records[-1].result.scheduled_at
    clock.jump((last + timedelta(minutes=1) - clock.now()).total_seconds())
    assert await store.sealing.work(60)


async def recomputed(store: Store, clock: ManualClock) -> Recomputed:
    return await Recomputation(store.ledger, clock, kept_days=396).of_month(SITE, [CHECK], Month(2026, 11))


@pytest.mark.promise("001-23", "001-24")
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_recompute_any_four_days_gives_the_same_figures_to_the_minute(
    store: Store, clock: ManualClock, seed: int
) -> None:
    """Of raw days and of sealed ones, whose raw probes are gone."""
    story = four_days(seed)
    await written(store, clock, story)
    assert await store.ledger.raw_from() > minute_of(DAY)
    found = await recomputed(store, clock)
    assert found.differences == ()
    assert found.told == found.stored
    assert found.stored.budget.minutes.down > 0
    assert found.compared > 3 * 1440


@pytest.mark.promise("001-23")
async def test_recompute_ledger_that_somebody_bettered_lists_every_minute(store: Store, clock: ManualClock) -> None:
    """Down minutes turned up are found one by one, in raw and in sealed days, and the figure is told as it was."""
    story = four_days(4)
    await written(store, clock, story)
    honest = await recomputed(store, clock)
    async with store.database.write() as connection:
        await connection.execute(text("UPDATE ledger_runs SET state = 'up' WHERE state = 'down'"))

    found = await recomputed(store, clock)

    assert len(found.differences) == honest.stored.budget.spent
    assert {one.stored for one in found.differences} == {MinuteState.UP}
    assert {one.possible for one in found.differences} == {(MinuteState.DOWN,)}
    assert found.stored.budget.spent == 0
    assert found.told.budget == honest.stored.budget


async def test_recompute_failures_of_our_own_say_nothing(store: Store, clock: ManualClock) -> None:
    """A recorded span of own fault voids the samples in it, as it took their minutes out of the ledger."""
    story = played(CHECK, 7, [Status.UP] * 5 + [Status.DOWN] * 6, (), ())
    await written(store, clock, story)
    (outage,) = story.outages.values()
    assert (await recomputed(store, clock)).differences == ()
    span = OwnFault(FaultCause.NETWORK, outage.started_at, None)

    await store.watch.correct(Correction(span))
    found = await recomputed(store, clock)

    assert {one.possible for one in found.differences} == {(MinuteState.UNKNOWN,)}
    assert found.told.budget.minutes.down == 0


async def test_starts_of_the_watch_are_kept_in_order(store: Store, clock: ManualClock) -> None:
    """What a probe stood for ends where the agent was started."""
    began = clock.now()
    await store.marks.watch_started()
    await store.marks.once("budget:shop")
    clock.jump(90)
    await store.marks.watch_started()
    starts = await store.ledger.starts(began, began + timedelta(hours=1))
    assert starts == [began, began + timedelta(seconds=90)]
    assert await store.ledger.starts(began + timedelta(seconds=1), began + timedelta(hours=1)) == starts[1:]
    assert await store.ledger.starts(datetime(2020, 1, 1, tzinfo=UTC), began) == []


def test_four_days_hold_what_they_are_for() -> None:
    """Confirmed outages, blips and gaps; and the story ends in a state that stands."""
    story = four_days(1)
    assert len(story.outages) > 3
    assert story.records[-1].health is not None
    assert story.records[-1].health.blips > 3
    assert story.records[-1].health.state in set(HealthState)
