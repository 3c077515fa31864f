import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from sentry.dispatch import Dispatcher
from sentry.domain.events import EventKind
from sentry.domain.failure_report import Attribution, CollectedEvidence, DnsAnswer
from sentry.domain.incident import Incident, IncidentState
from sentry.domain.incident_policy import IncidentPolicy
from sentry.domain.own_fault import FaultCause, OwnFault
from sentry.domain.result import Reason, Status
from sentry.domain.severity import Severity
from sentry.domain.site import CheckOptions
from sentry.domain.weight import Weight
from sentry.ports import SampleKind
from sentry.services.incidents import COLLECT_WITHIN_S, CONCURRENT_COLLECTIONS, STORE_RETRY_S, Incidents
from sentry.services.watch import Watch
from tests.fakes.checks import START, make_check, make_result
from tests.fakes.clock import ManualClock
from tests.fakes.incidents import MemoryIncidentStore, report_of
from tests.fakes.ledger import MemoryLedger
from tests.fakes.telemetry import RecordingTelemetry
from tests.fakes.watch_store import MemoryEventQueue, MemoryWatchStore


class SlowCollector:
    """An evidence collector that needs as long as the test says."""

    def __init__(self, clock: ManualClock, takes_s: float) -> None:
        self._clock = clock
        self._takes_s = takes_s
        self.calls: list[str] = []

    async def collect(self, url: str, deadline_s: float) -> CollectedEvidence:
        self.calls.append(url)
        await self._clock.sleep(min(self._takes_s, deadline_s))
        answer = DnsAnswer(resolver="192.0.2.53", name="shop.example", record_type="A", values=("192.0.2.1",))
        return CollectedEvidence(collected_at=self._clock.now(), dns=(answer,))


class Harness:
    """A watch, its dispatcher and the incidents behind it, over stores in memory."""

    def __init__(self, *, evidence_takes_s: float = 0.0) -> None:
        self.clock = ManualClock(START)
        self.queue = MemoryEventQueue(["incidents"])
        self.store = MemoryWatchStore(self.queue)
        self.incidents = MemoryIncidentStore()
        self.ledger = MemoryLedger()
        self.collector = SlowCollector(self.clock, evidence_takes_s)
        self.telemetry = RecordingTelemetry()
        self.policy = IncidentPolicy()
        self.watch = Watch(self.store, self.clock, self.telemetry, recheck=lambda *_: None, committed=lambda: None)
        self.start()

    def start(self) -> None:
        """Makes the service anew, as a start of the agent does."""
        self.service = Incidents(
            view=self.watch.view,
            incidents=self.incidents,
            ledger=self.ledger,
            collector=self.collector,
            clock=self.clock,
            telemetry=self.telemetry,
            policy=lambda: self.policy,
        )
        self.dispatcher = Dispatcher(self.queue, {"incidents": self.service.handle}, self.clock, self.telemetry)

    async def see(self, status: Status, *, check_key: str = "shop/http", reason: Reason | None = None) -> None:
        """One result now, written and dispatched."""
        result = make_result(status, self.clock.now(), check_key=check_key, reason=reason)
        if status is Status.DOWN:
            self.ledger.failed.setdefault(check_key, []).append(result)
        self.watch.take(result, SampleKind.SLOT, 0.0)
        await self.watch.flush()
        await self.dispatcher.drain()

    async def go_down(self, check_key: str = "shop/http") -> None:
        for _ in range(3):
            await self.see(Status.DOWN, check_key=check_key)
            await self.clock.advance(10)

    async def recover(self, check_key: str = "shop/http") -> None:
        for _ in range(3):
            await self.see(Status.UP, check_key=check_key)
            await self.clock.advance(10)

    async def flap(self, minutes: int, *, period_s: int = 90) -> None:
        """Fails and recovers again and again."""
        for _ in range(minutes * 60 // period_s):
            await self.go_down()
            await self.recover()
            await self.clock.advance(period_s - 60)

    def told(self) -> list[EventKind]:
        """What the incident told to whoever alerts."""
        return [event.kind for event in self.incidents.events if event.kind is not EventKind.INCIDENT_UPDATED]

    def only(self) -> Incident:
        """The one incident there is, as it stands now."""
        assert len(self.incidents.incidents) == 1
        return next(iter(self.incidents.incidents.values()))


@pytest.fixture
async def harness() -> Harness:
    made = Harness()
    await made.watch.replace([make_check(), make_check("shop/tls", options=CheckOptions(kind="tls"))])
    return made


@pytest.mark.promise("001-32")
async def test_incident_opens_with_its_failure_report(harness: Harness) -> None:
    """From the moment it is opened, the incident says which probe failed, why, and what the last good one was."""
    await harness.see(Status.UP)
    await harness.clock.advance(60)
    await harness.go_down()

    incident = harness.only()
    assert incident.state is IncidentState.OPEN
    assert incident.severity is Severity.SEV1
    assert incident.started_at == START + timedelta(seconds=60)
    report = report_of(incident)
    assert report.reason is Reason.HTTP_SERVER_ERROR
    assert report.failed.scheduled_at == incident.started_at
    assert report.last_good is not None
    assert report.last_good.scheduled_at == START
    assert report.evidence is not None
    assert [entry.kind for entry in incident.timeline] == ["first_failure", "confirmed"]


@pytest.mark.promise("002-06")
async def test_server_error_is_attributed_to_the_infrastructure_with_its_basis(harness: Harness) -> None:
    """A 5xx is the server's until somebody shows otherwise, and the report says what that rests on."""
    await harness.go_down()

    assert report_of(harness.only()).attribution is Attribution.INFRASTRUCTURE
    assert report_of(harness.only()).attribution_basis


@pytest.mark.promise("001-32")
async def test_evidence_that_is_late_never_delays_the_incident_and_is_added() -> None:
    """The incident opens without waiting; what was collected late is appended to its report and timeline."""
    harness = Harness(evidence_takes_s=COLLECT_WITHIN_S)
    await harness.watch.replace([make_check()])
    harness.watch.take(make_result(Status.UP, START - timedelta(minutes=1)), SampleKind.SLOT, 0.0)
    for _ in range(3):
        await harness.see(Status.DOWN)
    assert report_of(harness.only()).evidence is None

    waiting = asyncio.create_task(harness.service.settled())
    await harness.clock.advance(COLLECT_WITHIN_S)
    await waiting

    assert report_of(harness.only()).evidence is not None
    assert harness.only().timeline[-1].kind == "evidence_added"


async def test_evidence_that_meets_a_locked_store_is_added_once_it_answers() -> None:
    """What was seen around a failure is not seen again: it waits for the store."""
    harness = Harness(evidence_takes_s=COLLECT_WITHIN_S)
    await harness.watch.replace([make_check()])
    for _ in range(3):
        await harness.see(Status.DOWN)
    harness.incidents.unavailable = True
    await harness.clock.advance(COLLECT_WITHIN_S)
    harness.incidents.unavailable = False
    assert report_of(harness.only()).evidence is None

    await harness.clock.advance(STORE_RETRY_S)
    assert report_of(harness.only()).evidence is not None


async def test_evidence_that_a_kill_cut_short_is_collected_after_the_restart() -> None:
    """The site is down still, so there is still something to see; an incident that has evidence keeps it."""
    harness = Harness(evidence_takes_s=COLLECT_WITHIN_S)
    await harness.watch.replace([make_check()])
    for _ in range(3):
        await harness.see(Status.DOWN)
    await harness.clock.advance(1)
    await harness.service.close()
    assert report_of(harness.only()).evidence is None

    harness.start()
    await harness.service.resume()
    await harness.clock.advance(COLLECT_WITHIN_S)
    assert report_of(harness.only()).evidence is not None
    harness.start()
    await harness.service.resume()
    assert len(harness.collector.calls) == 2


async def test_evidence_is_collected_from_the_first_failure_and_once(harness: Harness) -> None:
    """The collection runs beside the re-checks, so that the report is whole when the outage is confirmed."""
    await harness.go_down()

    assert harness.collector.calls == ["http://shop.example/"]


async def test_second_check_of_the_site_joins_the_same_incident(harness: Harness) -> None:
    """One problem, one incident: a site whose http and tls checks both fail has one."""
    await harness.go_down("shop/http")
    await harness.go_down("shop/tls")

    assert harness.only().checks_down == {"shop/http", "shop/tls"}

    await harness.recover("shop/http")
    assert harness.only().state is IncidentState.OPEN
    await harness.recover("shop/tls")
    assert harness.only().state is IncidentState.RESOLVED


@pytest.mark.promise("001-33")
async def test_times_to_detect_and_resolve_are_kept(harness: Harness) -> None:
    """Detection counts from the first failed probe, resolution to the first good one."""
    await harness.go_down()
    await harness.service.change(1, lambda one: replace(one, acknowledged_at=harness.clock.now()))
    await harness.clock.advance(150)
    await harness.recover()

    incident = harness.only()
    assert incident.time_to_detect == timedelta(seconds=20.1)
    assert incident.time_to_acknowledge == timedelta(seconds=9.9)
    assert incident.time_to_resolve == timedelta(seconds=180)


async def test_failure_within_15_minutes_reopens_the_same_incident(harness: Harness) -> None:
    """A problem that comes back soon is the same problem."""
    await harness.go_down()
    await harness.recover()
    await harness.clock.advance(600)
    await harness.go_down()

    assert harness.only().opening == 2
    assert harness.only().state is IncidentState.OPEN
    assert harness.only().resolved_at is None


async def test_failure_after_15_minutes_is_a_new_incident(harness: Harness) -> None:
    """A problem that comes back later has an incident of its own."""
    await harness.go_down()
    await harness.recover()
    await harness.clock.advance(901)
    await harness.go_down()

    assert len(harness.incidents.incidents) == 2


async def test_site_that_flaps_for_an_hour_is_one_incident_told_a_few_times(harness: Harness) -> None:
    """Whoever is on call hears of it, hears that it flaps, and then sleeps until it is over."""
    await harness.flap(60)

    incident = harness.only()
    assert incident.opening == 40
    assert incident.state is IncidentState.OPEN
    assert harness.told() == [
        EventKind.INCIDENT_OPENED,
        *(EventKind.INCIDENT_RESOLVED, EventKind.INCIDENT_REOPENED) * 3,
    ]
    assert incident.flapping_since is not None
    assert sum(entry.kind == "flapping" for entry in incident.timeline) == 1


async def test_flapping_site_is_resolved_once_it_has_been_well_for_long(harness: Harness) -> None:
    """The end counts from the last recovery, and comes once."""
    await harness.flap(15)
    well_since = harness.only().recovered_at
    await harness.clock.advance(800)
    await harness.service.resolve_quiet()
    assert harness.only().state is IncidentState.OPEN

    await harness.clock.advance(100)
    await harness.service.resolve_quiet()
    await harness.service.resolve_quiet()

    incident = harness.only()
    assert (incident.state, incident.recovered_at, incident.flapping_since) == (
        IncidentState.RESOLVED,
        well_since,
        None,
    )
    assert harness.told()[-2:] == [EventKind.INCIDENT_REOPENED, EventKind.INCIDENT_RESOLVED]


async def test_flapping_site_that_fails_again_is_not_resolved(harness: Harness) -> None:
    """What is down is not well, however long ago it last recovered."""
    await harness.flap(15)
    await harness.clock.advance(600)
    await harness.go_down()
    await harness.clock.advance(3600)
    await harness.service.resolve_quiet()

    assert harness.only().checks_down == {"shop/http"}
    assert harness.only().state is IncidentState.OPEN


async def test_flapping_site_is_resolved_after_a_restart_of_the_agent(harness: Harness) -> None:
    """What waits to be resolved is found again in the store."""
    await harness.flap(15)
    harness.start()
    await harness.service.resume()
    await harness.clock.advance(900)
    await harness.service.resolve_quiet()

    assert harness.only().state is IncidentState.RESOLVED


async def test_flapping_that_is_not_wanted_tells_each_opening(harness: Harness) -> None:
    """Who wants every message gets every message."""
    harness.policy = IncidentPolicy(flapping_after=0)
    await harness.flap(15)

    assert harness.told().count(EventKind.INCIDENT_REOPENED) == 9


async def test_event_handled_twice_changes_nothing(harness: Harness) -> None:
    """A killed agent handles its last event again: no second incident, no second entry."""
    await harness.go_down()
    before = harness.only()

    for event in harness.queue.events:
        await harness.service.handle(event)

    assert harness.only() == before


async def test_check_that_is_removed_while_down_does_not_hold_its_incident_open(harness: Harness) -> None:
    """A check that left the configuration cannot recover any more; its next event resolves the incident."""
    await harness.go_down()
    await harness.watch.replace([])

    await harness.service.checks_removed({"shop/http"})

    assert harness.only().state is IncidentState.RESOLVED


async def test_mass_outage_collects_for_a_few_sites_at_a_time_and_for_all_in_the_end() -> None:
    """A hundred sites that fail together neither exhaust the agent nor lose their evidence."""
    harness = Harness(evidence_takes_s=5)
    checks = [make_check(f"s{number}/http", url=f"http://s{number}.example/") for number in range(100)]
    await harness.watch.replace(checks)
    for _ in range(3):
        for check in checks:
            harness.ledger.failed[check.key] = [make_result(Status.DOWN, harness.clock.now(), check_key=check.key)]
            harness.watch.take(harness.ledger.failed[check.key][0], SampleKind.SLOT, 0.0)
        await harness.watch.flush()
        await harness.dispatcher.drain()
        await harness.clock.advance(0.1)
    assert len(harness.incidents.incidents) == 100
    assert len(harness.collector.calls) == CONCURRENT_COLLECTIONS

    waiting = asyncio.create_task(harness.service.settled())
    await harness.clock.advance(30)
    await waiting

    assert all(report_of(one).evidence is not None for one in harness.incidents.incidents.values())


async def test_second_outage_of_a_check_is_reported_with_evidence_of_its_own(harness: Harness) -> None:
    """What was collected around an earlier failure says nothing of this one."""
    await harness.go_down("shop/http")
    await harness.go_down("shop/tls")
    await harness.recover("shop/http")
    await harness.recover("shop/tls")
    await harness.clock.advance(3600)
    began = harness.clock.now()
    await harness.go_down("shop/tls")

    evidence = report_of(harness.incidents.incidents[2]).evidence
    assert evidence is not None
    assert evidence.collected_at >= began


@pytest.mark.parametrize(
    ("options", "severity"),
    [
        (CheckOptions(kind="http"), Severity.SEV1),
        (CheckOptions(kind="http", weight=Weight.DEGRADES), Severity.SEV2),
        (CheckOptions(kind="http", counts=False), Severity.SEV3),
        (CheckOptions(kind="http", counts=False, severity=Severity.SEV2), Severity.SEV2),
    ],
)
async def test_incident_is_as_bad_as_its_check_says(options: CheckOptions, severity: Severity) -> None:
    """What decides the site's state wakes somebody; the user has the last word."""
    harness = Harness()
    await harness.watch.replace([make_check(options=options)])
    await harness.go_down()

    assert harness.only().severity is severity


async def test_outage_that_was_our_own_fault_resolves_its_incident_as_withdrawn(harness: Harness) -> None:
    """The site was not down: the incident ends at once, says why, and the look around it is dropped."""
    for _ in range(3):
        await harness.see(Status.DOWN, reason=Reason.CONNECT_TIMEOUT)
        await harness.clock.advance(10)
    assert harness.only().state is IncidentState.OPEN

    harness.watch.correct(OwnFault(FaultCause.NETWORK, START))
    await harness.watch.flush()
    await harness.dispatcher.drain()

    incident = harness.only()
    assert (incident.state, incident.is_withdrawn, incident.checks_down) == (
        IncidentState.RESOLVED,
        True,
        frozenset(),
    )
    assert harness.told() == [EventKind.INCIDENT_OPENED, EventKind.INCIDENT_RESOLVED]


async def test_site_of_which_one_check_was_really_down_keeps_its_incident(harness: Harness) -> None:
    """Only the check that our fault has hit leaves it."""
    for _ in range(3):
        await harness.see(Status.DOWN, reason=Reason.CONNECT_TIMEOUT)
        await harness.see(Status.DOWN, check_key="shop/tls", reason=Reason.TLS_EXPIRED)
        await harness.clock.advance(10)

    harness.watch.correct(OwnFault(FaultCause.NETWORK, START))
    await harness.watch.flush()
    await harness.dispatcher.drain()

    assert harness.only().checks_down == {"shop/tls"}
    assert harness.only().state is IncidentState.OPEN
