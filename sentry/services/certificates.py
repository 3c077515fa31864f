"""The watch over certificates that still work: tells before one ends, and of a chain that is weak or in disorder.

It looks at what the probes have seen, so it asks nobody and costs a site nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sentry.domain.certificates import expiry, first_to_end, misplaced_issuer, weakest
from sentry.domain.concern import ConcernKind
from sentry.domain.result import Certificate, ProbeResult, Reason
from sentry.domain.severity import Severity
from sentry.domain.site import Check
from sentry.ports import Clock, EventQueue, Observation, ObservationBook
from sentry.services.told_concerns import ToldConcerns
from sentry.services.turns import in_turns
from sentry.services.watch import CheckView

AT_ONCE = 50
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
        observations: which concerns stand, over restarts.
    """

    def __init__(self, views: Views, observations: ObservationBook, events: EventQueue, clock: Clock) -> None:
        self._views = views
        self._clock = clock
        self._told = ToldConcerns(
            ConcernKind.CERTIFICATE, observations, events, clock, ticking=frozenset({"days_left"})
        )

    async def look(self) -> None:
        """Looks at every check once.

        Raises:
            StoreUnavailable: the store does not answer; the next look tells what this one could not.
        """
        standing = await self._told.standing()
        watched: set[str] = set()
        told = {tuple(observation.facts["mark"]): subject for subject, observation in standing.items()}
        async for view in in_turns(self._views(), AT_ONCE):
            watched.add(view.check.key)
            if view.last is not None and _tells(view.last):
                await self._look_at(view.check, _chain(view.last), standing, told)
        for subject in standing:
            if subject.partition(":")[0] not in watched:
                await self._told.clear(subject)

    async def _look_at(
        self,
        check: Check,
        chain: Sequence[Certificate],
        standing: Mapping[str, Observation],
        told: dict[tuple[str, ...], str],
    ) -> None:
        worries = {worry.subject: worry for worry in _worries(check, chain, self._clock.now())}
        for subject in (check.key, f"{check.key}:chain"):
            worry, stands = worries.get(subject), standing.get(subject)
            if worry is not None and told.setdefault(worry.shown, subject) == subject:
                await self._told.raise_(
                    subject,
                    stands,
                    owner=(check.site_key, check.client_key),
                    severity=worry.severity,
                    facts=worry.facts,
                    mark=list(worry.shown),
                )
            elif stands is not None:
                ends_at = first_to_end(chain).not_after
                await self._told.clear(subject, {"not_after": ends_at.isoformat()})


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
            "not_after": first.not_after.isoformat(),
            "days": reached.days,
            "stage": reached.stage,
            "days_left": max(0, left.days),
        }
        shown = (check.site_key, first.fingerprint_sha256)
        yield Worry(check.key, shown, reached.severity, facts)
    problem = _problem_of_chain(check, chain)
    if problem is not None:
        whole = (check.site_key, *(one.fingerprint_sha256 for one in chain))
        yield Worry(f"{check.key}:chain", whole, Severity.SEV4, _facts(check, chain) | problem)


def _problem_of_chain(check: Check, chain: Sequence[Certificate]) -> dict[str, Any] | None:
    weak = weakest(chain) if check.plan.weak_certificate == "warn" else None  # else it is an outage
    if weak is not None:
        certificate, why = weak
        problem = "weak_signature" if "signed" in why else "weak_key"
        return {"problem": problem, "weak": certificate.subject, "detail": why}
    misplaced = misplaced_issuer(chain)
    return None if misplaced is None else {"problem": "chain_order", "misplaced": misplaced.subject}


def _facts(check: Check, chain: Sequence[Certificate]) -> dict[str, Any]:
    return {
        "check": check.key,
        "url": check.watched_url,
        "names": list(chain[0].names[:NAMES_SHOWN]),
        "fingerprint": chain[0].fingerprint_sha256,
    }
