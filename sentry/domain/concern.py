"""A concern: something other than an outage that somebody must hear of, from when it began until it is mended.

Whoever watches for one publishes an event when it begins and one when it has ended; whatever follows from these
(incident, ticket, alert, resolution) is the same for all of them. Publishing the same one again changes nothing, so
a watcher may say at each look what it sees.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sentry.domain.events import Event, EventKind
from sentry.domain.severity import Severity

MOST_ITEMS = 100
MOST_CHARACTERS = 2_000
MOST_LEVELS = 4
"""Bounds of facts: names, records and details may be as many and as long as a hostile site likes."""


class ConcernKind(StrEnum):
    """Every kind of concern."""

    OWN_FAULT = "own_fault"
    RESOLVER = "resolver"
    DEGRADED = "degraded"
    CERTIFICATE = "certificate"
    DOMAIN = "domain"
    DNS_DRIFT = "dns_drift"
    BURN_RATE = "burn_rate"
    REQUEST_BUDGET = "request_budget"
    INFECTION = "infection"
    VULNERABILITY = "vulnerability"
    AUDIT_FINDINGS = "audit_findings"
    """What an audit found that somebody should look at, and that is nothing to frighten a client with."""
    AUDIT_LATE = "audit_late"
    SUSPENSION = "suspension"
    """A site that is closed while it is disinfected, for longer than anybody likes."""
    GROUP = "group"
    """Several sites that fail together: the one incident that is told for all of them."""


@dataclass(frozen=True, slots=True)
class Concern:
    """One concern.

    Attributes:
        key: what makes it the same one, `kind:subject`; at most one unresolved incident has it.
        site_key: the site that it is about, empty where it is about the agent itself: operators alone hear of that.
        client_key: whose site it is, empty for the agent.
        began_at: since when, aware UTC.
        facts: JSON values that its words are made of, by the names that the words use. Where the number `stage` among
            them rises, everybody is told anew, as of a date that comes nearer.
    """

    key: str
    kind: ConcernKind
    severity: Severity
    began_at: datetime
    site_key: str = ""
    client_key: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_of_agent(self) -> bool:
        """Whether it is about the agent itself and not about a site."""
        return not self.site_key

    def raised(self, at: datetime) -> Event:
        """Returns the event that says that it stands, also where its facts or its severity have changed."""
        data = {
            "kind": self.kind.value,
            "severity": self.severity.value,
            "began_at": self.began_at.isoformat(),
            "site_key": self.site_key,
            "client_key": self.client_key,
            "facts": _bounded(dict(self.facts)),
        }
        return Event(EventKind.CONCERN_RAISED, at, self.key, data)

    @classmethod
    def of(cls, event: Event) -> "Concern":
        """Returns the concern of a `CONCERN_RAISED` event."""
        data = event.data
        return cls(
            key=event.subject,
            kind=ConcernKind(data["kind"]),
            severity=Severity(data["severity"]),
            began_at=datetime.fromisoformat(data["began_at"]),
            site_key=data["site_key"],
            client_key=data["client_key"],
            facts=data["facts"],
        )


def stage_of(facts: Mapping[str, Any]) -> int:
    """Returns how far a concern has come, 0 where it has no stages."""
    stage = facts.get("stage")
    return stage if isinstance(stage, int) else 0


@dataclass(frozen=True, slots=True)
class ConcernTold:
    """A concern in a reader's language: what has happened, what it means, what to do, and the facts with labels."""

    headline: str
    meaning: str
    advice: str
    facts: tuple[tuple[str, str], ...] = ()


def cleared(key: str, at: datetime, ended_at: datetime, facts: Mapping[str, Any] | None = None) -> Event:
    """Returns the event that says that a concern has ended; nothing follows where none stands under this key.

    Args:
        key: of the concern.
        at: when that is known.
        ended_at: when it ended.
        facts: what the words of its end know besides or otherwise, e.g. the date of the new certificate.
    """
    return Event(
        EventKind.CONCERN_CLEARED, at, key, {"ended_at": ended_at.isoformat(), "facts": _bounded(dict(facts or {}))}
    )


def _bounded(value: Any, levels: int = MOST_LEVELS) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(value, str):
        return value[:MOST_CHARACTERS]
    if isinstance(value, list | tuple):
        return [_bounded(item, levels - 1) for item in value[:MOST_ITEMS]] if levels else []
    if isinstance(value, Mapping):
        items = list(value.items())[:MOST_ITEMS] if levels else []
        return {str(key)[:MOST_CHARACTERS]: _bounded(item, levels - 1) for key, item in items}
    return value
