"""What happened, as values that travel from the watch through the outbox to every service that reacts to it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class EventKind(StrEnum):
    """Every event of the house."""

    FAILURE_SUSPECTED = "failure_suspected"
    BLIP_RECOVERED = "blip_recovered"
    OUTAGE_CONFIRMED = "outage_confirmed"
    OUTAGE_ENDED = "outage_ended"
    FAILURE_WITHDRAWN = "failure_withdrawn"
    DEGRADED_STARTED = "degraded_started"
    DEGRADED_ENDED = "degraded_ended"
    AGENT_FAULT = "agent_fault"
    CHANGE_SEEN = "change_seen"
    INCIDENT_OPENED = "incident_opened"
    INCIDENT_REOPENED = "incident_reopened"
    INCIDENT_UPDATED = "incident_updated"
    INCIDENT_RESOLVED = "incident_resolved"
    BUDGET_THRESHOLD = "budget_threshold"
    CONCERN_RAISED = "concern_raised"
    CONCERN_CLEARED = "concern_cleared"
    TICKET_CHANGED = "ticket_changed"


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        id: its place in the outbox, 0 until it is stored.
        at: when it happened, aware UTC.
        subject: what it is about: a check key, a site key, an incident id or the key of a concern, by kind.
        data: further facts, JSON values only.
    """

    kind: EventKind
    at: datetime
    subject: str
    data: dict[str, Any] = field(default_factory=dict)
    id: int = 0
