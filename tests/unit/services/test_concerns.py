"""Concerns as incidents: one for each, however often and in whatever way it is said."""

import asyncio
from datetime import timedelta

import pytest

from sentry.domain.concern import ConcernKind, cleared
from sentry.domain.events import Event, EventKind
from sentry.domain.incident import Incident, IncidentState
from sentry.domain.severity import Severity
from sentry.services.concerns import NOTED_EVERY, Concerns
from tests.fakes.concerns import BEGAN, concern
from tests.fakes.incidents import MemoryIncidentStore
from tests.fakes.telemetry import RecordingTelemetry

KNOWN = BEGAN + timedelta(minutes=5)
OVER = BEGAN + timedelta(minutes=30)


class Desk:
    """The service over a store in memory."""

    def __init__(self) -> None:
        self.store = MemoryIncidentStore()
        self.telemetry = RecordingTelemetry()
        self.service = Concerns(self.store, asyncio.Lock(), self.telemetry)

    async def handle(self, *events: Event) -> None:
        for event in events:
            await self.service.handle(event)

    def only(self) -> Incident:
        """The one incident there is."""
        assert len(self.store.incidents) == 1
        return next(iter(self.store.incidents.values()))

    def told(self) -> list[EventKind]:
        """What was made known of incidents, in order."""
        return [event.kind for event in self.store.events]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_concern_raised_opens_an_incident_that_holds_its_facts(desk: Desk) -> None:
    """Since when, how bad and which facts; no check is down and there is no failure report."""
    raised = concern()
    await desk.handle(raised.raised(KNOWN))

    incident = desk.only()
    assert (incident.key, incident.kind, incident.severity) == (raised.key, "degraded", Severity.SEV3)
    assert (incident.started_at, incident.detected_at) == (BEGAN, KNOWN)
    assert (incident.facts, incident.report, incident.checks_down) == (raised.facts, None, frozenset())
    assert desk.told() == [EventKind.INCIDENT_OPENED]
    assert desk.telemetry.counted("concerns_total", kind="degraded") == 1


async def test_concern_said_again_as_it_stands_changes_nothing(desk: Desk) -> None:
    """Whoever watches may say at each look what it sees, and an event may come twice."""
    for minutes in range(5, 60):
        await desk.handle(concern().raised(BEGAN + timedelta(minutes=minutes)))

    assert desk.told() == [EventKind.INCIDENT_OPENED]
    assert len(desk.only().timeline) == 1


@pytest.mark.promise("002-08")
async def test_concern_that_comes_to_its_next_stage_is_told_to_everybody_anew(desk: Desk) -> None:
    """A date that comes nearer is told at each threshold, once, without a word that it was over."""
    for stage in (1, 1, 2, 2, 3):
        await desk.handle(concern(facts={"stage": stage}).raised(KNOWN))

    assert desk.told() == [EventKind.INCIDENT_OPENED, EventKind.INCIDENT_REOPENED, EventKind.INCIDENT_REOPENED]
    assert [event.data for event in desk.store.events[1:]] == [{"opening": 2}, {"opening": 3}]
    assert desk.only().state is IncidentState.OPEN
    assert [entry.kind for entry in desk.only().timeline] == ["raised", "next_stage", "next_stage"]


async def test_concern_that_becomes_worse_is_updated_for_further_routes(desk: Desk) -> None:
    """The severity only rises, and the update says so once."""
    await desk.handle(concern().raised(KNOWN))
    for severity in (Severity.SEV2, Severity.SEV2, Severity.SEV4):
        await desk.handle(concern(severity=severity).raised(KNOWN))

    assert desk.only().severity is Severity.SEV2
    assert desk.told() == [EventKind.INCIDENT_OPENED, EventKind.INCIDENT_UPDATED]
    assert desk.store.events[-1].data == {"opening": 1, "added": "severity"}
    assert [entry.kind for entry in desk.only().timeline] == ["raised", "worse"]


async def test_concern_with_facts_that_keep_changing_is_noted_now_and_then(desk: Desk) -> None:
    """The newest facts stand in the incident; its timeline does not grow with each look."""
    for seconds in range(0, 1200, 10):
        raised = concern(facts={"value_s": seconds})
        await desk.handle(raised.raised(KNOWN + timedelta(seconds=seconds)))

    assert desk.only().facts == {"value_s": 1190}
    assert len(desk.only().timeline) == 1 + timedelta(seconds=1190) // NOTED_EVERY


async def test_concern_cleared_resolves_its_incident_with_what_is_known_since(desk: Desk) -> None:
    """It ended when it ended, not when that became known; facts of the end are kept."""
    raised = concern(ConcernKind.CERTIFICATE)
    await desk.handle(raised.raised(KNOWN))
    event = cleared(raised.key, OVER + timedelta(minutes=1), OVER, {"not_after": "2027-02-01T00:00:00+00:00"})
    await desk.handle(event, event)

    incident = desk.only()
    assert (incident.state, incident.recovered_at) == (IncidentState.RESOLVED, OVER)
    assert incident.facts == {**raised.facts, "not_after": "2027-02-01T00:00:00+00:00"}
    assert desk.told() == [EventKind.INCIDENT_OPENED, EventKind.INCIDENT_RESOLVED]


async def test_concern_cleared_that_never_stood_opens_nothing(desk: Desk) -> None:
    """Whoever watches may say that all is well without knowing whether it ever was not."""
    await desk.handle(cleared("degraded:acme-shop", KNOWN, KNOWN))

    assert desk.store.incidents == {}
    assert desk.told() == []


@pytest.mark.parametrize(("back_after", "openings"), [(timedelta(minutes=14), [2]), (timedelta(minutes=15), [1, 1])])
async def test_concern_that_comes_back_is_the_same_incident_for_15_minutes(
    desk: Desk, back_after: timedelta, openings: list[int]
) -> None:
    """As with outages: soon after the end it is the same problem and the same ticket."""
    first, back = concern(), concern(began_at=OVER + back_after)
    await desk.handle(first.raised(KNOWN), cleared(first.key, OVER, OVER))
    await desk.handle(back.raised(back.began_at + timedelta(minutes=5)))

    assert [incident.opening for incident in desk.store.incidents.values()] == openings
    assert all(incident.recovered_at is None for incident in list(desk.store.incidents.values())[-1:])


@pytest.mark.promise("001-41")
async def test_infection_that_is_back_within_a_week_is_the_same_incident(desk: Desk) -> None:
    """Code that is there again after its cleaning had a way in left: the incident was never over."""
    first, week = concern(ConcernKind.INFECTION), timedelta(days=7)
    back = concern(ConcernKind.INFECTION, began_at=OVER + week)
    await desk.handle(first.raised(KNOWN), cleared(first.key, OVER, OVER), back.raised(OVER + week))

    assert (desk.only().opening, desk.only().state) == (2, IncidentState.OPEN)
    assert desk.told()[-1] is EventKind.INCIDENT_REOPENED


async def test_concern_that_ended_before_it_began_lasted_no_time(desk: Desk) -> None:
    """The clock may have been set back meanwhile."""
    await desk.handle(concern().raised(KNOWN), cleared(concern().key, KNOWN, BEGAN - timedelta(hours=1)))

    assert desk.only().time_to_resolve == timedelta()


async def test_concerns_of_other_keys_are_incidents_of_their_own(desk: Desk) -> None:
    """One of the site and one of the agent stand beside each other."""
    await desk.handle(concern().raised(KNOWN), concern(ConcernKind.OWN_FAULT).raised(KNOWN))

    assert [incident.kind for incident in desk.store.incidents.values()] == ["degraded", "own_fault"]
