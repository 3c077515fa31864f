"""An incident: a problem that somebody is told of, from when it began until it has ended.

Most are outages of a site, from its first failed probe until its confirmed recovery, with a failure report. The
others are concerns: what is no outage but must be told, with the facts that its words are made of.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sentry.domain.concern import ConcernKind
from sentry.domain.failure_report import FailureReport
from sentry.domain.severity import Severity

REOPEN_WITHIN = timedelta(minutes=15)
"""A failure this soon after the recovery is the same incident and the same ticket (reference: Gatus, GoAlert)."""

WITHDRAWN = "check_withdrawn"
"""The entry of a check whose failure turned out to be the agent's own."""

_LEAVING = frozenset({"check_recovered", "check_removed", WITHDRAWN})

OUTAGE = "outage"
"""The kind of every incident that is no concern."""


class IncidentState(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of an incident's timeline."""

    at: datetime
    kind: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Member:
    """An incident that is part of another one, as far as that one's readers need it."""

    id: int
    site_key: str
    client_key: str
    severity: Severity
    state: IncidentState
    started_at: datetime
    recovered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident.

    Attributes:
        id: a small number that people can say on the phone.
        key: what makes it the same problem; at most one unresolved incident has it.
        site_key: empty, as is the client's, where it is about the agent itself, or a group of several sites.
        opening: 1 for the first opening, one more each time it is re-opened within 15 minutes.
        started_at: the first failed probe; detected_at: the confirmation; both aware UTC.
        checks_down: keys of the checks that are in a confirmed outage now; none for a concern.
        report: what failed; None for a concern.
        concern: what kind of concern it is; None for an outage.
        facts: of a concern, JSON values by the names that its words use.
        flapping_since: since when its re-openings are told no more; its end is told when it has been well for long.
        held_until: told at this instant unless it turns out to be part of another incident; None: not held.
        parent_id: the incident that is told in its stead: of the group that it is in, or of what it depends on.
        members: those whose parent it is, in the order of their numbers; a list of incidents leaves them out.
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
    report: FailureReport | None
    concern: ConcernKind | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None
    recovered_at: datetime | None = None
    ticket_number: int | None = None
    flapping_since: datetime | None = None
    held_until: datetime | None = None
    parent_id: int | None = None
    members: tuple[Member, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()

    @property
    def is_silent(self) -> bool:
        """Whether nobody is told of it by itself, not yet or not at all."""
        return self.held_until is not None or self.parent_id is not None

    @property
    def is_group(self) -> bool:
        """Whether it stands for several sites that fail together."""
        return self.concern is ConcernKind.GROUP

    @property
    def kind(self) -> str:
        """What it is: `outage`, or the kind of its concern."""
        return OUTAGE if self.concern is None else self.concern.value

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was none: the last of its checks failed by the agent's own fault, not by the site's."""
        left = (entry.kind for entry in reversed(self.timeline) if entry.kind in _LEAVING)
        return self.state is IncidentState.RESOLVED and next(left, "") == WITHDRAWN

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
