"""Reads what the watch wrote: minutes, outages, samples, failures and changes."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import datetime

import structlog
from sqlalchemy import func, or_, select

from sentry.domain.errors import StoreError
from sentry.domain.events import EventKind
from sentry.domain.failure_report import RecentChange
from sentry.domain.health import Outage
from sentry.domain.ledger import Run
from sentry.domain.result import ProbeResult
from sentry.ports import Sample, SiteHistory
from sentry.store import ledger_bulk
from sentry.store.columns import to_ms
from sentry.store.database import Database
from sentry.store.documents import RESULT
from sentry.store.events import event_of
from sentry.store.minutes import run_of
from sentry.store.outages import outage_of
from sentry.store.samples import sample_of
from sentry.store.schema import checks, events, failures, ledger_runs, outages, samples
from sentry.store.writing import SLICE

_log = structlog.get_logger(__name__)


class StoredLedger:
    """Fills the `LedgerReader` port."""

    def __init__(self, database: Database) -> None:
        """Reads the database; never waits for a writer."""
        self._database = database

    async def histories(self, site_keys: Collection[str], start: int, end: int) -> Mapping[str, SiteHistory]:
        """Returns the runs of several sites' checks, when each was first seen, and which have no say."""
        return await ledger_bulk.histories(self._database, site_keys, start, end)

    async def lapses(self, since: int) -> Mapping[str, Hashable]:
        """Returns a mark for each site with minutes down or in maintenance in a run that ends after a minute."""
        return await ledger_bulk.lapses(self._database, since)

    async def runs(self, site_key: str, start: int, end: int) -> Mapping[str, Sequence[Run]]:
        """Returns the runs of each check of a site, clipped to minutes [start, end), ordered, without overlap.

        A check without a run in the span has an empty sequence.
        """
        of_site = select(checks.c.key, checks.c.id).where(checks.c.site_key == site_key).order_by(checks.c.key)
        query = (
            select(ledger_runs)
            .join(checks, checks.c.id == ledger_runs.c.check_id)
            .where(checks.c.site_key == site_key, ledger_runs.c.start_minute < end, ledger_runs.c.end_minute > start)
            .order_by(ledger_runs.c.check_id, ledger_runs.c.start_minute)
        )
        async with self._database.read() as connection:
            keys = {row.id: row.key for row in await connection.execute(of_site)}
            found: dict[str, list[Run]] = {key: [] for key in keys.values()}
            for row in await connection.execute(query):
                run = run_of(row)
                found[keys[row.check_id]].append(Run(max(run.start, start), min(run.end, end), run.state))
        return found

    async def first_seen(self, site_key: str) -> Mapping[str, datetime]:
        """Returns when each check of the site was first registered."""
        query = select(checks.c.key, checks.c.first_seen_us).where(checks.c.site_key == site_key)
        async with self._database.read() as connection:
            return {row.key: row.first_seen_us for row in await connection.execute(query)}

    async def uncounted(self, site_key: str) -> Collection[str]:
        """Returns the checks of the site, removed ones included, that have no say in its state."""
        query = select(checks.c.key).where(checks.c.site_key == site_key, checks.c.counts.is_(False))
        async with self._database.read() as connection:
            return set((await connection.execute(query)).scalars())

    async def outages(self, site_key: str, start: datetime, end: datetime) -> Sequence[Outage]:
        """Returns the confirmed outages of a site's checks that touch the span, oldest first."""
        query = (
            select(outages, checks.c.key)
            .join(checks, checks.c.id == outages.c.check_id)
            .where(
                checks.c.site_key == site_key,
                outages.c.started_us < end,
                or_(outages.c.ended_us.is_(None), outages.c.ended_us > start),
            )
            .order_by(outages.c.started_us, checks.c.key)
        )
        async with self._database.read() as connection:
            return [outage_of(row, row.key) for row in await connection.execute(query)]

    async def samples(self, check_key: str, start: datetime, end: datetime, limit: int) -> Sequence[Sample]:
        """Returns the newest samples of the span [start, end), oldest first."""
        query = (
            select(samples)
            .join(checks, checks.c.id == samples.c.check_id)
            .where(
                checks.c.key == check_key,
                samples.c.scheduled_ms >= to_ms(start),
                samples.c.scheduled_ms < to_ms(end),
            )
            .order_by(samples.c.scheduled_ms.desc(), samples.c.kind.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [sample_of(row, check_key) for row in reversed(rows)]

    async def latest(self) -> Mapping[str, Sample]:
        """Returns the newest sample of each check that is watched now; a check never probed is not there."""
        other = samples.alias()
        newest = select(func.max(other.c.scheduled_ms)).where(other.c.check_id == checks.c.id).scalar_subquery()
        query = (
            select(samples, checks.c.key)
            .join(checks, checks.c.id == samples.c.check_id)
            .where(checks.c.removed_us.is_(None), samples.c.scheduled_ms == newest)
            .order_by(checks.c.key, samples.c.kind)
        )
        found: dict[str, Sample] = {}
        async with self._database.read() as connection, connection.stream(query) as rows:
            async for piece in rows.partitions(SLICE):  # ten thousand at once would hold up the event loop
                found |= {row.key: sample_of(row, row.key) for row in piece}
        return found

    async def failures(self, check_key: str, limit: int) -> Sequence[ProbeResult]:
        """Returns the newest failed results with their whole evidence, newest first; damaged ones are left out."""
        query = (
            select(failures)
            .join(checks, checks.c.id == failures.c.check_id)
            .where(checks.c.key == check_key)
            .order_by(failures.c.scheduled_us.desc(), failures.c.kind.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        found = []
        for row in rows:
            try:
                found.append(RESULT.load(row.result, f"failure of {check_key} at {row.scheduled_us.isoformat()}"))
            except StoreError as error:
                _log.error("failure_damaged", check=check_key, error=str(error))
        return found

    async def changes(self, site_key: str, since: datetime) -> Sequence[RecentChange]:
        """Returns what changed at a site since then (CHANGE_SEEN events), oldest first."""
        query = (
            select(events)
            .where(
                events.c.kind == EventKind.CHANGE_SEEN.value,
                or_(events.c.subject == site_key, events.c.subject.startswith(f"{site_key}/", autoescape=True)),
                events.c.at_us >= since,
            )
            .order_by(events.c.at_us, events.c.id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        found = []
        for row in rows:
            try:
                event = event_of(row)
            except StoreError as error:
                _log.error("event_damaged", event_id=row.id, error=str(error))
                continue
            facts = event.data
            found.append(RecentChange(event.at, str(facts.get("kind", "")), str(facts.get("text", ""))))
        return found
