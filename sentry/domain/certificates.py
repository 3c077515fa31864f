"""What is to be said of a certificate that works: it ends soon, it is weak, its chain is in disorder."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sentry.domain.result import Certificate, Phase, ProbeResult, Reason, Status
from sentry.domain.severity import Severity
from sentry.domain.site import Plan

SEVERITIES = ((1, Severity.SEV2), (14, Severity.SEV3))
"""Days left, and how bad it is from there on; with more days left it can wait for office hours."""

MIN_KEY_BITS = {"RSA": 2048, "EC": 224}
"""Of CA/Browser Forum baseline requirements 6.1.5 and NIST SP 800-131A, 2; smaller ones can be broken."""

BROKEN_HASHES = ("md2", "md4", "md5", "sha1")
"""Collisions of these can be made, so a signature over one proves nothing (RFC 9155; SHAttered, 2017)."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """A certificate, or a domain, that ends within the days at which somebody is told.

    Attributes:
        days: the threshold that was reached, the least of them.
        stage: how many of them were reached, one more once it has ended.
    """

    ends_at: datetime
    days: int
    stage: int

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return next((severity for days, severity in SEVERITIES if self.days <= days), Severity.SEV4)


def expiry(ends_at: datetime, now: datetime, thresholds: Sequence[int]) -> Expiry | None:
    """Returns the threshold that has been reached, None where there is still time.

    Args:
        ends_at: the end.
        now: the instant.
        thresholds: days before the end at which somebody is told, in any order.
    """
    left = ends_at - now
    reached = [days for days in thresholds if left <= timedelta(days=days)]
    return Expiry(ends_at, min(reached), len(reached) + (left <= timedelta())) if reached else None


def first_to_end(chain: Sequence[Certificate]) -> Certificate:
    """Returns the certificate of a chain, which is not empty, that ends first."""
    return min(chain, key=lambda certificate: certificate.not_after)


def weakness(certificate: Certificate) -> str | None:
    """Returns what makes a certificate too weak, as the end of a sentence; None where nothing does.

    The signature of a root is not looked at: nobody verifies it.
    """
    kind, _, size = certificate.key.partition(" ")
    if kind == "DSA":
        return "has a DSA key"
    bits = re.search(r"\d+", size)
    if bits is not None and int(bits.group()) < MIN_KEY_BITS.get(kind, 0):
        return f"has a key of {certificate.key}"
    signature = certificate.signature.lower()
    if certificate.subject != certificate.issuer and any(broken in signature for broken in BROKEN_HASHES):
        return f"is signed with {certificate.signature}"
    return None


def weakest(chain: Sequence[Certificate]) -> tuple[Certificate, str] | None:
    """Returns the first certificate of a chain that is too weak, and why."""
    found = ((certificate, weakness(certificate)) for certificate in chain)
    return next(((certificate, why) for certificate, why in found if why is not None), None)


def misplaced_issuer(chain: Sequence[Certificate]) -> Certificate | None:
    """Returns the certificate of a chain that is sent elsewhere than right after the one that it issued.

    A chain begins with the leaf, and each certificate certifies the one before it (RFC 5246, 7.4.2). Browsers put it
    in order; others refuse it. Certificates that nobody needs are no disorder.
    """
    for number, certificate in enumerate(chain[:-1]):
        above = chain[number + 1]
        if certificate.subject == certificate.issuer:
            return None
        if above.subject != certificate.issuer:
            sent = (one for one in chain if one.subject == certificate.issuer)
            return next(sent, None)
    return None


def judged_by_strength(result: ProbeResult, plan: Plan) -> ProbeResult:
    """Returns a result as it is, or as down where it answers with a weak certificate and the plan takes none.

    What the TLS library refuses is down in any case; this is for what it lets pass.
    """
    tls = result.evidence.tls
    if plan.weak_certificate != "down" or tls is None or not result.answers:
        return result
    weak = weakest(tls.chain)
    if weak is None:
        return result
    certificate, why = weak
    return refused(result, Reason.TLS_WEAK, f"certificate {certificate.subject} {why}, which is no longer safe")


def refused(result: ProbeResult, reason: Reason, detail: str, status: Status = Status.DOWN) -> ProbeResult:
    """Returns a result that answers as one that does not, because of a certificate that its handshake accepted."""
    return replace(
        result,
        status=status,
        reason=reason,
        failed_phase=Phase.TLS if status is Status.DOWN else None,
        detail=detail,
        evidence=replace(result.evidence, log=(*result.evidence.log, detail)),
    )
