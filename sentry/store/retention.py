"""Drops what is older than the policy says, in small bites, so that nobody waits long for the writer."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Delete, Table, and_, delete, exists, select, tuple_

from sentry.domain.incident import IncidentState
from sentry.domain.retention import RetentionPolicy
from sentry.store.columns import to_ms
from sentry.store.database import Database
from sentry.store.schema import checks, deliveries, event_handlings, events, failures, incidents, samples

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
        dropped = {"samples": 0}
        for check_id in await self._check_ids():
            condition = _old_samples(check_id, now - timedelta(days=policy.samples_days))
            dropped["samples"] += await self._drop(samples, condition)
        dropped["failures"] = await self._drop(
            failures, failures.c.scheduled_us < now - timedelta(days=policy.failures_days)
        )
        dropped["events"] = await self._drop(events, _old_events(now - timedelta(days=policy.events_days)))
        dropped["deliveries"] = await self._drop(
            deliveries, _old_deliveries(now - timedelta(days=policy.deliveries_days))
        )
        return dropped

    async def _check_ids(self) -> Iterable[int]:
        async with self._database.read() as connection:
            return list((await connection.execute(select(checks.c.id))).scalars())

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


def _old_samples(check_id: int, before: datetime) -> ColumnElement[bool]:
    """By check: the key begins with it, so each bite is one stretch of the table."""
    return and_(samples.c.check_id == check_id, samples.c.scheduled_ms < to_ms(before))


def _old_events(before: datetime) -> ColumnElement[bool]:
    owed = exists().where(event_handlings.c.event_id == events.c.id, event_handlings.c.state == "pending")
    return and_(events.c.at_us < before, ~owed)


def _old_deliveries(before: datetime) -> ColumnElement[bool]:
    """Those of an incident that lasts are kept: they say who was told, and so who must hear of its end."""
    lasts = exists().where(
        incidents.c.id == deliveries.c.incident_id, incidents.c.state != IncidentState.RESOLVED.value
    )
    return and_(deliveries.c.created_us < before, deliveries.c.state != "pending", ~lasts)
