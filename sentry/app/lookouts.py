"""What is looked at slowly, beside the probes: certificates, what authorities say of them, and domains."""

from collections.abc import Awaitable, Callable, Mapping

from sentry.app.books import Books
from sentry.services.certificates import CertificateWatch
from sentry.services.watch import Watch

CERTIFICATES_EVERY_S = 60.0


class Lookouts:
    """Builds them; each has a loop of its own, so that none waits for another."""

    def __init__(self, books: Books, watch: Watch) -> None:
        self._clock = books.clock
        self._certificates = CertificateWatch(watch.views, books.store.findings, books.store.events, books.clock)

    def loops(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Returns what has to run while the agent does, by name."""
        return {"certificates": self._watch_certificates}

    async def _watch_certificates(self) -> None:
        while True:
            await self._clock.sleep(CERTIFICATES_EVERY_S)
            await self._certificates.look()
