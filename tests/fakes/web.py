"""Everything that the web server reads from, in memory: a house with as many sites as a test wants."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request

from sentry.domain.announcement import AnnouncedWindow, Scope, Subject
from sentry.domain.audit_record import AuditRecord
from sentry.domain.audited_site import AuditStanding
from sentry.domain.concern import ConcernTold
from sentry.domain.errors import ConfigurationError
from sentry.domain.health import Health, HealthState
from sentry.domain.incident import Incident
from sentry.domain.maintenance_window import MaintenanceWindow
from sentry.domain.registration import Registration
from sentry.domain.request_budget import Spent
from sentry.domain.result import ProbeResult
from sentry.domain.site import Check, Language
from sentry.domain.ticket import Ticket, TicketState
from sentry.domain.watched_site import WatchedCheck, WatchedSite
from sentry.metrics.telemetry import Metrics
from sentry.ports import SampleKind
from sentry.reports.icalendar import icalendar
from sentry.services.attributions import Attributions
from sentry.services.budgets import Budgets
from sentry.services.maintenance import Maintenance
from sentry.services.watch import CheckView
from sentry.web.sources import AgentHealth, Sources, WebOptions
from tests.fakes.attributions import MemoryAttributionBook
from tests.fakes.audits import MemoryAuditBook
from tests.fakes.clock import ManualClock
from tests.fakes.heartbeats import MemoryHeartbeatBook
from tests.fakes.incidents import MemoryIncidentStore
from tests.fakes.ledger import MemoryLedger
from tests.fakes.maintenance import MemoryMaintenanceBook
from tests.fakes.results import a_check, a_good_result

TOKEN = "0123456789abcdef-token"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}

Client = TestClient[Request, Application]
Serve = Callable[["House", WebOptions], Awaitable[Client]]


class PlainWording:
    """Says the cause of an incident by its bare facts."""

    def cause(self, incident: Incident, language: Language) -> str:
        return f"{incident.site_key}: {incident.report.failed.detail if incident.report else incident.kind}"

    def report_text(self, incident: Incident, language: Language) -> str:
        return f"report of {incident.id}"

    def concern(self, incident: Incident, language: Language) -> ConcernTold | None:
        if incident.concern is None:
            return None
        facts = tuple((name, str(value)) for name, value in incident.facts.items())
        return ConcernTold(self.cause(incident, language), f"meaning of {incident.kind}", "do something", facts)


@dataclass
class TicketShelf:
    """Tickets to be read."""

    tickets: dict[int, Ticket] = field(default_factory=dict)

    async def get(self, number: int) -> Ticket | None:
        return self.tickets.get(number)

    async def list(self, *, state: TicketState | None = None, limit: int = 100) -> Sequence[Ticket]:
        newest = sorted(self.tickets.values(), key=lambda one: one.number, reverse=True)
        return [replace(one, entries=()) for one in newest if state in {None, one.state}][:limit]


class MaintenanceShelf:
    """Windows of the house's sites: the real service over a book in memory."""

    def __init__(self, house: "House") -> None:
        self._house = house
        self._service = Maintenance(MemoryMaintenanceBook(), house.clock)

    @property
    def windows(self) -> Mapping[str, AnnouncedWindow]:
        return self._service.windows

    @property
    def _scope(self) -> Scope:
        return Scope(
            tuple(Subject(site.key, None, site.client_key, 48) for site in self._house.sites), "Europe/Madrid"
        )

    async def announce(self, plan: MaintenanceWindow, by: str) -> AnnouncedWindow:
        return await self._service.announce(plan, by, self._scope)

    async def end(
        self, key: str, by: str, *, ends_at: str | None = None, duration_min: int | None = None
    ) -> AnnouncedWindow:
        return await self._service.change(
            key, by, lambda plan: plan.ending(ends_at=ends_at, duration_min=duration_min)
        )

    async def cancel(self, key: str, by: str) -> AnnouncedWindow:
        return await self._service.cancel(key, by)

    def calendar(self, sites: Collection[str] | None = None) -> str:
        return icalendar(self.windows.values(), self._house.clock.now(), "Ejemplo Hosting", sites=sites)


@dataclass
class House:
    """An agent's inside, to be served by `build_app(house.sources, …)`."""

    clock: ManualClock = field(default_factory=ManualClock)
    views: list[CheckView] = field(default_factory=list)
    sites: list[WatchedSite] = field(default_factory=list)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    incidents: MemoryIncidentStore = field(default_factory=MemoryIncidentStore)
    tickets: TicketShelf = field(default_factory=TicketShelf)
    heartbeats: MemoryHeartbeatBook = field(default_factory=MemoryHeartbeatBook)
    heartbeat_tokens: dict[str, str] = field(default_factory=dict)
    registrations: dict[str, Registration] = field(default_factory=dict)
    agent_health: AgentHealth = field(
        default_factory=lambda: AgentHealth("1.2.3", 0.4, stalled=False, store_ok=True, config_ok=True)
    )
    reload_error: ConfigurationError | None = None
    reloads: int = 0
    spent: dict[str, Spent] = field(default_factory=dict)
    audits: MemoryAuditBook = field(default_factory=MemoryAuditBook)
    audit_standings: dict[str, AuditStanding] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.metrics = Metrics(self.clock, strict=True)
        self.attributions = MemoryAttributionBook(self.incidents)
        self.maintenance = MaintenanceShelf(self)

    def add_site(
        self,
        key: str = "acme-shop",
        *,
        name: str = "Tienda Acme",
        url: str = "https://shop.acme.example/",
        client: str = "acme",
        client_name: str = "Acme S.L.",
        state: HealthState = HealthState.UP,
        last: ProbeResult | None = None,
        kinds: Sequence[str] = ("http",),
    ) -> WatchedSite:
        checks = [a_check(f"{key}/{kind}", kind=kind, url=url) for kind in kinds]
        for check in checks:
            self._add_check(check, state, last)
        site = WatchedSite(
            key=key,
            name=name,
            url=url,
            client_key=client,
            client_name=client_name,
            zone=ZoneInfo("Europe/Madrid"),
            language=Language.ES,
            checks=tuple(WatchedCheck(check.key) for check in checks),
        )
        self.sites.append(site)
        return site

    def _add_check(self, check: Check, state: HealthState, last: ProbeResult | None) -> None:
        result = last or a_good_result(check.key, self.clock.now())
        health = Health(check.key, state, since=self.clock.now())
        self.views.append(CheckView(check, health, result))
        self.metrics.probe_finished(check, result, SampleKind.SLOT, 0.01)
        self.metrics.verdict(check.key, health)

    def health(self) -> AgentHealth:
        return self.agent_health

    def standing(self, site_key: str) -> AuditStanding | None:
        return self.audit_standings.get(site_key)

    def newest(self, site_key: str) -> AuditRecord | None:
        records = [one.record for one in self.audits.kept if one.record.site_key == site_key]
        return records[-1] if records else None

    def next_at(self, site_key: str) -> datetime | None:
        standing = self.audit_standings.get(site_key)
        if standing is None or standing.completed_at is None:
            return None
        return standing.completed_at + timedelta(days=15)

    async def reload(self) -> None:
        self.reloads += 1
        if self.reload_error is not None:
            raise self.reload_error

    @property
    def sources(self) -> Sources:
        return Sources(
            clock=self.clock,
            telemetry=self.metrics,
            metrics=self.metrics,
            watch=_Views(self.views),
            sites=lambda: self.sites,
            months=Budgets(self.ledger, self.clock),
            ledger=self.ledger,
            incidents=self.incidents,
            attributions=Attributions(incidents=self.incidents, book=self.attributions, clock=self.clock),
            tickets=self.tickets,
            maintenance=self.maintenance,
            wording=PlainWording(),
            agent=self,
            heartbeats=self.heartbeats,
            heartbeat_token=self.heartbeat_tokens.get,
            registration=self.registrations.get,
            audits=self.audits,
            audit_rounds=self,
            reload=self.reload,
            spent=lambda site: self.spent.get(site.key, Spent(self.clock.now().date())),
        )


@dataclass
class _Views:
    standing: list[CheckView]

    def views(self) -> Sequence[CheckView]:
        return list(self.standing)
