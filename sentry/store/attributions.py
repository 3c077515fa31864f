"""Whose side incidents were on: every word of it, append-only, and the spans of minutes that the budget asks for."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.errors import NotFound
from sentry.domain.failure_report import Attribution
from sentry.domain.incident import Incident, TimelineEntry
from sentry.domain.month import minute_of
from sentry.domain.responsibility import AGENT, AttributedSpan, AttributionEntry, standing_side
from sentry.store.columns import from_us
from sentry.store.database import Database
from sentry.store.incident_rows import entry_row
from sentry.store.schema import attributions, incident_timeline, incidents

FAR_MINUTE = 2**31 - 1
"""Where the span of an incident that lasts ends."""


class StoredAttributions:
    """Fills the `AttributionBook` port."""

    def __init__(self, database: Database) -> None:
        """Reads and appends to the database."""
        self._database = database

    async def history(self, incident_id: int) -> Sequence[AttributionEntry]:
        """Returns every word said of an incident, oldest first."""
        query = (
            select(attributions)
            .where(attributions.c.incident_id == incident_id)
            .order_by(attributions.c.incident_id, attributions.c.sequence)
        )
        async with self._database.read() as connection:
            return [_entry_of(row) for row in await connection.execute(query)]

    async def append(self, incident_id: int, entry: AttributionEntry, told: TimelineEntry) -> None:
        """Adds a word, and a line to the incident's timeline, in one transaction.

        Raises:
            NotFound: there is no such incident.
        """
        async with self._database.write() as connection:
            known = select(incidents.c.id).where(incidents.c.id == incident_id)
            if (await connection.execute(known)).scalar() is None:
                raise NotFound(f"there is no incident {incident_id}")
            await _append(connection, incident_id, entry)
            place = select(func.coalesce(func.max(incident_timeline.c.sequence), 0) + 1).where(
                incident_timeline.c.incident_id == incident_id
            )
            sequence = (await connection.execute(place)).scalar_one()
            await connection.execute(insert(incident_timeline), entry_row(incident_id, sequence, told))


async def guess(connection: AsyncConnection, incident: Incident) -> None:
    """Adds the agent's own guess, within a writing transaction, where its report says another than before.

    A concern has no report: it is no outage, and on nobody's side.
    """
    report = incident.report
    if report is None:
        return
    newest = (
        select(attributions.c.side, attributions.c.basis, attributions.c.opening)
        .where(attributions.c.incident_id == incident.id, attributions.c.reason == "")
        .order_by(attributions.c.sequence.desc())
        .limit(1)
    )
    said = (report.attribution.value, report.attribution_basis, incident.opening)
    before = (await connection.execute(newest)).one_or_none()
    if before is None or tuple(before) != said:
        known_at = incident.detected_at if incident.opening == 1 else report.failed.scheduled_at
        at = known_at if report.evidence is None else max(known_at, report.evidence.collected_at)
        entry = AttributionEntry(at, report.attribution, incident.opening, AGENT, report.attribution_basis)
        await _append(connection, incident.id, entry)


async def spans(
    connection: AsyncConnection, site_keys: Collection[str], start: int, end: int
) -> Mapping[str, Sequence[AttributedSpan]]:
    """Returns, by site, the outage incidents that touch minutes [start, end), each with the side that counts.

    An incident of before there were attributions is on no side.
    """
    found: dict[str, list[AttributedSpan]] = {key: [] for key in site_keys}
    of: dict[int, list[AttributionEntry]] = {}
    span = {"sites": list(site_keys), "start": _instant(start), "end": _instant(end)}
    touching = (await connection.execute(_TOUCHING, span)).all()
    for place in range(0, len(touching), READ_AT_ONCE):
        ids = [row.id for row in touching[place : place + READ_AT_ONCE]]
        for row in await connection.execute(_SAID, {"ids": ids}):
            of.setdefault(row.incident_id, []).append(_entry_of(row))
    for row in touching:
        last = FAR_MINUTE if row.recovered_us is None else minute_of(row.recovered_us) + 1
        side = standing_side(of.get(row.id, ()))
        found[row.site_key].append(AttributedSpan(row.id, minute_of(row.started_us), last, side))
    return found


READ_AT_ONCE = 500
"""Incidents named in one query."""


async def marks(connection: AsyncConnection, since: int) -> Mapping[str, Hashable]:
    """Returns a mark for each site of whose incidents something was said after a minute."""
    query = (
        select(incidents.c.site_key, func.count(), func.max(attributions.c.at_us))
        .join(incidents, incidents.c.id == attributions.c.incident_id)
        .where(attributions.c.at_us > _instant(since))
        .group_by(incidents.c.site_key)
    )
    return {site_key: tuple(mark) for site_key, *mark in await connection.execute(query)}


async def _append(connection: AsyncConnection, incident_id: int, entry: AttributionEntry) -> None:
    place = select(func.coalesce(func.max(attributions.c.sequence), 0) + 1).where(
        attributions.c.incident_id == incident_id
    )
    sequence = (await connection.execute(place)).scalar_one()
    row = {
        "incident_id": incident_id,
        "sequence": sequence,
        "at_us": entry.at,
        "side": entry.side.value,
        "opening": entry.opening,
        "said_by": entry.by,
        "basis": entry.basis,
        "reason": entry.reason,
    }
    await connection.execute(insert(attributions), row)


def _entry_of(row: Row[*tuple[Any, ...]]) -> AttributionEntry:
    return AttributionEntry(row.at_us, Attribution(row.side), row.opening, row.said_by, row.basis, row.reason)


def _instant(minute: int) -> datetime:
    return from_us(minute * 60_000_000)


_TOUCHING = (
    select(incidents.c.id, incidents.c.site_key, incidents.c.started_us, incidents.c.recovered_us)
    .where(
        incidents.c.site_key.in_(bindparam("sites", expanding=True)),
        incidents.c.key == incidents.c.site_key,
        incidents.c.started_us < bindparam("end"),
        or_(incidents.c.recovered_us.is_(None), incidents.c.recovered_us >= bindparam("start")),
    )
    .order_by(incidents.c.id)
)
_SAID = (
    select(attributions)
    .where(attributions.c.incident_id.in_(bindparam("ids", expanding=True)))
    .order_by(attributions.c.incident_id, attributions.c.sequence)
)
