"""What is looked at slowly, beside the probes: certificates and domains, usual times, what is degraded."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from probes.chain_reader import HandshakeReader
from probes.environment import ProbeEnvironment, ProbeFailure, Resolver
from probes.zone_reader import ResolvedZones
from sentry.app.books import Books
from sentry.domain.certificates import judged_by_strength
from sentry.domain.errors import LookupFailed, StoreUnavailable
from sentry.domain.maintenance import covering
from sentry.domain.month import minute_of
from sentry.domain.registration import SiteDomain
from sentry.domain.result import ProbeResult
from sentry.domain.revocation import RevokedBook
from sentry.domain.site import Check, Site
from sentry.lookups.authorities import WebAuthorities
from sentry.lookups.download import Download
from sentry.lookups.public_names import PublicNames
from sentry.lookups.registries import WebRegistries
from sentry.metrics.telemetry import Metrics
from sentry.services.certificates import CertificateWatch
from sentry.services.degradations import Degradations
from sentry.services.domains import DomainWatch
from sentry.services.paces import Paces
from sentry.services.request_budgets import RequestBudgets
from sentry.services.revocations import RevocationWatch
from sentry.services.slowness import Slowness
from sentry.services.suspension_watch import SuspensionWatch
from sentry.services.watch import Watch
from sentry.services.zones import ZoneWatch
from sentry.settings import Settings

LOOK_EVERY_S = 60.0
DEGRADATIONS_EVERY_S = 5.0
DOWNLOAD_WITHIN_S = 30.0
"""A list of ten megabytes takes a while; nobody waits for it."""

REQUESTS_EVERY_S = 15.0
PACES_EVERY_S = 1.0
"""While there is something to learn; twenty thousand checks are done in three quarters of an hour."""
PACES_AGAIN_S = 300.0


class Lookouts:
    """Builds them; each has a loop of its own, so that none waits for another.

    Attributes:
        requests: what each site is asked, to be told of each probe.
    """

    def __init__(
        self,
        books: Books,
        metrics: Metrics,
        watch: Watch,
        environment: ProbeEnvironment,
        download: Download,
        *,
        stretch: Callable[[Mapping[str, int]], None],
    ) -> None:
        self._books = books
        self._clock = books.clock
        self._revoked = RevokedBook()
        self._slowness = Slowness()
        observations = books.store.observations
        times = books.store.times
        self._paces = Paces(
            watch.views, times=times, observations=observations, slowness=self._slowness, clock=books.clock
        )
        self._certificates = CertificateWatch(watch.views, observations, books.store.events, books.clock)
        self._degradations = Degradations(
            watch.views, books.store.incidents, books.store.events, books.clock, is_worked_on=self._is_worked_on
        )
        self.domains = DomainWatch(
            self._sites,
            registries=_registries(books, download),
            observations=observations,
            events=books.store.events,
            telemetry=metrics,
            clock=books.clock,
        )
        self._zones = ZoneWatch(
            self._sites,
            zones=ResolvedZones(books.settings.probe.resolvers),
            observations=observations,
            incidents=books.store.incidents,
            events=books.store.events,
            clock=books.clock,
        )
        self._suspensions = SuspensionWatch(books.roster.site, observations, books.store.events, books.clock)
        self._known_sites: tuple[Settings, Sequence[SiteDomain]] | None = None
        self._revocations = RevocationWatch(
            watch.views,
            book=self._revoked,
            chains=HandshakeReader(environment, environment.ca_file),
            authorities=WebAuthorities(download, books.clock),
            observations=observations,
            telemetry=metrics,
            clock=books.clock,
        )
        self.requests = RequestBudgets(
            lambda: books.roster.sites,
            lambda: [view.check for view in watch.views()],
            stretch=stretch,
            observations=observations,
            events=books.store.events,
            telemetry=metrics,
            clock=books.clock,
        )

    def judged(self, check: Check, result: ProbeResult) -> ProbeResult:
        """Returns a result with what is known beside the probe taken into account."""
        return self._slowness.judged(check, judged_by_strength(self._revoked.judged(result, check.plan), check.plan))

    async def load(self) -> None:
        """Reads what was known before a restart, so that the first results are judged by it.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        await self._revocations.load()
        await self._paces.resume()
        await self.requests.resume()

    def _is_worked_on(self, site_key: str, at: datetime) -> bool:
        site = self._books.roster.site(site_key)
        return site is not None and bool(covering(site.work, minute_of(at)))

    def loops(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Returns what has to run while the agent does, by name."""
        return {
            "certificates": self._each(LOOK_EVERY_S, self._certificates.look),
            "revocation": self._each(LOOK_EVERY_S, self._look_for_revocations),
            "paces": self._learn_paces,
            "requests": self._each(REQUESTS_EVERY_S, self.requests.look),
            "degradations": self._each(DEGRADATIONS_EVERY_S, self._degradations.look),
            "suspensions": self._each(LOOK_EVERY_S, self._suspensions.look),
            "domains": self._each(LOOK_EVERY_S, self._look_at_domains),
            "zones": self._each(LOOK_EVERY_S, self._look_at_zones),
        }

    async def _learn_paces(self) -> None:
        while True:
            pause_s = PACES_AGAIN_S
            with suppress(StoreUnavailable):
                pause_s = PACES_EVERY_S if await self._paces.work() else PACES_AGAIN_S
            await self._clock.sleep(pause_s)

    def _each(self, every_s: float, look: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def keep_looking() -> None:
            while True:
                await self._clock.sleep(every_s)
                with suppress(StoreUnavailable):  # the next look says it again
                    await look()

        return keep_looking

    async def _look_for_revocations(self) -> None:
        if self._books.settings.lookups.revocation:
            await self._revocations.look()

    async def _look_at_domains(self) -> None:
        await self.domains.look(asking=self._books.settings.lookups.domains)

    async def _look_at_zones(self) -> None:
        if self._books.settings.lookups.domains:
            await self._zones.look()

    def _sites(self) -> Sequence[SiteDomain]:
        """Returns the domain side of every site, made once for each configuration."""
        settings = self._books.settings
        if self._known_sites is None or self._known_sites[0] is not settings:
            self._known_sites = settings, [_domain_of(site, settings) for site in settings.sites]
        return self._known_sites[1]


def _domain_of(site: Site, settings: Settings) -> SiteDomain:
    return SiteDomain(
        site_key=site.key,
        client_key=site.client,
        host=(site.url.host or "").lower(),
        domain=site.domain.lower() if site.domain else None,
        expires_on=site.domain_expires_on,
        thresholds=settings.plans[site.plan].expiry_warning_days,
        expected={str(kind): records for kind, records in site.dns_expect.items()},
    )


def _registries(books: Books, download: Download) -> WebRegistries:
    return WebRegistries(
        download,
        books.store.observations,
        books.clock,
        bootstrap=lambda: str(books.settings.lookups.rdap_bootstrap),
        whois_server=lambda: books.settings.lookups.whois_server,
    )


@asynccontextmanager
async def downloading(books: Books, resolver: Resolver, tls: ssl.SSLContext) -> AsyncIterator[Download]:
    """Opens the way to authorities and registries until the block ends."""

    async def addresses(name: str) -> Sequence[str]:
        try:
            return await resolver.addresses(name)
        except ProbeFailure as failure:
            raise LookupFailed(str(failure)) from failure

    names = PublicNames(addresses, lambda: books.settings.lookups.private_addresses)
    download = Download(names, tls=tls, timeout_s=DOWNLOAD_WITHIN_S)
    try:
        yield download
    finally:
        await download.aclose()
