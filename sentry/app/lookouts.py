"""What is looked at slowly, beside the probes: certificates, their authorities, usual times, what is degraded."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from probes.chain_reader import HandshakeReader
from probes.environment import ProbeEnvironment
from sentry.app.books import Books
from sentry.domain.errors import StoreUnavailable
from sentry.domain.result import ProbeResult
from sentry.domain.revocation import RevokedBook
from sentry.domain.site import Check
from sentry.lookups.authorities import WebAuthorities
from sentry.lookups.download import Download
from sentry.metrics.telemetry import Metrics
from sentry.services.certificates import CertificateWatch
from sentry.services.degradations import Degradations
from sentry.services.paces import Paces
from sentry.services.revocations import RevocationWatch
from sentry.services.slowness import Slowness
from sentry.services.watch import Watch

LOOK_EVERY_S = 60.0
DEGRADATIONS_EVERY_S = 5.0
DOWNLOAD_WITHIN_S = 30.0
"""A list of ten megabytes takes a while; nobody waits for it."""

PACES_EVERY_S = 1.0
"""While there is something to learn; twenty thousand checks are done in three quarters of an hour."""
PACES_AGAIN_S = 300.0


class Lookouts:
    """Builds them; each has a loop of its own, so that none waits for another."""

    def __init__(
        self, books: Books, metrics: Metrics, watch: Watch, environment: ProbeEnvironment, download: Download
    ) -> None:
        self._books = books
        self._clock = books.clock
        self._revoked = RevokedBook()
        self._slowness = Slowness()
        findings = books.store.findings
        self._paces = Paces(
            watch.views, times=books.store.times, findings=findings, slowness=self._slowness, clock=books.clock
        )
        self._certificates = CertificateWatch(watch.views, findings, books.store.events, books.clock)
        self._degradations = Degradations(watch.views, books.store.incidents, books.store.events, books.clock)
        self._revocations = RevocationWatch(
            watch.views,
            book=self._revoked,
            chains=HandshakeReader(environment, environment.ca_file),
            authorities=WebAuthorities(download, books.clock),
            findings=findings,
            telemetry=metrics,
            clock=books.clock,
        )

    def judged(self, check: Check, result: ProbeResult) -> ProbeResult:
        """Returns a result with what is known beside the probe taken into account."""
        return self._slowness.judged(check, self._revoked.judged(result, check.plan))

    async def load(self) -> None:
        """Reads what was known before a restart, so that the first results are judged by it.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        await self._revocations.load()
        await self._paces.resume()

    def loops(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Returns what has to run while the agent does, by name."""
        return {
            "certificates": self._each(LOOK_EVERY_S, self._certificates.look),
            "revocation": self._each(LOOK_EVERY_S, self._look_for_revocations),
            "paces": self._learn_paces,
            "degradations": self._each(DEGRADATIONS_EVERY_S, self._degradations.look),
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


@asynccontextmanager
async def downloading(books: Books, tls: ssl.SSLContext) -> AsyncIterator[Download]:
    """Opens the way to authorities and registries until the block ends."""
    download = Download(
        private=lambda: books.settings.lookups.private_addresses, tls=tls, timeout_s=DOWNLOAD_WITHIN_S
    )
    try:
        yield download
    finally:
        await download.aclose()
