"""What the page of one incident says: its facts, its timeline, and the failure report in the order of a diagnosis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from sentry.domain.concern import ConcernTold
from sentry.domain.failure_report import CollectedEvidence, FailureReport
from sentry.domain.incident import Incident, IncidentState, Member
from sentry.domain.responsibility import AttributionEntry, standing_side
from sentry.domain.result import Certificate, HttpEvidence, Phase, ProbeResult
from sentry.domain.watched_site import WatchedSite
from sentry.web.overview import lasting
from sentry.web.representation import public_url
from sentry.web.strips import phase_bar
from sentry.web.terms import INCIDENT_WORDS, PHASE_WORDS, SIDE_WORDS
from sentry.web.words import ABSENT, Words


@dataclass(frozen=True, slots=True)
class PhaseLine:
    """One phase of the failed probe beside the same of the last good one."""

    name: str
    failed: str
    good: str
    is_culprit: bool


@dataclass(frozen=True, slots=True)
class SaidLine:
    """One word on whose side it was; `guessed` where the agent said it, by a fact of its report."""

    at: datetime
    side: str
    by: str
    why: str
    guessed: bool


@dataclass(frozen=True, slots=True)
class MemberLine:
    """One of the incidents that are told by this one; its site is None where it is not watched any more."""

    member: Member
    site: WatchedSite | None
    state: str
    lasted: str


def member_lines(
    words: Words, incident: Incident, sites: Mapping[str, WatchedSite], now: datetime
) -> Sequence[MemberLine]:
    """Returns the members of an incident, those that are not resolved first.

    Args:
        words: in which the page is written.
        incident: with its members.
        sites: those of the members that are configured now, by key.
        now: for those that still last.
    """
    ordered = sorted(incident.members, key=lambda one: one.state is IncidentState.RESOLVED)
    return [
        MemberLine(
            one,
            sites.get(one.site_key),
            INCIDENT_WORDS[one.state],
            lasting(words, one.started_at, one.recovered_at or now),
        )
        for one in ordered
    ]


@dataclass(frozen=True, slots=True)
class Dossier:
    """The whole page of an outage.

    Attributes:
        site: None where the site is no longer watched.
        chain: the certificates that the failed probe was shown.
        expired: fingerprints of those that had ended when it was.
    """

    incident: Incident
    report: FailureReport
    cause: str
    site: WatchedSite | None
    url: str
    state: str
    lasted: str
    detected_after: str
    side: str
    said: Sequence[SaidLine]
    failed: ProbeResult
    good: ProbeResult | None
    phases: Sequence[PhaseLine]
    failed_bar: Markup
    good_bar: Markup
    evidence: CollectedEvidence | None
    chain: Sequence[Certificate]
    expired: frozenset[str]
    http: HttpEvidence | None


def dossier(
    words: Words,
    incident: Incident,
    report: FailureReport,
    *,
    cause: str,
    said: Sequence[AttributionEntry],
    site: WatchedSite | None,
    now: datetime,
) -> Dossier:
    """Gathers the page of an outage.

    Args:
        words: in which it is written.
        incident: with its timeline.
        report: what failed.
        cause: its line for people.
        said: every word on whose side it was, oldest first.
        site: the site as it is configured now.
        now: for an incident that still lasts.
    """
    failed, good = report.failed, report.last_good
    longest = max(sum(failed.phases.values()), sum(good.phases.values()) if good else 0.0)
    chain = failed.evidence.tls.chain if failed.evidence.tls else ()
    return Dossier(
        incident=incident,
        report=report,
        cause=cause,
        site=site,
        url=public_url(report.url),
        state=INCIDENT_WORDS[incident.state],
        lasted=lasting(words, incident.started_at, incident.recovered_at or now),
        detected_after=lasting(words, incident.started_at, incident.detected_at),
        side=SIDE_WORDS[standing_side(said) if said else report.attribution],
        said=[
            SaidLine(one.at, SIDE_WORDS[one.side], one.by, one.reason or one.basis, not one.is_of_person)
            for one in said
        ],
        failed=failed,
        good=good,
        phases=[_phase_line(words, phase, failed, good) for phase in Phase if _reached(phase, failed, good)],
        failed_bar=phase_bar(failed.phases, failed.failed_phase, longest, words.text("Phases of the failed probe")),
        good_bar=phase_bar(good.phases, None, longest, words.text("Phases of the last good probe"))
        if good
        else Markup(""),
        evidence=report.evidence,
        chain=chain,
        expired=frozenset(one.fingerprint_sha256 for one in chain if one.not_after < failed.started_at),
        http=failed.evidence.http,
    )


@dataclass(frozen=True, slots=True)
class ConcernDossier:
    """The whole page of a concern; its site is None where it is about the agent, or no longer watched."""

    incident: Incident
    told: ConcernTold
    site: WatchedSite | None
    state: str
    lasted: str


def concern_dossier(
    words: Words, incident: Incident, told: ConcernTold, site: WatchedSite | None, now: datetime
) -> ConcernDossier:
    """Gathers the page of a concern.

    Args:
        words: in which it is written.
        incident: with its timeline.
        told: the concern in words.
        site: the site as it is configured now.
        now: for a concern that still stands.
    """
    lasted = lasting(words, incident.started_at, incident.recovered_at or now)
    return ConcernDossier(incident, told, site, INCIDENT_WORDS[incident.state], lasted)


def _reached(phase: Phase, failed: ProbeResult, good: ProbeResult | None) -> bool:
    return phase in failed.phases or phase is failed.failed_phase or (good is not None and phase in good.phases)


def _phase_line(words: Words, phase: Phase, failed: ProbeResult, good: ProbeResult | None) -> PhaseLine:
    def time_of(result: ProbeResult | None) -> str:
        return words.seconds(result.phases[phase]) if result is not None and phase in result.phases else ABSENT

    return PhaseLine(PHASE_WORDS[phase], time_of(failed), time_of(good), phase is failed.failed_phase)
