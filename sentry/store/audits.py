"""Audits and allow-lists: every one as it was, and none is ever rewritten."""

import asyncio
import hashlib
import zlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.allow_list import AllowedFinding, AllowListEntry
from sentry.domain.audit_record import AuditRecord, KeptAudit, counted, fingerprint, seen_since
from sentry.domain.errors import NotFound, StoreError
from sentry.domain.finding import AuditReport, FindingClass
from sentry.store.database import Database
from sentry.store.documents import Document
from sentry.store.schema import audit_allowances, audit_findings, audits

MOST_BYTES = 64 * 1024 * 1024
"""Of a report; a damaged row must not fill the memory."""

_REPORT: Document[AuditReport] = Document(TypeAdapter(tuple[AuditReport]), "audit")
_ALLOWED: Document[AllowedFinding] = Document(TypeAdapter(tuple[AllowedFinding]), "allow-list entry")
_COUNTS: Document[dict[FindingClass, int]] = Document(TypeAdapter(tuple[dict[FindingClass, int]]), "counts")

_RECORD = [column for column in audits.c if column.name != "report"]


class StoredAudits:
    """Fills the `AuditBook` port."""

    def __init__(self, database: Database) -> None:
        """Reads and appends to the database."""
        self._database = database

    async def keep(self, report: AuditReport) -> AuditRecord:
        """Keeps the report of a site's audit; see `AuditBook`."""
        packed, sha256 = await asyncio.to_thread(_packed, report)
        async with self._database.write() as connection:
            number = ((await connection.execute(select(func.max(audits.c.number)))).scalar() or 0) + 1
            before = await _since(connection, await _number_before(connection, report.site_key, number))
            since = seen_since(report, before)
            row = {
                "number": number,
                "site_key": report.site_key,
                "began_us": report.began_at,
                "ended_us": report.ended_at,
                "worst": report.worst,
                "counts": _COUNTS.dump(dict(counted(report))),
                "allowed": sum(bool(finding.allowed) for finding in report.findings),
                "new": len(since.keys() - before.keys()),
                "gone": len(before.keys() - since.keys()),
                "files": report.manifest.files,
                "sha256": sha256,
                "report": packed,
            }
            await connection.execute(insert(audits), row)
            if since:
                rows = [{"number": number, "fingerprint": key, "since_us": at} for key, at in since.items()]
                await connection.execute(insert(audit_findings), rows)
            return _record((await connection.execute(select(*_RECORD).where(audits.c.number == number))).one())

    async def count(self) -> int:
        """Returns the number of the newest audit, 0 where there is none."""
        async with self._database.read() as connection:
            return int((await connection.execute(select(func.coalesce(func.max(audits.c.number), 0)))).scalar_one())

    async def newest(self) -> Mapping[str, AuditRecord]:
        """Returns the newest audit of each site."""
        newest = select(func.max(audits.c.number)).group_by(audits.c.site_key)
        found = await self._records(select(*_RECORD).where(audits.c.number.in_(newest)))
        return {one.site_key: one for one in found}

    async def list(
        self, *, site_key: str | None = None, before: int | None = None, limit: int = 50
    ) -> Sequence[AuditRecord]:
        """Returns audits, newest first; see `AuditBook`."""
        query = select(*_RECORD).order_by(audits.c.number.desc()).limit(limit)
        if site_key is not None:
            query = query.where(audits.c.site_key == site_key)
        if before is not None:
            query = query.where(audits.c.number < before)
        return await self._records(query)

    async def between(self, site_keys: Collection[str], start: datetime, end: datetime) -> Sequence[AuditRecord]:
        """Returns the audits of some sites that ended in [start, end), oldest first."""
        query = select(*_RECORD).where(
            audits.c.site_key.in_(list(site_keys)), audits.c.ended_us >= start, audits.c.ended_us < end
        )
        return await self._records(query.order_by(audits.c.number))

    async def load(self, number: int) -> KeptAudit:
        """Returns an audit whole; see `AuditBook`."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(audits).where(audits.c.number == number))).one_or_none()
            if row is None:
                raise NotFound(f"there is no audit {number}")
            since = await _since(connection, number)
            earlier = await _number_before(connection, row.site_key, number)
            former = (await connection.execute(select(audits).where(audits.c.number == earlier))).one_or_none()
        report = await asyncio.to_thread(_unpacked, row)
        before = () if former is None else (await asyncio.to_thread(_unpacked, former)).findings
        gone = [finding for finding in before if fingerprint(finding) not in since]
        return KeptAudit(_record(row), report, since, gone)

    async def allow(self, site_key: str, entry: AllowedFinding, at: datetime) -> int:
        """Adds to the allow-list of a site; see `AuditBook`."""
        async with self._database.write() as connection:
            return await _say(connection, site_key, at, entry=_ALLOWED.dump(entry))

    async def withdraw(self, number: int, reason: str, author: str, at: datetime) -> None:
        """Takes an entry back; see `AuditBook`."""
        rows, again = audit_allowances, audit_allowances.alias("again")
        standing = select(rows.c.site_key).where(
            rows.c.number == number,
            rows.c.entry.is_not(None),
            ~select(again.c.number).where(again.c.withdraws == number).exists(),
        )
        async with self._database.write() as connection:
            site_key = (await connection.execute(standing)).scalar()
            if site_key is None:
                raise NotFound(f"there is no entry {number} in an allow-list, or it was taken back already")
            await _say(connection, site_key, at, withdraws=number, reason=reason, author=author)

    async def allowed(self, site_key: str | None = None) -> Sequence[AllowListEntry]:
        """Returns every word that was said, in order; of one site or of all."""
        query = select(audit_allowances).order_by(audit_allowances.c.number)
        if site_key is not None:
            query = query.where(audit_allowances.c.site_key == site_key)
        async with self._database.read() as connection:
            return [_allowance(row) for row in await connection.execute(query)]

    async def _records(self, query: Select[Any]) -> Sequence[AuditRecord]:
        async with self._database.read() as connection:
            return [_record(row) for row in await connection.execute(query)]


async def _number_before(connection: AsyncConnection, site_key: str, number: int) -> int | None:
    query = select(func.max(audits.c.number)).where(audits.c.site_key == site_key, audits.c.number < number)
    found: int | None = (await connection.execute(query)).scalar()
    return found


async def _since(connection: AsyncConnection, number: int | None) -> Mapping[str, datetime]:
    if number is None:
        return {}
    query = select(audit_findings).where(audit_findings.c.number == number)
    return {row.fingerprint: row.since_us for row in await connection.execute(query)}


async def _say(connection: AsyncConnection, site_key: str, at: datetime, **said: object) -> int:
    newest = select(func.coalesce(func.max(audit_allowances.c.number), 0))
    number = int((await connection.execute(newest)).scalar_one()) + 1
    await connection.execute(insert(audit_allowances), {"number": number, "site_key": site_key, "at_us": at, **said})
    return number


def _packed(report: AuditReport) -> tuple[bytes, str]:
    document = _REPORT.dump(report).encode()
    return zlib.compress(document), hashlib.sha256(document).hexdigest()


def _unpacked(row: Row[Any]) -> AuditReport:
    where = f"audit {row.number}"
    unpacking = zlib.decompressobj()
    try:
        document = unpacking.decompress(row.report, MOST_BYTES)
    except zlib.error as error:
        raise StoreError(f"damaged row: {where}: {error}") from error
    if not unpacking.eof or hashlib.sha256(document).hexdigest() != row.sha256:
        raise StoreError(f"damaged row: {where}: it is not what was written")
    return _REPORT.load(document.decode(), where)


def _record(row: Row[Any]) -> AuditRecord:
    return AuditRecord(
        number=row.number,
        site_key=row.site_key,
        began_at=row.began_us,
        ended_at=row.ended_us,
        worst=None if row.worst is None else FindingClass(row.worst),
        counts=_COUNTS.load(row.counts, f"audit {row.number}"),
        allowed=row.allowed,
        new=row.new,
        gone=row.gone,
        files=row.files,
        sha256=row.sha256,
    )


def _allowance(row: Row[Any]) -> AllowListEntry:
    entry = None if row.entry is None else _ALLOWED.load(row.entry, f"allow-list {row.number}")
    return AllowListEntry(row.number, row.site_key, entry, row.withdraws, row.reason, row.author)
