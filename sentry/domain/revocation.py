"""What an authority says of a certificate that it has issued, and the book of those that it took back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sentry.domain.certificates import refused
from sentry.domain.result import ProbeResult, Reason, Status
from sentry.domain.site import Plan

ASK_AGAIN_MIN, ASK_AGAIN_MAX = timedelta(hours=1), timedelta(days=1)


class RevocationState(StrEnum):
    """What is known. `UNKNOWN` is no accusation: the authority could not be asked, or gave no proof."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Revocation:
    """The answer of an authority about one certificate.

    Attributes:
        source: `ocsp` or `crl`, empty where nothing answered.
        revoked_at: from when on it is worth nothing.
        why: the authority's reason (RFC 5280, 5.3.1), or what stood in the way of an answer.
        next_update: when the authority will have said something newer.
    """

    state: RevocationState
    source: str = ""
    revoked_at: datetime | None = None
    why: str = ""
    next_update: datetime | None = None

    def ask_again(self, now: datetime) -> datetime:
        """Returns when to ask again: half-way to the next update, within an hour and a day."""
        if self.state is not RevocationState.GOOD or self.next_update is None:
            return now + (ASK_AGAIN_MIN if self.state is RevocationState.REVOKED else ASK_AGAIN_MAX / 4)
        return now + min(max((self.next_update - now) / 2, ASK_AGAIN_MIN), ASK_AGAIN_MAX)

    @property
    def told(self) -> str:
        """What a failure report says of a revoked certificate."""
        since = f" on {self.revoked_at:%Y-%m-%d %H:%M} UTC" if self.revoked_at is not None else ""
        return f"was revoked by its authority{since}{f' ({self.why})' if self.why else ''}, says its {self.source}"

    def facts(self) -> dict[str, Any]:
        """Returns it as JSON values."""
        return {
            "state": self.state.value,
            "source": self.source,
            "revoked_at": None if self.revoked_at is None else self.revoked_at.isoformat(),
            "why": self.why,
            "next_update": None if self.next_update is None else self.next_update.isoformat(),
        }

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> "Revocation":
        """Returns what `facts` returned the facts of."""
        revoked_at, next_update = facts["revoked_at"], facts["next_update"]
        return cls(
            RevocationState(facts["state"]),
            facts["source"],
            None if revoked_at is None else datetime.fromisoformat(revoked_at),
            facts["why"],
            None if next_update is None else datetime.fromisoformat(next_update),
        )


@dataclass(slots=True)
class RevokedBook:
    """The certificates that are known to be revoked, by SHA-256 of their DER form in hex.

    A handshake does not tell that a certificate was revoked, so results are judged by this book afterwards.
    """

    known: dict[str, Revocation] = field(default_factory=dict)

    def judged(self, result: ProbeResult, plan: Plan) -> ProbeResult:
        """Returns a result as it is; one that answers with a revoked certificate, as the plan wants that to be."""
        if not self.known or result.evidence.tls is None or plan.revoked_certificate == "ignore":
            return result
        if not result.answers:
            return result
        for certificate in result.evidence.tls.chain:
            revocation = self.known.get(certificate.fingerprint_sha256)
            if revocation is not None:
                status = Status.DOWN if plan.revoked_certificate == "down" else Status.DEGRADED
                detail = f"certificate {certificate.subject} {revocation.told}"
                return refused(result, Reason.TLS_REVOKED, detail, status)
        return result
