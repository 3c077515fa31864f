"""The watch over certificates that still work: tells before one ends, and of a chain that is weak or in disorder.

It looks at what the probes have seen, so it asks nobody and costs a site nothing.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sentry.domain.certificates import expiry, first_to_end, misplaced_issuer, weakest
from sentry.domain.concern import Concern, ConcernKind, cleared
from sentry.domain.result import Certificate, ProbeResult, Reason
from sentry.domain.severity import Severity
from sentry.domain.site import Check
from sentry.ports import Clock, EventQueue, Finding, FindingBook
from sentry.services.watch import CheckView

FINDINGS = "certificate"
"""Kind of the findings that say which concerns stand."""

AT_ONCE = 200
"""Checks that are looked at before others have their turn: about a millisecond."""

NAMES_SHOWN = 3

Views = Callable[[], Sequence[CheckView]]


@dataclass(frozen=True, slots=True)
class Worry:
    """What is to be told of one check.

    Attributes:
        subject: the check, and what is worrying about it where it is not the end.
        shown: what is shown for another check of the site in the same way; it is told once.
        facts: do not change from one look to the next while the worry is the same.
    """

    subject: str
    shown: tuple[str, ...]
    severity: Severity
    facts: Mapping[str, Any]


class CertificateWatch:
    """Raises and clears the concerns of certificates.

    Args:
        views: what is known of every check now.
        findings: which concerns stand, over restarts.
    """

    def __init__(self, views: Views, findings: FindingBook, events: EventQueue, clock: Clock) -> None:
        self._views = views
        self._findings = findings
        self._events = events
        self._clock = clock

    async def look(self) -> None:
        """Looks at every check once.

        Raises:
            StoreUnavailable: the store does not answer; the next look tells what this one could not.
        """
        standing = await self._findings.all(FINDINGS)
        watched: set[str] = set()
        told = {tuple(finding.facts["shown"]): subject for subject, finding in standing.items()}
        for some in _pieces(self._views(), AT_ONCE):
            for view in some:
                watched.add(view.check.key)
                if view.last is not None and _tells(view.last):
                    await self._look_at(view.check, _chain(view.last), standing, told)
            await asyncio.sleep(0)
        for subject in standing:
            if subject.partition(":")[0] not in watched:
                await self._clear(subject, {})

    async def _look_at(
        self,
        check: Check,
        chain: Sequence[Certificate],
        standing: Mapping[str, Finding],
        told: dict[tuple[str, ...], str],
    ) -> None:
        worries = {worry.subject: worry for worry in _worries(check, chain, self._clock.now())}
        for subject in (check.key, f"{check.key}:chain"):
            worry, stands = worries.get(subject), standing.get(subject)
            if worry is not None and told.setdefault(worry.shown, subject) == subject:
                await self._raise(check, worry, stands)
            elif stands is not None:
                ends_at = first_to_end(chain).not_after
                await self._clear(subject, {"not_after": ends_at.isoformat()})

    async def _raise(self, check: Check, worry: Worry, stands: Finding | None) -> None:
        if stands is not None and _is_same(stands.facts["told"], worry.facts):
            return
        now = self._clock.now()
        concern = Concern(
            key=f"certificate:{worry.subject}",
            kind=ConcernKind.CERTIFICATE,
            severity=worry.severity,
            began_at=stands.at if stands is not None else now,
            site_key=check.site_key,
            client_key=check.client_key,
            facts=worry.facts,
        )
        kept = {"told": dict(worry.facts), "shown": list(worry.shown)}
        await self._events.publish([concern.raised(now)])
        await self._findings.keep(FINDINGS, worry.subject, Finding(concern.began_at, kept))

    async def _clear(self, subject: str, facts: Mapping[str, Any]) -> None:
        now = self._clock.now()
        await self._events.publish([cleared(f"certificate:{subject}", now, now, facts)])
        await self._findings.forget(FINDINGS, subject)


def _tells(result: ProbeResult) -> bool:
    """Whether a result shows a chain that is to be looked at; one that was refused has an outage of its own."""
    tls = result.evidence.tls
    if tls is None or not tls.chain:
        return False
    return tls.verified or result.answers or result.reason is Reason.TLS_EXPIRED


def _chain(result: ProbeResult) -> Sequence[Certificate]:
    return result.evidence.tls.chain if result.evidence.tls is not None else ()


def _worries(check: Check, chain: Sequence[Certificate], now: datetime) -> Iterator[Worry]:
    first = first_to_end(chain)
    reached = expiry(first.not_after, now, check.plan.expiry_warning_days)
    if reached is not None:
        left = first.not_after - now
        facts = _facts(check, chain) | {
            "problem": "expires_soon" if left > timedelta() else "expired",
            "subject": first.subject,
            "days": reached.days,
            "stage": reached.stage,
            "days_left": max(0, left.days),
        }
        shown = (check.site_key, first.fingerprint_sha256)
        yield Worry(check.key, shown, reached.severity, facts)
    problem = _problem_of_chain(chain)
    if problem is not None:
        whole = (check.site_key, *(one.fingerprint_sha256 for one in chain))
        yield Worry(f"{check.key}:chain", whole, Severity.SEV4, _facts(check, chain) | problem)


def _problem_of_chain(chain: Sequence[Certificate]) -> dict[str, Any] | None:
    weak = weakest(chain)
    if weak is not None:
        certificate, why = weak
        problem = "weak_signature" if "signed" in why else "weak_key"
        return {"problem": problem, "subject": certificate.subject, "detail": why}
    misplaced = misplaced_issuer(chain)
    return None if misplaced is None else {"problem": "chain_order", "subject": misplaced.subject}


def _facts(check: Check, chain: Sequence[Certificate]) -> dict[str, Any]:
    return {
        "check": check.key,
        "url": check.watched_url,
        "names": list(chain[0].names[:NAMES_SHOWN]),
        "fingerprint": chain[0].fingerprint_sha256,
        "not_after": first_to_end(chain).not_after.isoformat(),
    }


def _is_same(told: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether nothing is to be told anew; that another day has gone by is nothing, a threshold reached is."""
    return {**told, "days_left": None} == {**now, "days_left": None}


def _pieces(views: Sequence[CheckView], size: int) -> Iterator[Sequence[CheckView]]:
    return (views[start : start + size] for start in range(0, len(views), size))
