"""Many sites on servers of a test's choice, watched minute by minute, and all that follows from it, in memory."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sentry.dispatch import Dispatcher
from sentry.domain.events import Event
from sentry.domain.failure_report import CollectedEvidence
from sentry.domain.incident import Incident
from sentry.domain.incident_policy import IncidentPolicy
from sentry.domain.notice import Message, NoticeKind, Route
from sentry.domain.result import Evidence, Reason, Status
from sentry.domain.site import Check, Language
from sentry.domain.watched_site import WatchedSite
from sentry.ports import Channel, SampleKind
from sentry.services.alerts import Alerts
from sentry.services.dependencies import Dependencies
from sentry.services.grouping import Groups
from sentry.services.incidents import Incidents
from sentry.services.maintenance_watch import MaintenanceWatch
from sentry.services.sightings import Sightings
from sentry.services.switchboard import Audience
from sentry.services.watch import Watch
from tests.fakes.alert_desk import lines
from tests.fakes.channel import MemoryChannel
from tests.fakes.checks import make_check, make_result
from tests.fakes.clock import ManualClock
from tests.fakes.incidents import MemoryIncidentStore
from tests.fakes.ledger import MemoryLedger
from tests.fakes.maintenance import MemoryMarks
from tests.fakes.outbox import MemoryOutbox
from tests.fakes.renderer import PlainRenderer
from tests.fakes.telemetry import RecordingTelemetry
from tests.fakes.watch_store import MemoryEventQueue, MemoryWatchStore

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LATER = datetime.max.replace(tzinfo=UTC)
HANDLERS = ("incidents", "alerts")


class NoCollector:
    """An evidence collector that finds nothing, at once."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    async def collect(self, url: str, deadline_s: float) -> CollectedEvidence:
        return CollectedEvidence(collected_at=self._clock.now())


class Neighbourhood:
    """Sites that are probed once a minute, each in a second of its own, and re-checked after 10 and 20 seconds.

    Args:
        servers: the address that each site stands on, by its key.
        clients: of sites; `acme` where none is given.
        depends_on: what sites cannot do without.

    Attributes:
        down: why a site fails now, by its key; one that is not there answers.
        works: sites with announced maintenance, by their keys.
    """

    def __init__(
        self,
        servers: Mapping[str, str],
        *,
        clients: Mapping[str, str] | None = None,
        policy: IncidentPolicy | None = None,
        channels: Mapping[str, Channel] | None = None,
        routes: Sequence[Route] = (Route(to=("mail",)),),
        depends_on: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.clock = ManualClock(START)
        self.policy = policy or IncidentPolicy()
        self.down: dict[str, Reason] = {}
        self.works: dict[str, WatchedSite] = {}
        self._marks = MemoryMarks()
        self.servers = dict(servers)
        self.mail = MemoryChannel("guardia@example.com")
        self.queue = MemoryEventQueue(HANDLERS)
        self.incidents = MemoryIncidentStore(self.queue)
        self.outbox = MemoryOutbox()
        self.telemetry = RecordingTelemetry()
        self._ledger = MemoryLedger()
        self._store = MemoryWatchStore(self.queue)
        self._clients = clients or {}
        self._depends_on = depends_on or {}
        self._lines = lines(channels or {"mail": self.mail})
        self._routes = routes
        self._rechecks: dict[str, datetime] = {}
        self.checks = {key: self._check(key) for key in servers}
        self.start()

    def _check(self, site_key: str) -> Check:
        check = make_check(f"{site_key}/http", url=f"http://{site_key}.example/")
        depends_on = self._depends_on.get(site_key, ())
        return replace(check, client_key=self._clients.get(site_key, "acme"), depends_on=depends_on)

    def start(self) -> None:
        """Makes every service anew over the same stores, as a start of the agent does."""
        changing = asyncio.Lock()
        self.watch = Watch(
            self._store, self.clock, self.telemetry, recheck=self._rechecks.__setitem__, committed=lambda: None
        )
        self.groups = Groups(
            sightings=Sightings(self.watch.views, self.clock),
            dependencies=Dependencies(self.watch.views, self.incidents),
            view=self.watch.view,
            incidents=self.incidents,
            changing=changing,
            clock=self.clock,
            telemetry=self.telemetry,
            policy=lambda: self.policy,
            quiet=self._is_quiet,
        )
        self.service = Incidents(
            view=self.watch.view,
            incidents=self.incidents,
            ledger=self._ledger,
            collector=NoCollector(self.clock),
            clock=self.clock,
            telemetry=self.telemetry,
            policy=lambda: self.policy,
            place=self.groups.place,
            changing=changing,
        )
        self.maintenance = MaintenanceWatch(
            sites=self.works.values,
            site=self.works.get,
            incidents=self.incidents,
            change=self.service.change,
            tell=self.groups.offer,
            marks=self._marks,
            clock=self.clock,
            telemetry=self.telemetry,
        )
        self.alerts = Alerts(
            incidents=self.incidents,
            outbox=self.outbox,
            lines=self._lines,
            routes=self._routes,
            audience=lambda _key: Audience("priority", Language.EN),
            renderer=PlainRenderer(),
            clock=self.clock,
            telemetry=self.telemetry,
            quiet=self._is_quiet,
        )
        handlers = {"incidents": self._handle, "alerts": self.alerts.handle}
        self.dispatcher = Dispatcher(self.queue, handlers, self.clock, self.telemetry)

    def _is_quiet(self, incident: Incident, at: datetime) -> bool:
        return self.maintenance.is_quiet(incident, at)

    async def _handle(self, event: Event) -> None:
        await self.service.handle(event)
        await self.groups.handle(event)

    async def open(self) -> "Neighbourhood":
        """Begins to watch."""
        await self.watch.replace(list(self.checks.values()))
        await self.service.resume()
        return self

    async def live(self, seconds: int) -> None:
        """Lets time go by, second by second, with every probe that is due in it."""
        for _ in range(seconds):
            second = round((self.clock.now() - START).total_seconds())
            for place, key in enumerate(self.checks):
                if second % 60 == place * 7 % 60:
                    self._probe(key, SampleKind.SLOT)
                elif self._rechecks.get(f"{key}/http", LATER) <= self.clock.now():
                    self._probe(key, SampleKind.RECHECK)
            await self.settle()
            await self.clock.advance(1)

    async def settle(self) -> None:
        """Handles all that is known now."""
        await self.watch.flush()
        await self.dispatcher.drain()
        await self.maintenance.look()
        await self.groups.decide()
        await self.service.resolve_quiet()
        await self.dispatcher.drain()
        await self.alerts.deliver_due()

    def _probe(self, site_key: str, kind: SampleKind) -> None:
        self._rechecks.pop(f"{site_key}/http", None)
        reason = self.down.get(site_key)
        result = make_result(
            Status.DOWN if reason else Status.UP, self.clock.now(), check_key=f"{site_key}/http", reason=reason
        )
        result = replace(result, evidence=Evidence(address=f"{self.servers[site_key]}:443"))
        if reason:
            self._ledger.failed.setdefault(result.check_key, []).append(result)
        self.watch.take(result, kind, 0.0)

    # ── what came of it ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def parents(self) -> list[Incident]:
        """The incidents of groups, as they stand now."""
        return [one for one in self.incidents.incidents.values() if one.is_group]

    @property
    def pages(self) -> list[Message]:
        """What was sent to the one who is woken, ends left out."""
        return [one for one in self.told if one.kind is not NoticeKind.RESOLVED]

    @property
    def told(self) -> list[Message]:
        """All that was sent to the one who is woken."""
        return [message for message, _ in self.mail.accepted]

    def members(self, parent: Incident) -> Collection[str]:
        """The sites of a group."""
        return {one.site_key for one in self.incidents.incidents.values() if one.parent_id == parent.id}

    def failed_since(self) -> timedelta:
        """How long ago the first probe failed."""
        first = min(result.scheduled_at for failed in self._ledger.failed.values() for result in failed)
        return self.clock.now() - first
