"""Drops what is older than the policy says, in small bites, so that nobody waits long for the writer."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Delete, Table, and_, delete, exists, select, tuple_

from sentry.domain.day import MINUTES_PER_DAY
from sentry.domain.events import EventKind
from sentry.domain.incident import IncidentState
from sentry.domain.month import minute_of
from sentry.domain.retention import RetentionPolicy
from sentry.store.database import Database
from sentry.store.schema import (
    audits,
    day_blobs,
    day_summaries,
    deliveries,
    event_handlings,
    events,
    failures,
    incidents,
    samples,
    sealed_days,
)

BITE = 2_000
"""Rows dropped in one transaction: some 10 ms, against batches that come each second."""


class Retention:
    """Carries a retention policy out."""

    def __init__(self, database: Database) -> None:
        """Drops rows of the database."""
        self._database = database

    async def prune(self, policy: RetentionPolicy, now: datetime) -> Mapping[str, int]:
        """Drops every row that has outlived the policy; what somebody still owes is never dropped.

        Returns:
            How many rows went, by table.
        """
        first_day = minute_of(now - timedelta(days=policy.samples_days)) // MINUTES_PER_DAY
        # Nearly always there are none: what is 48 hours old went when its day was sealed.
        dropped = {"samples": await self._drop(samples, samples.c.minute < first_day * MINUTES_PER_DAY)}
        for table in (day_blobs, day_summaries, sealed_days):
            dropped[table.name] = await self._drop(table, table.c.day < first_day)
        dropped["failures"] = await self._drop(
            failures, failures.c.scheduled_us < now - timedelta(days=policy.failures_days)
        )
        dropped["events"] = await self._drop(
            events,
            _old_events(now - timedelta(days=policy.events_days), now - timedelta(days=policy.samples_days)),
        )
        dropped["deliveries"] = await self._drop(
            deliveries, _old_deliveries(now - timedelta(days=policy.deliveries_days))
        )
        dropped["audits"] = await self._drop(audits, _old_audits(now - timedelta(days=policy.audits_days)))
        return dropped

    async def _drop(self, table: Table, condition: ColumnElement[bool]) -> int:
        statement = _bite(table, condition)
        total = 0
        while True:
            async with self._database.write() as connection:
                count = (await connection.execute(statement)).rowcount
            total += count
            if count < BITE:
                return total


def _bite(table: Table, condition: ColumnElement[bool]) -> Delete:
    key: list[ColumnElement[Any]] = list(table.primary_key)
    return delete(table).where(tuple_(*key).in_(select(*key).where(condition).limit(BITE)))


def _old_events(before: datetime, blips_before: datetime) -> ColumnElement[bool]:
    """Blips are few and are counted in the report of their month, so they stay as long as its figures."""
    counted = and_(events.c.kind == EventKind.BLIP_RECOVERED.value, events.c.at_us >= blips_before)
    owed = exists().where(event_handlings.c.event_id == events.c.id, event_handlings.c.state == "pending")
    return and_(events.c.at_us < before, ~owed, ~counted)


def _old_deliveries(before: datetime) -> ColumnElement[bool]:
    """Those of an incident that lasts are kept: they say who was told, and so who must hear of its end."""
    lasts = exists().where(
        incidents.c.id == deliveries.c.incident_id, incidents.c.state != IncidentState.RESOLVED.value
    )
    return and_(deliveries.c.created_us < before, deliveries.c.state != "pending", ~lasts)


def _old_audits(before: datetime) -> ColumnElement[bool]:
    """The last of a site is kept: it says when the next one is due."""
    later = audits.alias("later")
    is_last = ~exists().where(later.c.site_key == audits.c.site_key, later.c.number > audits.c.number)
    return and_(audits.c.ended_us < before, ~is_last)
