"""A site as its audits see it: when they are due, where it stands, and what may stay although it is found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sentry.domain.allow_list import AllowedFinding
from sentry.domain.audit_policy import AuditTerms
from sentry.domain.audit_schedule import next_audit, next_try

LOOKED_AT_AGAIN = (timedelta(hours=1), timedelta(hours=24), timedelta(days=7))
"""After a cleaning: whoever has left a way in comes back by then."""


@dataclass(frozen=True, slots=True)
class AuditedSite:
    """A site that can be reached.

    Attributes:
        name: as people call it.
        host: what its files stand on; of the sites of one host, one is audited at a time.
        allow: what the configuration allows.
    """

    key: str
    client_key: str
    name: str
    host: str
    zone: ZoneInfo
    terms: AuditTerms = field(default_factory=AuditTerms)
    allow: Sequence[AllowedFinding] = ()


@dataclass(frozen=True, slots=True)
class AuditStanding:
    """How the audits of a site stand.

    Attributes:
        known_since: when the site was first seen by the schedule.
        completed_at: when the last audit ended that came to its end.
        failures: how many have failed since.
        failed_at: the last of them.
        why: what went wrong then.
        cleaned_at: when something was cleaned last.
    """

    known_since: datetime
    completed_at: datetime | None = None
    failures: int = 0
    failed_at: datetime | None = None
    why: str = ""
    cleaned_at: datetime | None = None

    def due_at(self, site: AuditedSite) -> datetime:
        """Returns when the next audit is due, whatever has gone wrong meanwhile."""
        return next_audit(site.key, self.completed_at, self.known_since, site.terms, site.zone)

    def begins_at(self, site: AuditedSite) -> datetime:
        """Returns when the next audit begins: when it is due, or when one that failed is tried again."""
        due_at = min(self.due_at(site), self._again_at() or self.due_at(site))
        return due_at if self.failed_at is None else max(due_at, next_try(self.failed_at, self.failures))

    def _again_at(self) -> datetime | None:
        """Returns when a site that was cleaned is looked at again, None where that is done."""
        if self.cleaned_at is None:
            return None
        looks = (self.cleaned_at + after for after in LOOKED_AT_AGAIN)
        return next((at for at in looks if self.completed_at is None or self.completed_at < at), None)

    def is_late_from(self, site: AuditedSite) -> datetime:
        """Returns from when on the promise is broken."""
        return self.due_at(site) + site.terms.late_after
