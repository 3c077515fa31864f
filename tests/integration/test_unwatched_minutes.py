"""Minutes that nobody watched, through the real watch, store and budget."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sentry.domain.result import Status
from sentry.domain.watched_site import WatchedCheck, WatchedSite
from sentry.ports import SampleKind
from sentry.services.budgets import Budgets
from sentry.services.watch import Watch
from sentry.store import Store, open_store
from tests.fakes.checks import START, make_check, make_result
from tests.fakes.clock import ManualClock
from tests.fakes.telemetry import RecordingTelemetry

CHECK = make_check()
SITE = WatchedSite(
    key="shop",
    name="shop",
    url=CHECK.url,
    client_key="acme",
    client_name="Acme",
    zone=CHECK.time_zone,
    language=CHECK.language,
    checks=(WatchedCheck(CHECK.key),),
)


async def watch_minutes(store: Store, clock: ManualClock, statuses: list[Status]) -> None:
    """One life of an agent: it starts, sees one result a minute, and dies without a word."""
    watch = Watch(store.watch, clock, RecordingTelemetry(), recheck=lambda *_: None, committed=lambda: None)
    await watch.replace([CHECK])
    for status in statuses:
        watch.take(make_result(status, clock.now()), SampleKind.SLOT, 0.0)
        await watch.flush()
        await clock.advance(60)


@pytest.mark.promise("001-28", "001-23")
async def test_agent_dead_for_thirty_minutes_leaves_thirty_unknown_minutes(tmp_path: Path) -> None:
    """They are neither up nor down: worst and best show what they may have been."""
    clock = ManualClock(START.replace(second=0))
    async with open_store(f"sqlite:///{tmp_path}/sentry.db", handlers=(), clock=clock) as store:
        await watch_minutes(store, clock, [Status.UP] * 30)
        await clock.advance(30 * 60)
        await watch_minutes(store, clock, [Status.UP] * 30)
        budget = (await Budgets(store.ledger, clock).of_month(SITE)).budget

    assert (budget.minutes.up, budget.minutes.unknown, budget.minutes.down) == (60, 30, 0)
    assert budget.measured == 1
    assert budget.best == 1
    assert budget.worst is not None
    assert budget.worst < 0.7


@pytest.mark.promise("001-23", "001-24")
async def test_outage_across_a_restart_is_down_but_for_the_minutes_not_probed(tmp_path: Path) -> None:
    """An outage seen before and after a restart counts what was seen; the gap between is unknown."""
    clock = ManualClock(START.replace(second=0))
    async with open_store(f"sqlite:///{tmp_path}/sentry.db", handlers=(), clock=clock) as store:
        await watch_minutes(store, clock, [Status.UP] * 10 + [Status.DOWN] * 10)
        await clock.advance(5 * 60)
        await watch_minutes(store, clock, [Status.DOWN] * 10 + [Status.UP] * 10)
        budget = (await Budgets(store.ledger, clock).of_month(SITE)).budget
        (outage,) = await store.ledger.outages("shop", datetime.min.replace(tzinfo=START.tzinfo), clock.now())

    assert (budget.minutes.up, budget.minutes.down, budget.minutes.unknown) == (20, 20, 5)
    assert outage.started_at == START.replace(second=0) + timedelta(minutes=10)
    assert outage.ended_at == START.replace(second=0) + timedelta(minutes=35)
