"""What is kept of an audit, and what has become of each finding since the audit before."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sentry.domain.finding import AuditReport, Finding, FindingClass


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One audit that came to its end, in figures.

    Attributes:
        number: from 1, over all sites.
        worst: class of the worst finding that is not allowed.
        counts: how many findings of each class there are that are not allowed.
        allowed: how many are.
        new, gone: findings that the audit before had not, and those that it had and this one has not.
        sha256: of the whole report as it is kept, hexadecimal.
    """

    number: int
    site_key: str
    began_at: datetime
    ended_at: datetime
    worst: FindingClass | None
    counts: Mapping[FindingClass, int]
    allowed: int
    new: int
    gone: int
    files: int
    sha256: str


@dataclass(frozen=True, slots=True)
class KeptAudit:
    """One audit, whole.

    Attributes:
        since: when each finding was first seen, by its fingerprint.
        gone: findings of the audit before that are no longer there.
    """

    record: AuditRecord
    report: AuditReport
    since: Mapping[str, datetime] = field(default_factory=dict)
    gone: Sequence[Finding] = ()


def fingerprint(finding: Finding) -> str:
    """Returns what makes a finding the same one in the next audit: where it is and what it is."""
    told = f"{finding.place}\0{finding.path}\0{finding.verdict}"
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def counted(report: AuditReport) -> Mapping[FindingClass, int]:
    """Returns how many findings of each class there are that are not allowed."""
    return dict(Counter(finding.verdict for finding in report.findings if not finding.allowed))


def seen_since(report: AuditReport, before: Mapping[str, datetime]) -> Mapping[str, datetime]:
    """Returns when each finding was first seen.

    Args:
        report: of the audit that has just ended.
        before: the same of the audit before; empty where there was none.
    """
    return {key: before.get(key, report.ended_at) for key in map(fingerprint, report.findings)}
