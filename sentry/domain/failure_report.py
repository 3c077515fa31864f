"""The failure report: what failed, shown to the on-call reader and to machines from the same value."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sentry.domain.result import Certificate, ProbeResult, Reason


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """What one resolver said of a name. `error` is its rcode (`NXDOMAIN`), or why it gave no answer."""

    resolver: str
    name: str
    record_type: str
    values: tuple[str, ...] = ()
    elapsed_s: float = 0.0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class AddressTrial:
    """One address of the site tried by itself: TCP first, TLS after it where the site speaks TLS."""

    address: str
    connected: bool
    connect_s: float | None = None
    connect_error: str | None = None
    tls_version: str | None = None
    tls_reason: Reason | None = None
    tls_error: str | None = None
    chain: tuple[Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class CollectedEvidence:
    """What was gathered around a failure, beside the failed probe itself.

    Attributes:
        complete: False where the deadline cut the collection; `missing` then names what is not there.
    """

    collected_at: datetime
    dns: tuple[DnsAnswer, ...] = ()
    addresses: tuple[AddressTrial, ...] = ()
    complete: bool = True
    missing: tuple[str, ...] = ()


class Attribution(StrEnum):
    """Whose fault a failure most likely is."""

    INFRASTRUCTURE = "infrastructure"
    SITE = "site"
    THIRD_PARTY = "third_party"
    CLIENT = "client"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RecentChange:
    """Something that changed at or around the site within the last 24 hours."""

    at: datetime
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class FailureReport:
    """Everything known of a failure.

    Attributes:
        failed: the probe that began the outage; last_good: the last one before it that was up, with its phases.
        evidence: None until the collection around the failure has ended.
        attribution: the likely side; `attribution_basis` names the fact it rests on.
    """

    check_key: str
    url: str
    reason: Reason
    failed: ProbeResult
    last_good: ProbeResult | None = None
    evidence: CollectedEvidence | None = None
    changes: tuple[RecentChange, ...] = ()
    attribution: Attribution = Attribution.UNKNOWN
    attribution_basis: str = ""
