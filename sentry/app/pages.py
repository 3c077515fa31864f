"""The agent's pages: the web application over the books and what runs."""

from collections.abc import Awaitable, Callable
from zoneinfo import ZoneInfo

from aiohttp import web

from sentry.app.books import Books
from sentry.app.lookouts import Lookouts
from sentry.metrics.telemetry import Metrics
from sentry.services.audits import AuditRounds
from sentry.services.watch import Watch
from sentry.settings import Settings
from sentry.web.application import build_app
from sentry.web.sources import AgentReader, Sources, WebOptions


def application(
    books: Books,
    metrics: Metrics,
    watch: Watch,
    lookouts: Lookouts,
    audits: AuditRounds,
    agent: AgentReader,
    reload: Callable[[], Awaitable[None]],
) -> web.Application:
    """Builds the web application.

    Args:
        books: configuration and store.
        metrics: what is exported.
        watch: what is believed of every check now.
        lookouts: know of domains, and what sites are asked.
        audits: know how the audits of sites stand.
        agent: how the agent is.
        reload: reads the configuration again.
    """
    sources = Sources(
        clock=books.clock,
        telemetry=metrics,
        metrics=metrics,
        watch=watch,
        sites=lambda: list(books.roster.sites.values()),
        months=books.budgets,
        ledger=books.store.ledger,
        incidents=books.store.incidents,
        attributions=books.attributions,
        tickets=books.store.tickets,
        maintenance=books.maintenance,
        wording=books.messages,
        agent=agent,
        heartbeats=books.store.heartbeats,
        heartbeat_token=books.roster.heartbeat_token,
        registration=lookouts.domains.registration,
        audits=books.store.audits,
        audit_rounds=audits,
        reload=reload,
        spent=lookouts.requests.today,
    )
    return build_app(sources, _options(books.settings))


def _options(settings: Settings) -> WebOptions:
    base_url, token = settings.web.base_url, settings.web.token
    return WebOptions(
        agency=settings.agency.name,
        language=settings.agency.language,
        zone=ZoneInfo(settings.agency.time_zone),
        token=token.get_secret_value() if token else None,
        hosts=(base_url.host,) if base_url is not None and base_url.host else (),
        secure_cookie=base_url is not None and base_url.scheme == "https",
    )
