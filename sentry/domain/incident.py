"""An incident: a confirmed problem of one site, from its first failed probe until its confirmed recovery."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sentry.domain.failure_report import FailureReport

REOPEN_WITHIN = timedelta(minutes=15)
"""A failure this soon after the recovery is the same incident and the same ticket (reference: Gatus, GoAlert)."""


class IncidentState(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """How bad it is. SEV1 wakes somebody at once; SEV4 can wait for office hours."""

    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of an incident's timeline."""

    at: datetime
    kind: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident.

    Attributes:
        id: a small number that people can say on the phone.
        key: what makes it the same problem; at most one unresolved incident has it.
        opening: 1 for the first opening, one more each time it is re-opened within 15 minutes.
        started_at: the first failed probe; detected_at: the confirmation; both aware UTC.
        checks_down: keys of the checks that are in a confirmed outage now.
        flapping_since: since when its re-openings are told no more; its end is told when it has been well for long.
    """

    id: int
    key: str
    site_key: str
    client_key: str
    severity: Severity
    state: IncidentState
    opening: int
    started_at: datetime
    detected_at: datetime
    checks_down: frozenset[str]
    report: FailureReport
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None
    recovered_at: datetime | None = None
    ticket_number: int | None = None
    flapping_since: datetime | None = None
    timeline: tuple[TimelineEntry, ...] = ()

    @property
    def time_to_detect(self) -> timedelta:
        """From the first failed probe to the confirmation."""
        return self.detected_at - self.started_at

    @property
    def time_to_acknowledge(self) -> timedelta | None:
        """From the confirmation to the acknowledgement, None while there is none."""
        return None if self.acknowledged_at is None else self.acknowledged_at - self.detected_at

    @property
    def time_to_resolve(self) -> timedelta | None:
        """From the first failed probe to the first probe of the confirmed recovery, None while it lasts."""
        return None if self.recovered_at is None else self.recovered_at - self.started_at
