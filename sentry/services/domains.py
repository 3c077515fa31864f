"""The watch over domains: asks the registries once a day when they end, and tells before they do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zlib import crc32

from sentry.domain.certificates import expiry
from sentry.domain.concern import ConcernKind
from sentry.domain.registration import Registration, SiteDomain
from sentry.ports import Clock, EventQueue, Observation, ObservationBook, Registries, Telemetry
from sentry.services.told_concerns import ToldConcerns
from sentry.services.turns import in_turns

OBSERVATIONS = "domain"

ASKED_PER_LOOK = 30
REST_S = 1.0
"""Between two questions: no registry is asked more often than once a second."""

ASK_AGAIN_HOURS = (20, 28)
"""Within these, by the name, so that ten thousand are not asked about at the same time of day."""

FORGET_AFTER = timedelta(days=7)

Sites = Callable[[], Sequence[SiteDomain]]


class DomainWatch:
    """Raises and clears the concerns of domains.

    Args:
        sites: those that are watched now.
        observations: what registries have said, over restarts.
    """

    def __init__(
        self,
        sites: Sites,
        *,
        registries: Registries,
        observations: ObservationBook,
        events: EventQueue,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._sites = sites
        self._registries = registries
        self._observations = observations
        self._telemetry = telemetry
        self._clock = clock
        self._told = ToldConcerns(ConcernKind.DOMAIN, observations, events, clock, ticking=frozenset({"days_left"}))
        self._known: dict[str, _Known] | None = None
        self._registrations: dict[str, Registration] = {}

    def registration(self, site_key: str) -> Registration | None:
        """Returns what is known of the domain of a site, None where nobody was asked yet."""
        return self._registrations.get(site_key)

    async def look(self, *, asking: bool = True) -> None:
        """Asks about the domains that are due, at most so many, and tells of all.

        Args:
            asking: whether registries may be asked; else only what is known already, or by hand, is told.

        Raises:
            StoreUnavailable: the store does not answer; the next look tells what this one could not.
        """
        known = await self._load()
        sites, asked = list[SiteDomain](), 0
        async for site in in_turns(self._sites()):
            if not site.candidates:
                continue
            sites.append(site)
            name = _name_of(site, known)
            if asking and asked < ASKED_PER_LOOK and self._is_due(name, known.get(name)):
                asked += 1
                await self._ask(site, known)
                await self._clock.sleep(REST_S)
        registrations: dict[str, Registration] = {}
        async for site in in_turns(sites):
            found = known.get(_name_of(site, known))
            if found is not None or site.expires_on is not None:
                registration = Registration(site.candidates[0]) if found is None else found.registration
                registrations[site.site_key] = registration.or_by_hand(site.expires_on)
        self._registrations = registrations
        await self._tell(sites)
        await self._forget(known, {_name_of(site, known) for site in sites})

    async def _forget(self, known: "dict[str, _Known]", shown: set[str]) -> None:
        """Lets go of domains that no site has stood on for a while."""
        long_ago = self._clock.now() - FORGET_AFTER
        for name in known.keys() - shown:
            if known[name].at < long_ago:
                await self._observations.forget(OBSERVATIONS, name)
                del known[name]

    async def _load(self) -> "dict[str, _Known]":
        if self._known is None:
            known: dict[str, _Known] = {}
            async for name, observation in in_turns(list((await self._observations.all(OBSERVATIONS)).items())):
                known[name] = _Known(observation.at, Registration.of_facts(observation.facts))
            self._known = known
        return self._known

    def _is_due(self, name: str, known: "_Known | None") -> bool:
        if known is None:
            return True
        first, last = ASK_AGAIN_HOURS
        again = known.at + timedelta(hours=first, minutes=crc32(name.encode()) % ((last - first) * 60))
        return not known.at <= self._clock.now() < again

    async def _ask(self, site: SiteDomain, known: "dict[str, _Known]") -> None:
        registration = await self._registries.ask(site.candidates)
        name = _name_of(site, known) if registration.expires_at is None else registration.domain
        self._telemetry.count(
            "domain_lookups_total", result="unknown" if registration.expires_at is None else "known"
        )
        before = known.get(name)
        if registration.expires_at is None and before is not None and before.registration.expires_at is not None:
            registration = replace(before.registration, why=registration.why)  # silence takes nothing back
        known[name] = _Known(self._clock.now(), registration)
        await self._observations.keep(OBSERVATIONS, name, Observation(known[name].at, registration.facts()))

    async def _tell(self, sites: Sequence[SiteDomain]) -> None:
        standing, told = await self._told.standing(), set[str]()
        async for site in in_turns(sites):
            registration = self._registrations.get(site.site_key)
            if registration is None or registration.expires_at is None:
                if registration is not None:
                    told.add(registration.domain)  # what stands of it stands until a registry says otherwise
                continue
            ends_at, domain = registration.expires_at, registration.domain
            self._telemetry.gauge("domain_expiry_timestamp_seconds", ends_at.timestamp(), site=site.site_key)
            if domain in told:
                continue
            told.add(domain)
            await self._tell_of(site, registration, ends_at, standing)
        for subject in standing.keys() - told:
            await self._told.clear(subject)

    async def _tell_of(
        self, site: SiteDomain, registration: Registration, ends_at: datetime, standing: Mapping[str, Observation]
    ) -> None:
        now, domain = self._clock.now(), registration.domain
        stands = standing.get(domain)
        reached = expiry(ends_at, now, site.thresholds)
        facts = {"domain": domain, "expires_on": ends_at.date().isoformat(), "source": registration.source}
        if reached is None:
            if stands is not None:
                await self._told.clear(domain, facts)
            return
        left = ends_at - now
        nearness = {"days_left": left.days} if left > timedelta() else {"ended_on": facts["expires_on"]}
        await self._told.raise_(
            domain,
            stands,
            owner=(site.site_key, site.client_key),
            severity=reached.severity,
            facts=facts | {"stage": reached.stage} | nearness,
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """What a registry has said, and when it was asked."""

    at: datetime
    registration: Registration


def _name_of(site: SiteDomain, known: Mapping[str, _Known]) -> str:
    """Returns under which name what is known of a site's domain stands: the domain's, or else the site's own."""
    for name in site.candidates:
        found = known.get(name)
        if found is not None and found.registration.domain == name and found.registration.expires_at is not None:
            return name
    return site.domain or site.host
