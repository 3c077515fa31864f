"""Concerns become incidents: one for each key while it stands, and from there tickets and alerts like any other.

Whoever watches may say the same thing at each look, and events come at least once: only what differs from the
incident as it stands changes anything. A concern that comes back within 15 minutes of its end is the same incident.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from sentry.domain.concern import Concern, ConcernKind, stage_of
from sentry.domain.events import Event, EventKind
from sentry.domain.incident import REOPEN_WITHIN, Incident, IncidentState, TimelineEntry
from sentry.ports import IncidentStore, Telemetry

_log = structlog.get_logger()

REOPEN_WITHIN_OF = {ConcernKind.INFECTION: timedelta(days=8)}
"""Kinds that come back later than others: code that is there again a week after its cleaning had a way in left."""

NOTED_EVERY = timedelta(minutes=5)
"""Facts that keep changing (how slow, how many) are taken each time, and noted in the timeline this often."""


class Concerns:
    """Opens, updates, re-opens and resolves the incidents of concerns.

    Args:
        incidents: where they are kept.
        changing: held by whoever changes an incident; the same as that of `Incidents`.
    """

    def __init__(self, incidents: IncidentStore, changing: asyncio.Lock, telemetry: Telemetry) -> None:
        self._incidents = incidents
        self._changing = changing
        self._telemetry = telemetry
        self._reactions: dict[EventKind, Callable[[Event], Awaitable[None]]] = {
            EventKind.CONCERN_RAISED: self._raised,
            EventKind.CONCERN_CLEARED: self._cleared,
        }

    async def handle(self, event: Event) -> None:
        """Reacts to a concern that was raised or cleared; repeating it changes nothing."""
        reaction = self._reactions.get(event.kind)
        if reaction is not None:
            async with self._changing:
                await reaction(event)

    async def _raised(self, event: Event) -> None:
        concern = Concern.of(event)
        standing = await self._incidents.unresolved(concern.key)
        if standing is not None:
            await self._update(standing, concern, event.at)
            return
        latest = await self._incidents.latest(concern.key)
        if latest is not None and _is_back(latest, concern, event.at):
            await self._reopen(latest, concern, event.at)
        else:
            await self._open(concern, event.at)

    async def _open(self, concern: Concern, at: datetime) -> None:
        incident = Incident(
            id=0,
            key=concern.key,
            site_key=concern.site_key,
            client_key=concern.client_key,
            severity=concern.severity,
            state=IncidentState.OPEN,
            opening=1,
            started_at=min(concern.began_at, at),
            detected_at=at,
            checks_down=frozenset(),
            report=None,
            concern=concern.kind,
            facts=concern.facts,
            timeline=(_entry(at, "raised", "noticed", concern.facts),),
        )
        opened = await self._incidents.open(incident, [Event(EventKind.INCIDENT_OPENED, at, "")])
        self._telemetry.count("concerns_total", kind=concern.kind)
        _log.info("concern raised", incident=opened.id, concern=concern.key, severity=concern.severity)

    async def _reopen(self, latest: Incident, concern: Concern, at: datetime) -> None:
        again = replace(
            latest,
            severity=concern.severity,
            state=IncidentState.OPEN,
            opening=latest.opening + 1,
            facts=concern.facts,
            acknowledged_at=None,
            acknowledged_by=None,
            resolved_at=None,
            recovered_at=None,
        )
        event = Event(EventKind.INCIDENT_REOPENED, at, str(again.id), {"opening": again.opening})
        await self._incidents.save(again, [_entry(at, "raised_again", "noticed again", concern.facts)], [event])

    async def _update(self, standing: Incident, concern: Concern, at: datetime) -> None:
        severity = min(standing.severity, concern.severity)
        worse = severity != standing.severity
        if not worse and standing.facts == concern.facts:
            return
        if stage_of(concern.facts) > stage_of(standing.facts):
            await self._tell_anew(replace(standing, severity=severity), concern, at)
            return
        entries = []
        if worse:
            worsened = _entry(at, "worse", f"worse: {standing.severity} → {severity}", concern.facts)
            entries = [replace(worsened, data={**worsened.data, "severity": severity.value})]
        elif not _was_noted_since(standing, at - NOTED_EVERY):
            entries = [_entry(at, "changed", "still lasts", concern.facts)]
        changed = replace(standing, severity=severity, facts=concern.facts)
        data = {"opening": standing.opening, "added": "severity" if worse else "facts"}
        events = [Event(EventKind.INCIDENT_UPDATED, at, str(standing.id), data)] if entries else []
        await self._incidents.save(changed, entries, events)

    async def _tell_anew(self, standing: Incident, concern: Concern, at: datetime) -> None:
        """Has everybody told of a next stage, also who knows of the one before."""
        told = replace(standing, opening=standing.opening + 1, facts=concern.facts)
        event = Event(EventKind.INCIDENT_REOPENED, at, str(told.id), {"opening": told.opening})
        await self._incidents.save(told, [_entry(at, "next_stage", "next stage", concern.facts)], [event])

    async def _cleared(self, event: Event) -> None:
        standing = await self._incidents.unresolved(event.subject)
        if standing is None:
            return
        ended_at = max(datetime.fromisoformat(event.data["ended_at"]), standing.started_at)
        facts = {**standing.facts, **event.data.get("facts", {})}
        over = replace(
            standing, state=IncidentState.RESOLVED, resolved_at=event.at, recovered_at=ended_at, facts=facts
        )
        entry = _entry(event.at, "resolved", "over", event.data.get("facts", {}))
        resolved = Event(EventKind.INCIDENT_RESOLVED, event.at, str(over.id), {"opening": over.opening})
        await self._incidents.save(over, [entry], [resolved])
        _log.info("concern cleared", incident=over.id, concern=over.key)


def _is_back(latest: Incident, concern: Concern, at: datetime) -> bool:
    """Whether it is the former problem: one that began anew soon after the end, or was never really over."""
    ended_at = latest.recovered_at
    if ended_at is None:
        return False
    back_at = concern.began_at if concern.began_at > ended_at else at
    return back_at < ended_at + REOPEN_WITHIN_OF.get(concern.kind, REOPEN_WITHIN)


def _was_noted_since(incident: Incident, instant: datetime) -> bool:
    return any(entry.at > instant for entry in incident.timeline if "facts" in entry.data)


def _entry(at: datetime, kind: str, text: str, facts: Mapping[str, Any]) -> TimelineEntry:
    return TimelineEntry(at, kind, text, {"facts": dict(facts)})
