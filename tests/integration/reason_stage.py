"""One failure carried all the way: real probe, real watch, real collector, real store, real words."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from probes import KINDS
from probes.environment import ProbeEnvironment
from probes.evidence import Collector
from probes.resolver import AiodnsResolver
from sentry.clock import SystemClock
from sentry.dispatch import Dispatcher
from sentry.domain.attribution import attribute
from sentry.domain.failure_report import CollectedEvidence, FailureReport
from sentry.domain.incident import Incident, IncidentState
from sentry.domain.result import ProbeResult
from sentry.domain.severity import Severity
from sentry.domain.site import Check, Language, Plan
from sentry.domain.watched_site import WatchedCheck, WatchedSite
from sentry.ports import Clock, Probe, SampleKind
from sentry.reports.messages import Messages
from sentry.services.incidents import Incidents
from sentry.services.watch import Watch
from sentry.store import Store, open_store
from tests.fakes.checks import make_check
from tests.fakes.telemetry import RecordingTelemetry
from tests.integration.dns_server import DnsServer, dns_server

NAME = "tienda.test"
"""The watched name; both DNS servers of the stage lead it to this machine, until a scene says otherwise."""

COLLECT_WITHIN_S = 2.0
AGENCY = "Ejemplo Hosting"


@dataclass(frozen=True)
class HurriedCollector:
    """The real collector with a shorter deadline, so that what never answers does not hold the tests up."""

    collector: Collector

    async def collect(self, url: str, deadline_s: float) -> CollectedEvidence:
        return await self.collector.collect(url, min(deadline_s, COLLECT_WITHIN_S))


@dataclass
class Stage:
    """Two DNS servers, an authority, a store, and the watch with its incidents over them."""

    first: DnsServer
    second: DnsServer
    clock: Clock
    store: Store
    environment: ProbeEnvironment
    collector: HurriedCollector
    telemetry: RecordingTelemetry

    def __post_init__(self) -> None:
        self.watch = Watch(
            self.store.watch, self.clock, self.telemetry, recheck=lambda *_: None, committed=lambda: None
        )
        self.incidents = Incidents(
            view=self.watch.view,
            incidents=self.store.incidents,
            ledger=self.store.ledger,
            collector=self.collector,
            clock=self.clock,
            telemetry=self.telemetry,
        )
        self._dispatcher = Dispatcher(
            self.store.events, {"incidents": self.incidents.handle}, self.clock, self.telemetry
        )

    @property
    def dns(self) -> tuple[DnsServer, DnsServer]:
        """Both DNS servers."""
        return self.first, self.second

    async def prepare(self, kind: str, url: str, options: Mapping[str, object]) -> Check:
        """Puts one check under watch, confirmed by its first failure."""
        where: dict[str, object] = {}
        if kind == "tcp":
            where = {"port": urlsplit(url).port}
        elif kind == "dns":
            where = {"resolver": self.first.address}
        settings = KINDS[kind].Options.model_validate({"kind": kind, "timeout_s": 3, **where, **options})
        check = make_check(f"tienda/{kind}", options=settings, url=url, plan=Plan(recheck_after_s=()))
        await self.watch.replace([check])
        return check

    async def probe(self, check: Check, *, pause_s: float = 0.0) -> ProbeResult:
        """Probes once; a pause lets time go by between the making of the probe and its slot."""
        probe = KINDS[check.kind](check, self.environment)
        await asyncio.sleep(pause_s)
        return await self.run(probe)

    async def run(self, probe: Probe) -> ProbeResult:
        """Runs a probe that is prepared."""
        ended: asyncio.Future[ProbeResult] = asyncio.get_running_loop().create_future()
        probe.start(self._slot(), ended.set_result)
        return await ended

    def _slot(self) -> datetime:
        return self.clock.now().replace(microsecond=0)

    async def take(self, result: ProbeResult) -> None:
        """Lets the watch take a result, and everything that follows from it happen."""
        self.watch.take(result, SampleKind.SLOT, 0.0)
        await self.watch.flush()
        await self._dispatcher.drain()
        await self.incidents.settled()

    async def incident(self) -> Incident | None:
        """Returns the newest incident as the store gives it back."""
        latest = await self.store.incidents.latest("tienda")
        return None if latest is None else await self.store.incidents.get(latest.id)

    async def degraded_incident(self, check: Check, result: ProbeResult) -> Incident:
        """Writes up a result that answers but needs attention; the watch opens no incident for it."""
        assert result.reason is not None
        evidence = await self.collector.collect(check.url, COLLECT_WITHIN_S)
        side, basis = attribute(result, evidence)
        report = FailureReport(
            check.key, check.url, result.reason, result, None, evidence, attribution=side, attribution_basis=basis
        )
        opened = Incident(
            id=0,
            key=check.site_key,
            site_key=check.site_key,
            client_key=check.client_key,
            severity=Severity.SEV3,
            state=IncidentState.OPEN,
            opening=1,
            started_at=result.scheduled_at,
            detected_at=result.started_at,
            checks_down=frozenset({check.key}),
            report=report,
        )
        return await self.store.incidents.open(opened, [])


@asynccontextmanager
async def stage(folder: Path, ca_file: Path) -> AsyncIterator[Stage]:
    """Sets the stage: nobody but its own servers is ever asked."""
    clock = SystemClock()
    async with (
        dns_server() as first,
        dns_server() as second,
        open_store(f"sqlite:///{folder}/sentry.db", handlers=("incidents",), clock=clock) as store,
    ):
        for server in (first, second):
            server.add(NAME, "A", "127.0.0.1")
            server.add(NAME, "NS", "ns1.host.test.", "ns2.host.test.")
        resolver = AiodnsResolver(clock, [first.address], timeout_s=0.5, tries=1)
        environment = ProbeEnvironment(
            clock=clock, resolver=resolver, heartbeats=store.heartbeats, ca_file=ca_file, user_agent="online-sentry"
        )
        collector = Collector(clock, [first.address, second.address], ca_file, resolver=resolver)
        try:
            yield Stage(first, second, clock, store, environment, HurriedCollector(collector), RecordingTelemetry())
        finally:
            await resolver.close()


def messages(check: Check) -> Messages:
    """The renderer of an agency that knows the site of the check."""
    site = WatchedSite(
        key="tienda",
        name="Tienda Acme",
        url=check.url,
        client_key="acme",
        client_name="Acme S.L.",
        zone=ZoneInfo("Europe/Madrid"),
        language=Language.ES,
        checks=(WatchedCheck(check.key),),
    )
    return Messages(
        agency_name=AGENCY,
        base_url="https://watch.ejemplo.test/",
        find_site={"tienda": site}.get,
        zone=ZoneInfo("UTC"),
    )
