"""The watch over the zones of domains: tells when somebody has changed where a domain is answered, or its mail."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sentry.domain.concern import ConcernKind
from sentry.domain.events import Event, EventKind
from sentry.domain.registration import SiteDomain
from sentry.domain.severity import Severity
from sentry.domain.zone import RecordState, ZoneRecords, next_state, spelled
from sentry.ports import Clock, EventQueue, IncidentStore, Observation, ObservationBook, ZoneReader
from sentry.services.domains import Sites
from sentry.services.told_concerns import ToldConcerns
from sentry.services.turns import in_turns

OBSERVATIONS = "zone"
READ_PER_LOOK = 60
REST_S = 0.2
READ_AGAIN = timedelta(hours=6)
READ_AGAIN_SOON = timedelta(hours=1)
"""While something drifts, or nobody answered."""


class ZoneWatch:
    """Raises and clears the concerns of records that have changed.

    Args:
        sites: those that are watched now.
        incidents: tell whether a person has seen a change and left it.
    """

    def __init__(
        self,
        sites: Sites,
        *,
        zones: ZoneReader,
        observations: ObservationBook,
        incidents: IncidentStore,
        events: EventQueue,
        clock: Clock,
    ) -> None:
        self._sites = sites
        self._zones = zones
        self._observations = observations
        self._incidents = incidents
        self._events = events
        self._clock = clock
        self._told = ToldConcerns(ConcernKind.DNS_DRIFT, observations, events, clock, ticking=frozenset())
        self._states: dict[str, Observation] | None = None
        self._due: dict[tuple[str, ...], datetime] = {}

    async def look(self) -> None:
        """Reads the zones that are due, at most so many, and tells what has changed.

        Raises:
            StoreUnavailable: the store does not answer; the next look tells what this one could not.
        """
        if self._states is None:
            self._states = dict(await self._observations.all(OBSERVATIONS))
        states, now = self._states, self._clock.now()
        sites: dict[tuple[str, ...], SiteDomain] = {}
        async for site in in_turns(self._sites()):
            if site.candidates:
                sites.setdefault(site.candidates[::-1], site)
        due = [names for names in sites if self._due.get(names, now) <= now]
        for names in due[:READ_PER_LOOK]:
            drifts = await self._read(sites[names], names, states)
            self._due[names] = now + (READ_AGAIN_SOON if drifts else READ_AGAIN)
            await self._clock.sleep(REST_S)
        self._due = {names: at for names, at in self._due.items() if names in sites}
        for subject, observation in (await self._told.standing()).items():
            if tuple(observation.facts["mark"]) not in sites:
                await self._told.clear(subject)

    async def _read(self, site: SiteDomain, names: Sequence[str], states: dict[str, Observation]) -> bool:
        """Returns whether it is to be read again soon."""
        found = await self._zones.read(names)
        if found is None:
            return True
        known = states.get(found.zone)
        standing = await self._told.standing()
        drifts, facts = False, dict(known.facts) if known is not None else {}
        for kind, records in found.records.items():
            before = RecordState.of_facts(facts[kind]) if kind in facts else None
            accepted = before is not None and before.drifts and await self._is_accepted(found, kind)
            state = next_state(before, records, self._clock.now(), accepted=accepted)
            if before is not None and state.seen != before.seen:
                await self._note_change(site, found, kind, before, state)
            facts[kind] = state.facts()
            drifts |= await self._tell(site, names, found, kind, state, standing)
        if known is None or facts != known.facts:
            states[found.zone] = Observation(self._clock.now(), facts)
            await self._observations.keep(OBSERVATIONS, found.zone, states[found.zone])
        return drifts

    async def _tell(
        self,
        site: SiteDomain,
        names: Sequence[str],
        found: ZoneRecords,
        kind: str,
        state: RecordState,
        standing: Mapping[str, Observation],
    ) -> bool:
        """Tells of the records of one type; returns whether they are not as they shall be."""
        expected = site.expected.get(kind)
        shall_be = state.base if expected is None else spelled(kind, expected)
        subject = f"{found.zone}:{kind}"
        facts: dict[str, Any] = {
            "name": found.zone,
            "record_type": kind,
            "before": list(shall_be) or ["-"],
            "after": list(state.seen) or ["-"],
        }
        if shall_be != state.seen:
            owner = (site.site_key, site.client_key)
            stands = standing.get(subject)
            await self._told.raise_(
                subject, stands, owner=owner, severity=Severity.SEV4, facts=facts, mark=list(names)
            )
            return True
        if subject in standing:
            await self._told.clear(subject)
        return False

    async def _is_accepted(self, found: ZoneRecords, kind: str) -> bool:
        incident = await self._incidents.unresolved(f"{ConcernKind.DNS_DRIFT}:{found.zone}:{kind}")
        return incident is not None and incident.acknowledged_at is not None

    async def _note_change(
        self, site: SiteDomain, found: ZoneRecords, kind: str, before: RecordState, after: RecordState
    ) -> None:
        old, new = (", ".join(records) or "none" for records in (before.seen, after.seen))
        data = {"kind": "dns_records", "text": f"{kind} records of {found.zone}: {old} → {new}"}
        await self._events.publish([Event(EventKind.CHANGE_SEEN, after.since, site.site_key, data)])
