"""Incidents and their timelines as rows."""

from typing import Any

from sqlalchemy import Row

from sentry.domain.concern import ConcernKind
from sentry.domain.incident import Incident, IncidentState, Member, TimelineEntry
from sentry.domain.severity import Severity
from sentry.store.documents import FACTS, KEYS, REPORT


def incident_row(incident: Incident) -> dict[str, Any]:
    """Returns the row of an incident, without its timeline."""
    return {
        "id": incident.id,
        "key": incident.key,
        "site_key": incident.site_key,
        "client_key": incident.client_key,
        "severity": incident.severity.value,
        "state": incident.state.value,
        "opening": incident.opening,
        "started_us": incident.started_at,
        "detected_us": incident.detected_at,
        "checks_down": KEYS.dump(incident.checks_down),
        "report": REPORT.dump(incident.report),
        "acknowledged_us": incident.acknowledged_at,
        "acknowledged_by": incident.acknowledged_by,
        "resolved_us": incident.resolved_at,
        "recovered_us": incident.recovered_at,
        "ticket_number": incident.ticket_number,
        "flapping_us": incident.flapping_since,
        "held_us": incident.held_until,
        "parent_id": incident.parent_id,
        "concern": incident.concern.value if incident.concern else None,
        "facts": FACTS.dump(dict(incident.facts)),
    }


def incident_of(row: Row[*tuple[Any, ...]]) -> Incident:
    """Returns the incident of a row, without its timeline.

    Raises:
        StoreError: the row is damaged.
    """
    name = f"incident {row.id}"
    return Incident(
        id=row.id,
        key=row.key,
        site_key=row.site_key,
        client_key=row.client_key,
        severity=Severity(row.severity),
        state=IncidentState(row.state),
        opening=row.opening,
        started_at=row.started_us,
        detected_at=row.detected_us,
        checks_down=KEYS.load(row.checks_down, name),
        report=REPORT.load(row.report, name),
        concern=ConcernKind(row.concern) if row.concern else None,
        facts=FACTS.load(row.facts, name),
        acknowledged_at=row.acknowledged_us,
        acknowledged_by=row.acknowledged_by,
        resolved_at=row.resolved_us,
        recovered_at=row.recovered_us,
        ticket_number=row.ticket_number,
        flapping_since=row.flapping_us,
        held_until=row.held_us,
        parent_id=row.parent_id,
    )


def member_of(row: Row[*tuple[Any, ...]]) -> Member:
    """Returns what a parent knows of the incident of a row."""
    return Member(
        id=row.id,
        site_key=row.site_key,
        client_key=row.client_key,
        severity=Severity(row.severity),
        state=IncidentState(row.state),
        started_at=row.started_us,
        recovered_at=row.recovered_us,
    )


def entry_row(incident_id: int, sequence: int, entry: TimelineEntry) -> dict[str, Any]:
    """Returns the row of a timeline entry."""
    return {
        "incident_id": incident_id,
        "sequence": sequence,
        "at_us": entry.at,
        "kind": entry.kind,
        "text": entry.text,
        "data": FACTS.dump(entry.data),
    }


def entry_of(row: Row[*tuple[Any, ...]]) -> TimelineEntry:
    """Returns the timeline entry of a row.

    Raises:
        StoreError: the row is damaged.
    """
    name = f"timeline of incident {row.incident_id}, entry {row.sequence}"
    return TimelineEntry(row.at_us, row.kind, row.text, FACTS.load(row.data, name))
