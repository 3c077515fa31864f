"""A book of audits in memory, and findings to put into it."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import TypeAdapter

from sentry.domain.allow_list import AllowedFinding, AllowListEntry
from sentry.domain.audit_record import AuditRecord, KeptAudit, counted, fingerprint, seen_since
from sentry.domain.errors import NotFound
from sentry.domain.finding import AuditReport, Evidence, Finding, FindingClass, Manifest, Sign
from tests.fakes.watch import NOON

REPORT: TypeAdapter[AuditReport] = TypeAdapter(AuditReport)


def found(path: str, verdict: FindingClass = FindingClass.CONFIRMED, rule: str = "rule", **more: object) -> Finding:
    """Returns a finding with one reason."""
    sign = Sign(rule, "it does what malware does", verdict, Evidence.BEHAVIOUR, detail=str(more.pop("detail", "")))
    return Finding(path, verdict, (sign,), **more)  # type: ignore[arg-type]  # the fields of a finding


def audited(*findings: Finding, site_key: str = "shop", at: datetime = NOON, files: int = 10) -> AuditReport:
    """Returns the report of an audit that took ten minutes."""
    manifest = Manifest(files=files, scripts=4, folders=2, hidden=1, size_bytes=5_000)
    return AuditReport(
        "/srv/www", at, at + timedelta(minutes=10), manifest, findings, site_key, rules={"files": "0" * 64}
    )


class MemoryAuditBook:
    """Fills the `AuditBook` port."""

    def __init__(self) -> None:
        self.kept: list[KeptAudit] = []
        self.said: list[AllowListEntry] = []

    async def keep(self, report: AuditReport) -> AuditRecord:
        former = next((one for one in reversed(self.kept) if one.record.site_key == report.site_key), None)
        before = former.since if former else {}
        since = seen_since(report, before)
        record = AuditRecord(
            number=len(self.kept) + 1,
            site_key=report.site_key,
            began_at=report.began_at,
            ended_at=report.ended_at,
            worst=report.worst,
            counts=counted(report),
            allowed=sum(bool(finding.allowed) for finding in report.findings),
            new=len(since.keys() - before.keys()),
            gone=len(before.keys() - since.keys()),
            files=report.manifest.files,
            sha256=hashlib.sha256(REPORT.dump_json(report)).hexdigest(),
        )
        gone = [one for one in (former.report.findings if former else ()) if fingerprint(one) not in since]
        self.kept.append(KeptAudit(record, report, since, gone))
        return record

    async def count(self) -> int:
        return len(self.kept)

    async def newest(self) -> Mapping[str, AuditRecord]:
        return {one.record.site_key: one.record for one in self.kept}

    async def list(
        self, *, site_key: str | None = None, before: int | None = None, limit: int = 50
    ) -> Sequence[AuditRecord]:
        records = [one.record for one in reversed(self.kept)]
        return [
            one for one in records if site_key in {None, one.site_key} and (before is None or one.number < before)
        ][:limit]

    async def between(self, site_keys: Collection[str], start: datetime, end: datetime) -> Sequence[AuditRecord]:
        records = [one.record for one in self.kept]
        return [one for one in records if one.site_key in site_keys and start <= one.ended_at < end]

    async def load(self, number: int) -> KeptAudit:
        if not 1 <= number <= len(self.kept):
            raise NotFound(f"there is no audit {number}")
        return self.kept[number - 1]

    async def allow(self, site_key: str, entry: AllowedFinding, at: datetime) -> int:
        self.said.append(AllowListEntry(len(self.said) + 1, site_key, entry))
        return len(self.said)

    async def withdraw(self, number: int, reason: str, author: str, at: datetime) -> None:
        known = {one.number: one for one in self.said if one.entry is not None}
        if number not in known or number in {one.withdraws for one in self.said}:
            raise NotFound(f"there is no entry {number} in an allow-list, or it was taken back already")
        self.said.append(AllowListEntry(len(self.said) + 1, known[number].site_key, None, number, reason, author))

    async def allowed(self, site_key: str | None = None) -> Sequence[AllowListEntry]:
        return [one for one in self.said if site_key in {None, one.site_key}]
