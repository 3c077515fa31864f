"""Flapping: an incident that re-opens again and again is told once more, and its end only when it has been quiet."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sentry.domain.incident import Incident, TimelineEntry

REOPENED = "reopened"
"""The kind of a timeline's entry that stands for one re-opening."""

WITHIN = timedelta(hours=1)
"""Re-openings further apart than this are problems of their own."""


def begins_to_flap(timeline: Iterable[TimelineEntry], at: datetime, limit: int) -> bool:
    """Returns whether an incident flaps that is re-opened now.

    Args:
        timeline: of the incident, without this re-opening.
        at: when it is re-opened.
        limit: so many re-openings within an hour, this one included, are flapping; 0: none ever are.
    """
    earlier = sum(entry.kind == REOPENED and entry.at > at - WITHIN for entry in timeline)
    return 0 < limit <= earlier + 1


def quiet_since(incident: Incident) -> datetime | None:
    """Returns since when a flapping incident that is not resolved has been well, None where it is not."""
    settling = incident.flapping_since is not None and incident.resolved_at is None and not incident.checks_down
    return incident.recovered_at if settling else None
