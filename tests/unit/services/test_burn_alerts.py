"""Alarms about budgets that burn, as the budget watch raises and clears them minute by minute."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sentry.domain.concern import Concern, ConcernKind
from sentry.domain.events import Event, EventKind
from sentry.domain.incident import IncidentState
from sentry.domain.ledger import MinuteState, Run
from sentry.domain.severity import Severity
from sentry.domain.watched_site import WatchedCheck, WatchedSite
from sentry.services.budgets import Budgets
from tests.fakes.budget_watch import BudgetDesk
from tests.fakes.client_reports import shop
from tests.fakes.clock import ManualClock
from tests.fakes.failure_reports import error_result, incident_of
from tests.fakes.ledger import MemoryLedger

UP, DOWN = MinuteState.UP, MinuteState.DOWN
FIRST = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) // 60
NOON = int(datetime(2026, 11, 10, 12, 0, tzinfo=UTC).timestamp()) // 60
SITE = shop(checks=(WatchedCheck("acme-shop/http"),))
KEY = "burn_rate:acme-shop"


class Desk:
    """A budget watch over one site whose minutes are told."""

    def __init__(self, *outages: tuple[int, int]) -> None:
        self.clock = ManualClock(instant(NOON))
        self.ledger = MemoryLedger()
        self.ledger.seen = {"acme-shop/http": instant(FIRST)}
        self.outages = list(outages)
        self.desk = BudgetDesk(self.clock)
        self.watch = self.desk.watch(Budgets(self.ledger, self.clock))

    async def at(self, minute: int, sites: tuple[WatchedSite, ...] = (SITE,)) -> list[Concern | Event]:
        """Looks at the budget at a minute; returns everything told so far."""
        self.clock.jump((instant(minute) - self.clock.now()).total_seconds())
        runs, reached = [], FIRST
        for start, end in self.outages:
            runs += [Run(reached, start, UP), Run(start, min(end, minute), DOWN)]
            reached = end
        self.ledger.check_runs = {
            "acme-shop/http": [run for run in (*runs, Run(reached, minute, UP)) if run.minutes > 0]
        }
        await self.watch.check_thresholds(sites)
        return self.desk.told()


def instant(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


@pytest.mark.promise("001-24")
async def test_outages_that_burn_together_raise_one_concern_that_ends_with_the_short_window() -> None:
    """Ten minutes and an hour later two more: a page; half an hour after the last one it is over."""
    desk = Desk((NOON - 90, NOON - 80), (NOON - 10, NOON - 8))
    told = await desk.at(NOON)
    assert len(told) == 1
    concern = told[0]
    assert isinstance(concern, Concern)
    assert (concern.key, concern.kind, concern.severity) == (KEY, ConcernKind.BURN_RATE, Severity.SEV2)
    assert concern.facts["window"] == "6h"
    assert concern.facts["spent_minutes"] == 12
    assert await desk.at(NOON + 1) == told
    assert await desk.at(NOON + 20) == told
    ended = (await desk.at(NOON + 25))[-1]
    assert isinstance(ended, Event)
    assert (ended.kind, ended.subject) == (EventKind.CONCERN_CLEARED, KEY)


@pytest.mark.promise("001-24")
async def test_one_long_outage_is_a_ticket_once_it_is_over() -> None:
    """Twenty minutes have paged by themselves; three times too fast over a day is told at office hours."""
    told = await Desk((NOON - 40, NOON - 20)).at(NOON)
    assert [one.severity for one in told if isinstance(one, Concern)] == [Severity.SEV4]


@pytest.mark.promise("001-24")
async def test_outage_under_way_is_noted_in_its_ticket_and_raises_nothing() -> None:
    """While the incident is open its ticket is told, once for each speed; the concern waits for the end."""
    desk = Desk((NOON - 20, NOON))
    incident = incident_of(error_result(), key="acme-shop", site_key="acme-shop", ticket_number=7)
    opened = await desk.desk.incidents.open(replace(incident, state=IncidentState.OPEN), [])
    await desk.at(NOON)
    assert await desk.at(NOON + 1) == []
    assert [number for number, _ in desk.desk.tickets.appended.values()] == [7]
    note = next(iter(desk.desk.tickets.appended.values()))[1]
    assert "20 de 129,42 minutos" in note.text
    await desk.desk.incidents.save(
        replace(opened, ticket_number=7, state=IncidentState.RESOLVED, recovered_at=instant(NOON)), [], []
    )
    told = await desk.at(NOON + 2)
    assert [one.severity for one in told if isinstance(one, Concern)] == [Severity.SEV4]


async def test_concern_that_stood_before_a_restart_is_cleared_after_it() -> None:
    """What stands is read from the incidents, and a site that is gone is cleared too."""
    for sites in ((SITE,), ()):
        desk = Desk()
        await desk.desk.incidents.open(incident_of(error_result(), key=KEY, severity=Severity.SEV4), [])
        told = await desk.at(NOON, sites)
        assert [(one.kind, one.subject) for one in told if isinstance(one, Event)] == [
            (EventKind.CONCERN_CLEARED, KEY)
        ]
        assert await desk.at(NOON + 1, sites) == told


async def test_gauge_of_the_day_the_budget_runs_out_is_infinite_where_it_does_not() -> None:
    """A rule compares it with the time of day, and never fires for a site that is well."""
    desk = Desk()
    await desk.at(NOON)
    series = ("slo_budget_exhausted_timestamp_seconds", frozenset({("site", "acme-shop"), ("window", "7d")}))
    assert desk.desk.telemetry.gauges[series] == float("inf")
