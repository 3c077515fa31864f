"""Every table of the store. The migrations make them; a test holds both against each other.

Instants are microseconds since the epoch (`_us`), minutes are numbers since the epoch, states are short words that a
CHECK closes. What is read as a whole is one JSON document; what is searched or added up has its own column.
"""

from sentry.store.schema.audits import audit_allowances, audit_findings, audits
from sentry.store.schema.base import metadata
from sentry.store.schema.books import counters, due, findings, marks
from sentry.store.schema.cases import (
    attributions,
    deliveries,
    incident_timeline,
    incidents,
    maintenance,
    ticket_entries,
    tickets,
)
from sentry.store.schema.outbox import event_handlings, events
from sentry.store.schema.watching import (
    checks,
    day_blobs,
    day_summaries,
    failures,
    health,
    heartbeats,
    ledger_runs,
    newest_samples,
    outages,
    own_faults,
    samples,
    sealed_days,
)

HEAD = "0012"
"""The newest migration; a store that is there needs no Alembic to be opened."""

__all__ = [
    "HEAD",
    "attributions",
    "audit_allowances",
    "audit_findings",
    "audits",
    "checks",
    "counters",
    "day_blobs",
    "day_summaries",
    "deliveries",
    "due",
    "event_handlings",
    "events",
    "failures",
    "findings",
    "health",
    "heartbeats",
    "incident_timeline",
    "incidents",
    "ledger_runs",
    "maintenance",
    "marks",
    "metadata",
    "newest_samples",
    "outages",
    "own_faults",
    "samples",
    "sealed_days",
    "ticket_entries",
    "tickets",
]
