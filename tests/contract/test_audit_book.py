"""Audits: the proof of each is kept whole, and each finding has a life over several of them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from sentry.domain.allow_list import AllowedFinding, standing
from sentry.domain.audit_record import fingerprint
from sentry.domain.errors import NotFound, StoreError
from sentry.domain.finding import FindingClass, Skipped
from sentry.domain.retention import RetentionPolicy
from sentry.ports import AuditBook
from sentry.store import Store, open_store
from tests.contract.conftest import HANDLERS
from tests.fakes.audits import MemoryAuditBook, audited, found
from tests.fakes.clock import ManualClock
from tests.fakes.postgres import PostgresServer
from tests.fakes.watch import NOON

DAYS = timedelta(days=15)
SHELL = found("uploads/x.php", detail="eval \udce9 \0 🐚")
STYLE = found("a.php", FindingClass.SUSPICIOUS)
ENTRY = AllowedFinding(path="a.php", reason="known to Ana", author="ana", expires_on=date(2027, 1, 1))


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def book(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[AuditBook]:
    """The fake, and the stores that it stands in for."""
    if request.param == "memory":
        yield MemoryAuditBook()
        return
    address = f"sqlite:///{tmp_path}/sentry.db"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        address = server.empty_database()
    async with open_store(address, handlers=HANDLERS, clock=clock) as store:
        yield store.audits


@pytest.mark.promise("001-38")
async def test_keep_an_audit_is_read_back_with_manifest_rules_and_findings(book: AuditBook) -> None:
    """The proof: what was looked at, what by, what was found, and what was not looked at."""
    report = audited(STYLE, found("b.php", allowed="accountant (ana, until 2027-01-01)"))
    report.manifest.skipped.append(Skipped("big.zip", "larger than 20,000,000 bytes", 30_000_000))

    record = await book.keep(report)

    kept = await book.load(record.number)
    assert kept.report == report
    assert kept.record == record
    assert (record.worst, record.counts, record.allowed) == (FindingClass.SUSPICIOUS, {FindingClass.SUSPICIOUS: 1}, 1)
    assert (record.new, record.gone, record.files) == (2, 0, 10)
    assert len(record.sha256) == 64


async def test_finding_has_a_life_over_audits(book: AuditBook) -> None:
    """New in the first, still there in the second with its first day, gone in the third."""
    first = audited(STYLE)
    second = audited(STYLE, found("uploads/x.php"), at=NOON + DAYS)
    third = audited(found("uploads/x.php"), at=NOON + 2 * DAYS)
    records = [await book.keep(one) for one in (first, audited(site_key="other"), second, third)]

    assert [(one.new, one.gone) for one in records] == [(1, 0), (0, 0), (1, 0), (0, 1)]
    kept = await book.load(records[2].number)
    assert kept.since[fingerprint(STYLE)] == first.ended_at
    last = await book.load(records[3].number)
    assert last.since == {fingerprint(found("uploads/x.php")): second.ended_at}
    assert [finding.path for finding in last.gone] == ["a.php"]


async def test_list_is_newest_first_by_site_and_page(book: AuditBook) -> None:
    """As pages and the interface ask for it."""
    for number in range(3):
        await book.keep(audited(at=NOON + number * DAYS))
    await book.keep(audited(site_key="other", at=NOON + 3 * DAYS))

    assert [one.number for one in await book.list()] == [4, 3, 2, 1]
    assert [one.number for one in await book.list(site_key="shop", before=3, limit=1)] == [2]
    assert {key: one.number for key, one in (await book.newest()).items()} == {"shop": 3, "other": 4}
    assert await book.count() == 4
    month = await book.between(["shop", "none"], NOON + DAYS, NOON + 3 * DAYS)
    assert [one.number for one in month] == [2, 3]


async def test_load_an_audit_that_is_not_there_says_so(book: AuditBook) -> None:
    """With its number."""
    with pytest.raises(NotFound, match="no audit 7"):
        await book.load(7)
    assert await book.count() == 0


async def test_allow_list_keeps_every_word(book: AuditBook) -> None:
    """What was allowed and what was taken back, by whom and why."""
    first = await book.allow("shop", ENTRY, NOON)
    second = await book.allow("other", ENTRY, NOON)

    await book.withdraw(first, "it was removed", "luis", NOON)

    said = await book.allowed()
    assert [(one.number, one.site_key, one.withdraws) for one in said] == [
        (first, "shop", None),
        (second, "other", None),
        (3, "shop", first),
    ]
    assert (said[0].entry, said[2].reason, said[2].author) == (ENTRY, "it was removed", "luis")
    assert standing(await book.allowed("shop")) == []
    with pytest.raises(NotFound, match="taken back already"):
        await book.withdraw(first, "again", "luis", NOON)
    with pytest.raises(NotFound):
        await book.withdraw(3, "a withdrawal is no entry", "luis", NOON)


async def test_hostile_bytes_of_a_finding_do_not_keep_the_audit_from_being_kept(store: Store) -> None:
    """Lone surrogates and NUL come from a stranger's file."""
    record = await store.audits.keep(audited(SHELL))

    kept = await store.audits.load(record.number)
    assert kept.report.findings[0].signs[0].detail.startswith("eval ")


async def test_proof_that_was_touched_is_told(store: Store) -> None:
    """It is not what was written, and nobody reads it as such."""
    record = await store.audits.keep(audited(STYLE))
    async with store.database.write() as connection:
        await connection.execute(text("UPDATE audits SET sha256 = 'f'"))

    with pytest.raises(StoreError, match="not what was written"):
        await store.audits.load(record.number)


async def test_retention_drops_old_audits_but_the_last_of_each_site(store: Store, clock: ManualClock) -> None:
    """The last one says when the next is due, however old it is."""
    for number in range(3):
        await store.audits.keep(audited(STYLE, at=NOON + number * DAYS))
    await store.audits.keep(replace(audited(at=NOON - DAYS), site_key="asleep"))

    later = NOON + timedelta(days=200)
    dropped = await store.retention.prune(RetentionPolicy(audits_days=31), later)

    assert dropped["audits"] == 2
    assert [one.number for one in await store.audits.list()] == [4, 3]
    assert len((await store.audits.load(3)).since) == 1
