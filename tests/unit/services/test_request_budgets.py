from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sentry.domain.concern import Concern
from sentry.domain.events import Event, EventKind
from sentry.domain.request_budget import Allowance
from sentry.domain.result import Evidence, Hop, HttpEvidence, ProbeResult, Reason, Status
from sentry.domain.site import CheckOptions
from sentry.ports import Observation
from sentry.services.request_budgets import RequestBudgets
from tests.fakes.checks import make_check, make_result
from tests.fakes.client_reports import shop
from tests.fakes.clock import ManualClock
from tests.fakes.observations import MemoryObservations
from tests.fakes.telemetry import RecordingTelemetry
from tests.fakes.watch_store import MemoryEventQueue

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
"""13:00 in Madrid; the local day ends at 23:00 UTC."""


class NoSite(CheckOptions):
    """A kind that asks nobody."""

    asks_site = False


class Harness:
    """One site that may be asked 100 times and may send a million bytes a day."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.site = replace(shop(), allowance=Allowance(100, 1_000_000))
        self.sites = {self.site.key: self.site}
        self.checks = [make_check(f"{self.site.key}/http"), make_check(f"{self.site.key}/tls", interval_s=1800)]
        self.strides: list[Mapping[str, int]] = []
        self.observations = MemoryObservations()
        self.events = MemoryEventQueue([])
        self.telemetry = RecordingTelemetry()
        self.start()

    def start(self) -> None:
        self.budgets = RequestBudgets(
            lambda: self.sites,
            lambda: self.checks,
            stretch=self.strides.append,
            observations=self.observations,
            events=self.events,
            telemetry=self.telemetry,
            clock=self.clock,
        )

    def take(self, probes: int, received_bytes: int = 0) -> None:
        for _ in range(probes):
            self.budgets.took(self.checks[0], self.result(received_bytes=received_bytes))

    def result(self, **changed: object) -> ProbeResult:
        result = make_result(at=self.clock.now(), check_key=self.checks[0].key)
        return replace(result, **changed)  # type: ignore[arg-type]  # fields of a result

    @property
    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.events.events]

    def concern(self) -> Concern:
        return Concern.of(self.newest())

    def newest(self) -> Event:
        return self.events.events[-1]


@pytest.mark.promise("000-26")
async def test_site_nearly_used_up_is_told_and_once_used_up_it_rests_until_midnight() -> None:
    """At 80 % a warning, at 100 % a probe each quarter of an hour, and another day begins from nothing."""
    harness = Harness()
    harness.take(79)
    await harness.budgets.look()
    assert harness.events.events == []
    harness.take(1)
    await harness.budgets.look()
    assert dict(harness.concern().facts) == {"what": "requests", "used": 80, "allowed": 100, "stage": 1}
    assert harness.strides == []
    harness.take(20)
    await harness.budgets.look()
    assert harness.concern().facts["stage"] == 2
    assert harness.strides == [{f"{harness.site.key}/http": 15, f"{harness.site.key}/tls": 1}]
    harness.clock.jump(timedelta(hours=11).total_seconds())
    await harness.budgets.look()
    assert harness.newest().kind is EventKind.CONCERN_CLEARED
    assert harness.strides[-1] == {}
    assert harness.budgets.today(harness.site).requests == 0


async def test_bytes_alone_use_a_budget_up() -> None:
    """What is used most decides, and is what people are told of."""
    harness = Harness()
    harness.take(2, received_bytes=600_000)
    await harness.budgets.look()
    assert dict(harness.concern().facts) == {"what": "bytes", "used": 1_200_000, "allowed": 1_000_000, "stage": 2}


async def test_redirects_rechecks_and_evidence_count_and_silence_does_not() -> None:
    """Each answer on the way is a request; a slot that nobody probed and a site that calls us are none."""
    harness = Harness()
    hops = tuple(Hop(f"http://shop.example/{n}", 302) for n in range(3))
    followed = Evidence(http=HttpEvidence(200, "1.1", hops=hops))
    harness.budgets.took(harness.checks[0], harness.result(evidence=followed))
    harness.budgets.took(harness.checks[0], harness.result(status=Status.DOWN, reason=Reason.CONNECT_REFUSED))
    harness.budgets.took(harness.checks[0], harness.result(status=Status.UNKNOWN, reason=Reason.SLOT_MISSED))
    harness.budgets.took(make_check(f"{harness.site.key}/job", options=NoSite(kind="heartbeat")), harness.result())
    harness.budgets.asked(harness.site.key, 4)
    harness.budgets.asked("gone", 4)
    assert harness.budgets.today(harness.site).requests == 3 + 1 + 4


async def test_count_goes_on_after_a_restart_and_a_concern_of_yesterday_ends() -> None:
    """What was asked before is not forgotten; what stood overnight is cleared although the agent was away."""
    harness = Harness()
    harness.take(90)
    await harness.budgets.look()
    harness.start()
    await harness.budgets.resume()
    harness.take(5)
    assert harness.budgets.today(harness.site).requests == 95
    await harness.budgets.look()
    assert harness.kinds == [EventKind.CONCERN_RAISED]
    harness.start()
    await harness.budgets.resume()
    harness.clock.jump(timedelta(days=1).total_seconds())
    await harness.budgets.look()
    assert harness.kinds == [EventKind.CONCERN_RAISED, EventKind.CONCERN_CLEARED]


async def test_damaged_count_begins_anew_and_stops_nobody() -> None:
    """An agent starts whatever its store says of requests."""
    harness = Harness()
    harness.observations.kept["requests", harness.site.key] = Observation(
        NOON, {"day": "2026-11-02", "requests": None}
    )
    await harness.budgets.resume()
    harness.take(1)
    assert harness.budgets.today(harness.site).requests == 1


async def test_site_that_is_gone_is_forgotten() -> None:
    """Nothing is kept of a site that nobody watches."""
    harness = Harness()
    harness.take(1)
    await harness.budgets.look()
    assert harness.observations.kept
    harness.sites.clear()
    await harness.budgets.look()
    assert not harness.observations.kept


async def test_figures_of_each_site_are_shown() -> None:
    """What was asked, and the share of what may be."""
    harness = Harness()
    harness.take(50, received_bytes=100)
    await harness.budgets.look()
    shown = {name: value for (name, _), value in harness.telemetry.gauges.items()}
    assert shown == {"site_requests_today": 50, "site_received_bytes_today": 5000, "request_budget_used_ratio": 0.5}
