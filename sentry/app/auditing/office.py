"""The audits of the agent: built, and kept running beside the watch."""

from collections.abc import Awaitable, Callable, Sequence

from sentry.app.auditing.errand import audited
from sentry.app.auditing.sites import audited_sites, order_of, reachable
from sentry.app.books import Books
from sentry.domain.audited_site import AuditedSite
from sentry.domain.finding import AuditReport
from sentry.metrics.telemetry import Metrics
from sentry.services.audit_concerns import AuditConcerns
from sentry.services.audits import Audit, AuditDesk, AuditRounds
from sentry.settings import Settings


def audit_desk(books: Books) -> AuditDesk:
    """Returns whom a report is handed to, by the agent and by commands alike."""
    return AuditDesk(books.store.audits, _concerns(books), books.clock)


def _concerns(books: Books) -> AuditConcerns:
    return AuditConcerns(books.store.observations, books.store.events, books.clock)


def counted(audit: Audit, asked: Callable[[str, int], None]) -> Audit:
    """Returns an audit that tells afterwards what it asked of the site over the web."""

    async def audit_and_tell(site: AuditedSite) -> AuditReport:
        report = await audit(site)
        asked(site.key, report.manifest.requests)
        return report

    return audit_and_tell


class AuditOffice:
    """Audits every site that can be reached, each when it is due.

    Attributes:
        rounds: say how the audits of each site stand.
    """

    def __init__(self, books: Books, metrics: Metrics, asked: Callable[[str, int], None]) -> None:
        """Builds the rounds over the books.

        Args:
            books: of the agent.
            metrics: show how the audits stand.
            asked: is told what a site was asked over the web, which its budget counts.
        """
        self._books = books
        self._known: tuple[Settings, Sequence[AuditedSite]] | None = None
        self.rounds = AuditRounds(
            self._sites,
            counted(self._audit, asked),
            desk=audit_desk(books),
            concerns=_concerns(books),
            book=books.store.audits,
            observations=books.store.observations,
            telemetry=metrics,
            clock=books.clock,
            at_once=lambda: books.settings.audits.at_once,
        )

    @property
    def loop(self) -> Callable[[], Awaitable[None]]:
        """What has to run while the agent does."""
        return self.rounds.run

    def _sites(self) -> Sequence[AuditedSite]:
        """Returns the sites, made once for each configuration."""
        settings = self._books.settings
        if self._known is None or self._known[0] is not settings:
            self._known = settings, audited_sites(settings)
        return self._known[1]

    async def _audit(self, site: AuditedSite) -> AuditReport:
        settings = self._books.settings
        order = order_of(settings, reachable(settings, site.key))
        return await audited(order, lambda _progress: None, within_s=site.terms.within.total_seconds())
