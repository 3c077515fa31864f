"""The roster: what is configured now, as services, pages and reports ask for it. A reload replaces it whole."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from sentry.domain.announcement import Scope, Subject
from sentry.domain.maintenance import Calendar
from sentry.domain.request_budget import Allowance
from sentry.domain.site import Check, Language
from sentry.domain.wall_time import EPOCH
from sentry.domain.watched_site import WatchedCheck, WatchedSite
from sentry.services.switchboard import Audience
from sentry.settings import Settings

AT_A_TIME = 100
"""Sites that are given their maintenance before others have their turn in the event loop: some milliseconds."""


class Roster:
    """Sites, checks and clients by their keys."""

    def __init__(self, settings: Settings) -> None:
        self.sites: Mapping[str, WatchedSite] = {}
        self._calendar = Calendar((), EPOCH)
        self.prepare(settings)()

    def prepare(self, settings: Settings) -> Callable[[], None]:
        """Reads another configuration, and returns what puts it in force at once.

        A site that is as it was stays the same object, so that nobody needs to look at it again. Takes a while for
        ten thousand sites: call it in a thread where a loop runs.
        """
        checks, calendar = {check.key: check for check in settings.checks()}, self._calendar
        scheduled = _Scheduled(calendar)
        found = {site.key: scheduled(site) for site in watched_sites(settings)}
        sites = {key: site if self.sites.get(key) != site else self.sites[key] for key, site in found.items()}
        plans = {site.key: site.plan for site in settings.sites}

        def put_in_force() -> None:
            self.settings, self.checks, self.sites, self._plans = settings, checks, sites, plans
            self._calendar = calendar  # as it was when they were read: a newer one is put in force once more

        return put_in_force

    async def schedule(self, calendar: Calendar) -> None:
        """Puts other maintenance in force; a site of which nothing changed stays the same object.

        In short turns: a window may be about ten thousand sites. One call at a time.
        """
        while calendar is not self._calendar:
            standing, scheduled = self.sites, _Scheduled(calendar)
            sites: dict[str, WatchedSite] = {}
            for number, (key, site) in enumerate(standing.items()):
                sites[key] = scheduled(site)
                if number % AT_A_TIME == 0:
                    await asyncio.sleep(0)
            if self.sites is standing:  # else a reload has put others in force meanwhile
                self.sites, self._calendar = sites, calendar

    def site(self, site_key: str) -> WatchedSite | None:
        """Returns a site by its key."""
        return self.sites.get(site_key)

    def client_sites(self, client_key: str) -> list[WatchedSite]:
        """Returns the sites of a client, in the order of the configuration."""
        return [site for site in self.sites.values() if site.client_key == client_key]

    def audience(self, site_key: str) -> Audience | None:
        """Returns what routes and texts need to know of a site."""
        site = self.sites.get(site_key)
        return Audience(self._plans[site_key], site.language) if site else None

    def client_language(self, client_key: str) -> Language:
        """Returns the language a client reads; the agency's for one that is gone."""
        client = self.settings.clients.get(client_key)
        return (client.language if client else None) or self.settings.agency.language

    @property
    def zone(self) -> ZoneInfo:
        """The agency's own zone."""
        return ZoneInfo(self.settings.agency.time_zone)

    def heartbeat_token(self, check_key: str) -> str | None:
        """Returns the token of a check that takes heartbeats: "" where it has none, None where it takes none."""
        check = self.checks.get(check_key)
        if check is None or check.kind != "heartbeat":
            return None
        token: object = getattr(check.options, "token", None)
        return token.get_secret_value() if isinstance(token, SecretStr) else ""


def scope_of(settings: Settings) -> Scope:
    """Returns whom maintenance windows can be about in a configuration."""
    return Scope(
        tuple(
            Subject(site.key, site.host, site.client, settings.plans[site.plan].maintenance_notice_h)
            for site in settings.sites
        ),
        settings.agency.time_zone,
    )


class _Scheduled:
    """Puts the work of a calendar into sites; one for which nothing changed stays the same object."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._alike: dict[tuple[int, int], bool] = {}

    def __call__(self, site: WatchedSite) -> WatchedSite:
        work = self._calendar.of(site.key)
        pair = (id(site.work), id(work))  # ten thousand sites of one window share what is compared
        if pair not in self._alike:
            self._alike[pair] = site.work == work
        if self._alike[pair]:
            return site
        return replace(site, work=work, maintenance=self._calendar.excluded(site.key))


def watched_sites(settings: Settings) -> list[WatchedSite]:
    """Returns every configured site with all that it inherits, in the order of the configuration."""
    checks: dict[str, list[Check]] = {}
    for check in settings.checks():
        checks.setdefault(check.site_key, []).append(check)
    return [
        WatchedSite(
            key=site.key,
            name=site.name
            or sys.intern(site.url.host or "")
            or site.key,  # the host is one text with that of its checks
            url=checks[site.key][0].url,
            client_key=site.client,
            client_name=settings.clients[site.client].name,
            zone=checks[site.key][0].time_zone,
            language=checks[site.key][0].language,
            uptime_target=settings.plans[site.plan].uptime_target,
            contract_start=site.contract_start,
            allowance=Allowance.of(
                (site.request_budget, settings.plans[site.plan].request_budget),
                (one.interval_s for one in checks[site.key] if one.options.asks_site),
            ),
            checks=tuple(WatchedCheck(one.key, one.interval_s, one.options.weight) for one in checks[site.key]),
            hosted=site.hosted,
            excluded=frozenset(settings.plans[site.plan].excluded_attributions),
        )
        for site in settings.sites
    ]
