"""The books: configuration, store and what reads them. Commands open them alone; the agent opens them and works."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sentry.app.kinds import load_settings
from sentry.app.maintenance_desk import MaintenanceDesk
from sentry.app.memory import beside_the_loop
from sentry.app.roster import Roster
from sentry.clock import SystemClock
from sentry.domain.errors import NotFound
from sentry.domain.month import Month
from sentry.domain.watched_site import WatchedSite
from sentry.ports import Clock
from sentry.reports.messages import Messages
from sentry.services.attributions import Attributions
from sentry.services.budgets import Budgets
from sentry.services.recomputation import Recomputation, Recomputed
from sentry.services.reports import Reports
from sentry.settings import Settings
from sentry.store import Store, open_store

HANDLERS = ("incidents", "tickets", "mirrors", "alerts")
"""Every service that events are owed to. The names stand in the store: rename none."""


@dataclass(frozen=True, slots=True)
class Books:
    """What commands and the agent share."""

    roster: Roster
    clock: Clock
    store: Store
    messages: Messages
    budgets: Budgets
    reports: Reports
    attributions: Attributions
    maintenance: MaintenanceDesk

    @property
    def settings(self) -> Settings:
        """The configuration as it stands."""
        return self.roster.settings

    def site(self, site_key: str) -> WatchedSite:
        """Returns a site by its key.

        Raises:
            NotFound: it is not configured; the message names those that are.
        """
        site = self.roster.site(site_key)
        if site is None:
            raise NotFound(f"there is no site '{site_key}'; sites: {_some(self.roster.sites)}")
        return site

    async def recompute(self, site: WatchedSite, month: Month | None) -> Recomputed:
        """Recomputes a month of a site from its raw evidence."""
        checks = [check for check in self.roster.checks.values() if check.site_key == site.key]
        days = self.settings.retention.samples_days
        return await Recomputation(self.store.ledger, self.clock, kept_days=days).of_month(site, checks, month)

    def client_sites(self, client_key: str) -> list[WatchedSite]:
        """Returns the sites of a client.

        Raises:
            NotFound: no such client is configured; the message names those that are.
        """
        if client_key not in self.settings.clients:
            raise NotFound(f"there is no client '{client_key}'; clients: {_some(self.settings.clients)}")
        return self.roster.client_sites(client_key)


@asynccontextmanager
async def open_books(config: Path, clock: Clock | None = None, *, lasting: bool = False) -> AsyncIterator[Books]:
    """Reads the configuration and opens its store.

    Args:
        config: the main configuration file.
        clock: the machine's own when absent.
        lasting: whether they stay open for long; see `sentry.store.open_store`.

    Raises:
        ConfigurationError: the configuration or the store's address cannot be used.
        StoreError: the store cannot be opened.
    """
    clock = clock or SystemClock()
    with beside_the_loop():
        roster = Roster(await asyncio.to_thread(load_settings, config, advised=False))
    settings = roster.settings
    async with open_store(settings.store, handlers=HANDLERS, clock=clock, lasting=lasting) as store:
        messages = Messages(
            agency_name=settings.agency.name,
            base_url=settings.web.link_root,
            find_site=roster.site,
            zone=roster.zone,
        )
        budgets = Budgets(store.ledger, clock)
        reports = Reports(
            budgets=budgets,
            ledger=store.ledger,
            incidents=store.incidents,
            attributions=store.attributions,
            audits=store.audits,
            tickets=store.tickets,
            renderer=messages,
            clock=clock,
            agency_name=settings.agency.name,
        )
        attributions = Attributions(incidents=store.incidents, book=store.attributions, clock=clock)
        maintenance = MaintenanceDesk(store.maintenance, roster, clock)
        await maintenance.look()
        yield Books(roster, clock, store, messages, budgets, reports, attributions, maintenance)


def _some(keys: Iterable[str], limit: int = 20) -> str:
    names = sorted(keys)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
