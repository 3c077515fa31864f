"""Reads what the watch wrote: minutes, outages, samples, failures and changes."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import datetime

import structlog
from sqlalchemy import func, or_, select, text

from sentry.domain.day import DaySummary
from sentry.domain.errors import StoreError
from sentry.domain.events import EventKind
from sentry.domain.failure_report import RecentChange
from sentry.domain.health import Outage
from sentry.domain.ledger import Run, Totals
from sentry.domain.own_fault import OwnFault
from sentry.domain.responsibility import AttributedSpan
from sentry.domain.result import ProbeResult
from sentry.ports import Sample, SiteHistory
from sentry.store import attributions, figures, ledger_bulk, own_faults, probed
from sentry.store.database import Database
from sentry.store.documents import RESULT
from sentry.store.events import event_of
from sentry.store.marks import WATCH_STARTED
from sentry.store.minutes import run_of
from sentry.store.outages import outage_of
from sentry.store.schema import checks, events, failures, ledger_runs, marks, outages
from sentry.store.sealed import raw_from

_log = structlog.get_logger(__name__)


class StoredLedger:
    """Fills the `LedgerReader` port."""

    def __init__(self, database: Database) -> None:
        """Reads the database; never waits for a writer."""
        self._database = database

    async def histories(self, site_keys: Collection[str], start: int, end: int) -> Mapping[str, SiteHistory]:
        """Returns the runs of several sites' checks, when each was first seen, and which do not decide."""
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
        """Returns the checks of the site, removed ones included, that do not decide its state."""
        query = select(checks.c.key).where(checks.c.site_key == site_key, checks.c.counts.is_(False))
        async with self._database.read() as connection:
            return set((await connection.execute(query)).scalars())

    async def attributed(self, site_key: str, start: int, end: int) -> Sequence[AttributedSpan]:
        """Returns the outage incidents of a site that touch minutes [start, end), each with the side that counts."""
        async with self._database.read() as connection:
            return (await attributions.spans(connection, [site_key], start, end))[site_key]

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
        """Returns the newest samples of the span [start, end), oldest first.

        What is older than 48 hours has a sample a minute at most: its worst, without phases, its time within 3 %.
        """
        return await probed.newest_of_span(self._database, check_key, start, end, limit)

    async def latest(self) -> Mapping[str, Sample]:
        """Returns the newest sample of each check that is watched now; a check never probed is not there."""
        return await probed.newest_of_each(self._database)

    async def totals(self, start: int, end: int, site_key: str | None = None) -> Mapping[str, Totals]:
        """Returns how many minutes of [start, end) each check was in each state.

        A check of which the span knows nothing is not there. Whole days come from their summaries.
        """
        return await figures.totals_of_span(self._database, start, end, site_key)

    async def summaries(self, check_key: str, start_day: int, end_day: int) -> Sequence[DaySummary]:
        """Returns the summaries of a check's sealed days [start_day, end_day), oldest first."""
        return await figures.summaries_of(self._database, check_key, start_day, end_day)

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

    async def own_faults(self, start: datetime, end: datetime) -> Sequence[OwnFault]:
        """Returns the spans of own fault that touch [start, end), oldest first."""
        return await own_faults.spans(self._database, start, end)

    async def raw_from(self) -> int:
        """Returns the minute from which on every probe is kept; of sealed days before it the worst of each minute."""
        async with self._database.read() as connection:
            return await raw_from(connection)

    async def starts(self, start: datetime, end: datetime) -> Sequence[datetime]:
        """Returns when the watch was started within [start, end), oldest first."""
        query = (
            select(marks.c.at_us)
            .where(marks.c.key.startswith(WATCH_STARTED), marks.c.at_us >= start, marks.c.at_us < end)
            .order_by(marks.c.at_us)
        )
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def blips(self, check_keys: Collection[str], start: datetime, end: datetime) -> int:
        """Returns how many failures of these checks within [start, end) were gone when looked at again."""
        query = select(func.count()).where(
            text("kind = 'blip_recovered'"),  # in the words of the index
            events.c.subject.in_(check_keys),
            events.c.at_us >= start,
            events.c.at_us < end,
        )
        async with self._database.read() as connection:
            return (await connection.execute(query.select_from(events))).scalar_one()

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
