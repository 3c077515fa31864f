"""Where audits are kept."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sentry.domain.allow_list import AllowedFinding, AllowListEntry
from sentry.domain.audit_record import AuditRecord, KeptAudit
from sentry.domain.finding import AuditReport


class AuditBook(Protocol):
    """The proof of every audit, and what was allowed; nothing in it is ever rewritten."""

    async def keep(self, report: AuditReport) -> AuditRecord:
        """Keeps the report of a site's audit, and says what has changed since the one before."""
        ...

    async def count(self) -> int:
        """Returns the number of the newest audit, 0 where there is none."""
        ...

    async def newest(self) -> Mapping[str, AuditRecord]:
        """Returns the newest audit of each site."""
        ...

    async def list(
        self, *, site_key: str | None = None, before: int | None = None, limit: int = 50
    ) -> Sequence[AuditRecord]:
        """Returns audits, newest first.

        Args:
            site_key: only of this site.
            before: only those of a lower number.
            limit: at most this many.
        """
        ...

    async def between(self, site_keys: Collection[str], start: datetime, end: datetime) -> Sequence[AuditRecord]:
        """Returns the audits of some sites that ended in [start, end), oldest first."""
        ...

    async def load(self, number: int) -> KeptAudit:
        """Returns an audit whole.

        Raises:
            NotFound: there is none of this number.
            StoreError: it is damaged.
        """
        ...

    async def allow(self, site_key: str, entry: AllowedFinding, at: datetime) -> int:
        """Adds to the allow-list of a site, and returns the number of the entry."""
        ...

    async def withdraw(self, number: int, reason: str, author: str, at: datetime) -> None:
        """Takes an entry back.

        Raises:
            NotFound: there is none of this number, or it was taken back already.
        """
        ...

    async def allowed(self, site_key: str | None = None) -> Sequence[AllowListEntry]:
        """Returns every word that was said, in order; of one site or of all."""
        ...
