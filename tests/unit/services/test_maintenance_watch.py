"""In announced work nobody is woken; what outlasts it wakes people at its end."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from sentry.domain.concern import ConcernKind
from sentry.domain.events import Event, EventKind
from sentry.domain.incident import Incident, IncidentState, TimelineEntry
from sentry.domain.maintenance import Work
from sentry.domain.maintenance_window import WorkKind
from sentry.domain.month import minute_of
from sentry.domain.watched_site import WatchedSite
from sentry.services.maintenance_watch import MaintenanceWatch
from tests.fakes.alert_desk import AlertDesk
from tests.fakes.client_reports import shop
from tests.fakes.failure_reports import error_result, incident_of
from tests.fakes.maintenance import MemoryMarks
from tests.fakes.watch_store import MemoryEventQueue

HOUR = timedelta(hours=1)


class Works:
    """An alert desk with a site at which work is announced from an hour ahead, for two hours."""

    def __init__(self) -> None:
        self.desk = AlertDesk()
        self.clock = self.desk.clock
        self.events = MemoryEventQueue(("alerts",))
        self.marks = MemoryMarks()
        begin = minute_of(self.clock.now() + HOUR)
        self.work = Work(begin, begin + 120, begin, "1", self.clock.now() - 72 * HOUR, 48, "disks")
        self.site: WatchedSite | None = replace(shop(), key="acme-shop", work=(self.work,))
        self.watch = self.build()
        self.desk.quiet = self._is_quiet

    def _is_quiet(self, incident: Incident, at: datetime) -> bool:
        return self.watch.is_quiet(incident, at)

    def build(self) -> MaintenanceWatch:
        """A watch that has seen nothing yet, as after a restart."""
        return MaintenanceWatch(
            sites=lambda: [self.site] if self.site else [],
            site=lambda key: self.site if key == "acme-shop" else None,
            incidents=self.desk.incidents,
            change=self._change,
            tell=self._tell,
            marks=self.marks,
            clock=self.clock,
            telemetry=self.desk.telemetry,
        )

    async def _tell(self, incident_id: int) -> None:
        released = Event(EventKind.INCIDENT_UPDATED, self.clock.now(), str(incident_id), {"released": True})
        await self.events.publish([released])

    async def _change(
        self, incident_id: int, changed: Callable[[Incident], Incident], entry: TimelineEntry | None = None
    ) -> Incident:
        incident = changed(self.desk.incidents.incidents[incident_id])
        await self.desk.incidents.save(incident, [entry] if entry else [], [])
        return incident

    async def fail(self) -> Incident:
        """A failure that begins now and is confirmed half a minute later."""
        began = self.clock.now()
        await self.clock.advance(30)
        report = incident_of(replace(error_result(), scheduled_at=began)).report
        return await self.desk.open(started_at=began, report=report)

    async def look(self) -> None:
        """A look of the watch; what it says reaches the alerts, and what these owe is delivered."""
        await self.watch.look()
        while (event := await self.events.next_for("alerts", self.clock.now())) is not None:
            await self.desk.alerts.handle(event)
            await self.events.done(event, "alerts")
        await self.desk.alerts.deliver_due()

    @property
    def sent(self) -> list[str]:
        """What people got so far."""
        return [message.kind.value for message, _ in self.desk.mail.accepted]

    def active(self) -> float | None:
        """The gauge of the site."""
        return self.desk.telemetry.gauges.get(("maintenance_active", frozenset({("site", "acme-shop")})))


@pytest.fixture
def works() -> Works:
    """An hour before the work."""
    return Works()


async def test_failure_before_the_work_wakes_people_as_ever(works: Works) -> None:
    """And stays told while the work goes on."""
    await works.clock.advance(3540)
    incident = await works.fail()
    await works.look()
    assert works.sent == ["opened"]
    await works.clock.advance(600)
    await works.desk.tell(EventKind.INCIDENT_UPDATED, incident)
    await works.desk.resolve(incident)
    await works.look()
    assert works.sent == ["opened", "resolved"]


async def test_failure_within_the_work_that_is_over_before_its_end_wakes_nobody(works: Works) -> None:
    """It is on record, and no message, also not of its end, goes to anybody."""
    await works.clock.advance(4000)
    incident = await works.fail()
    await works.desk.tell(EventKind.INCIDENT_UPDATED, incident)
    await works.look()
    await works.desk.resolve(incident)
    await works.clock.advance(3 * 3600)
    await works.look()
    assert works.sent == []
    assert works.events.events == []


@pytest.mark.promise("001-42")
@pytest.mark.parametrize("kind", list(WorkKind))
async def test_failure_that_outlasts_the_work_wakes_people_at_its_end_and_once(works: Works, kind: WorkKind) -> None:
    """Also in an emergency, and also when the agent was started anew in between."""
    assert works.site
    works.site = replace(works.site, work=(replace(works.work, kind=kind),))
    await works.clock.advance(4000)
    incident = await works.fail()
    await works.clock.advance(3600 + 7200 - 4030 - 1)
    await works.look()
    assert works.sent == []
    await works.clock.advance(1)
    await works.look()
    assert works.sent == ["opened"]
    works.watch = works.build()
    await works.clock.advance(60)
    await works.look()
    assert works.sent == ["opened"]
    assert [entry.kind for entry in works.desk.incidents.incidents[incident.id].timeline][-1:] == [
        "maintenance_overran"
    ]
    await works.desk.resolve(incident)
    await works.look()
    assert works.sent == ["opened", "resolved"]


async def test_failure_in_work_that_is_made_longer_is_held_until_its_new_end(works: Works) -> None:
    """Announced late or not: who works at the site knows that it is down."""
    await works.clock.advance(4000)
    await works.fail()
    assert works.site
    longer = replace(works.work, start=works.work.end, end=works.work.end + 60, announced_at=works.clock.now())
    works.site = replace(works.site, work=(works.work, longer))
    await works.clock.advance(7200)
    await works.look()
    assert works.sent == []
    await works.clock.advance(3600)
    await works.look()
    assert works.sent == ["opened"]


async def test_failure_that_is_handled_late_is_not_told_of_after_its_recovery(works: Works) -> None:
    """The outbox was stuck over the end of the work: what was held when it happened is held."""
    await works.clock.advance(4000)
    incident = await works.fail()
    happened_at = works.clock.now()
    await works.desk.change(incident, state=IncidentState.RESOLVED, recovered_at=happened_at + timedelta(minutes=5))
    await works.clock.advance(4 * 3600)
    await works.desk.tell(EventKind.INCIDENT_OPENED, incident, happened_at)
    await works.look()
    assert works.sent == []


async def test_concern_in_the_work_is_told_as_ever(works: Works) -> None:
    """A certificate that ends soon is no part of the work."""
    await works.clock.advance(4000)
    await works.desk.open_concern(ConcernKind.CERTIFICATE, site_key="acme-shop")
    await works.look()
    assert works.sent == ["opened"]


async def test_look_the_gauge_follows_the_work_and_the_configuration(works: Works) -> None:
    """0 before and after, 1 while it goes on, 0 once nothing is announced any more."""
    await works.look()
    assert works.active() == 0
    await works.clock.advance(3600)
    await works.look()
    assert works.active() == 1
    assert works.site
    works.site = replace(works.site, work=())
    await works.look()
    assert works.active() == 0


async def test_incident_of_a_site_that_is_gone_is_told(works: Works) -> None:
    """What is no longer configured has no work."""
    works.site = None
    await works.clock.advance(4000)
    await works.fail()
    await works.look()
    assert works.sent == ["opened"]
