"""The security audits of a month, as the report tells of them."""

from collections.abc import Sequence

from sentry.domain.audit_record import AuditRecord
from sentry.domain.client_report import NOT_MEASURED, AuditEntry, SiteReport
from sentry.domain.finding import FindingClass

OTHERS = (FindingClass.EXPOSED, FindingClass.SUSPICIOUS, FindingClass.MODIFIED, FindingClass.ENCODED)
SECURITY = "security"


def audit_entry(record: AuditRecord) -> AuditEntry:
    """Returns an audit as the report tells of it."""
    return AuditEntry(
        ended_at=record.ended_at.isoformat(timespec="seconds"),
        files=record.files,
        malware=record.counts.get(FindingClass.CONFIRMED, 0),
        holes=record.counts.get(FindingClass.VULNERABLE, 0),
        others=sum(record.counts.get(verdict, 0) for verdict in OTHERS),
        gone=record.gone,
    )


def not_measured(sites: Sequence[SiteReport]) -> tuple[str, ...]:
    """Returns what the report says nothing of: security, too, unless every site was audited in the month."""
    audited = all(site.audits for site in sites)
    return tuple(part for part in NOT_MEASURED if part != SECURITY or not audited)
