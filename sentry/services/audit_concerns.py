"""Tells of what audits find: malware and known holes at once to everybody, the rest once to operators.

One incident for an infected site, however many files it has; one for each vulnerable component, with a clock of its
own. They end when a later audit has looked and finds them no longer: one that could not look ends nothing.
"""

from collections.abc import Collection, Mapping

from sentry.domain.audit_alarm import (
    infected,
    infection_facts,
    is_no_longer_infected,
    knows_holes,
    operators_facts,
    vulnerability_facts,
    vulnerable,
)
from sentry.domain.audited_site import AuditedSite, AuditStanding
from sentry.domain.concern import ConcernKind
from sentry.domain.finding import AuditReport
from sentry.domain.severity import Severity
from sentry.ports import Clock, EventQueue, Observation, ObservationBook
from sentry.services.told_concerns import ToldConcerns

OF_AGENT = ("", "")
"""What has no site goes to operators alone."""


class AuditConcerns:
    """Raises and clears the concerns of audits."""

    def __init__(self, observations: ObservationBook, events: EventQueue, clock: Clock) -> None:
        """Remembers in observations what stands, and tells by events."""

        def told(kind: ConcernKind) -> ToldConcerns:
            return ToldConcerns(kind, observations, events, clock, ticking=frozenset({"days"}))

        self._clock = clock
        self._infections = told(ConcernKind.INFECTION)
        self._holes = told(ConcernKind.VULNERABILITY)
        self._findings = told(ConcernKind.AUDIT_FINDINGS)
        self._late = told(ConcernKind.AUDIT_LATE)

    async def tell(self, site: AuditedSite, report: AuditReport) -> None:
        """Tells of what an audit found, and of what it no longer finds."""
        await self._tell_of_infection(site, report)
        await self._tell_of_holes(site, report)
        stands = (await self._findings.standing()).get(site.key)
        facts = operators_facts(report, site.name)
        if facts:
            await self._findings.raise_(site.key, stands, owner=OF_AGENT, severity=Severity.SEV4, facts=facts)
        elif stands is not None and not report.manifest.failures:
            await self._findings.clear(site.key)

    async def _tell_of_infection(self, site: AuditedSite, report: AuditReport) -> None:
        stands, found = (await self._infections.standing()).get(site.key), infected(report)
        owner = site.key, site.client_key
        if found:
            places = [(finding.place.value, finding.path) for finding in found]
            await self._infections.raise_(
                site.key, stands, owner=owner, severity=Severity.SEV1, facts=infection_facts(found), mark=places
            )
        elif stands is not None and is_no_longer_infected(report, stands.facts.get("mark") or ()):
            await self._infections.clear(site.key)

    async def _tell_of_holes(self, site: AuditedSite, report: AuditReport) -> None:
        standing, found = await self._holes.standing(), vulnerable(report)
        for name, finding in found.items():
            subject = f"{site.key}/{name}"
            await self._holes.raise_(
                subject,
                standing.get(subject),
                owner=(site.key, site.client_key),
                severity=Severity.SEV2,
                facts=vulnerability_facts(finding),
                mark=site.key,
            )
        if knows_holes(report.manifest):
            gone = standing.keys() - {f"{site.key}/{name}" for name in found}
            for subject in gone:
                if standing[subject].facts.get("mark") == site.key:
                    await self._holes.clear(subject)

    async def release(self, audited: Collection[str]) -> None:
        """Lets go of what operators were told of sites that are no longer audited."""
        for key in (await self._findings.standing()).keys() - set(audited):
            await self._findings.clear(key)

    async def tell_late(self, late: Mapping[str, tuple[AuditedSite, AuditStanding]]) -> None:
        """Tells operators which audits are late now, and which no longer are."""
        standing: Mapping[str, Observation] = await self._late.standing()
        now = self._clock.now()
        for key, (site, known) in late.items():
            due_at = known.due_at(site)
            facts = {"audited": site.name, "due_at": due_at.isoformat(), "days": (now - due_at).days}
            why = {"why": known.why} if known.why else {}
            await self._late.raise_(key, standing.get(key), owner=OF_AGENT, severity=Severity.SEV3, facts=facts | why)
        for key in standing.keys() - late.keys():
            await self._late.clear(key)
