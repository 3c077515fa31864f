"""Every table of the store. The migrations make them; a test holds both against each other.

Instants are microseconds since the epoch (`_us`), minutes are numbers since the epoch, states are short words that a
CHECK closes. What is read as a whole is one JSON document; what is searched or added up has its own column.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

from sentry.store.columns import ForeignText, Instant

HEAD = "0012"
"""The newest migration; a store that is there needs no Alembic to be opened."""

metadata = MetaData()

_EVENT_ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite's own row number, which is 64 bits wide


def _sample_columns() -> tuple[Column[Any], ...]:
    return (
        Column("status", SmallInteger, nullable=False),
        Column("reason", Text),
        Column("duration_us", BigInteger, nullable=False),
        *(Column(f"{phase}_us", BigInteger) for phase in ("dns", "connect", "tls", "processing", "transfer")),
    )


# ── what is watched, and what was seen ───────────────────────────────────────────────────────────────────────────

checks = Table(
    "checks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("site_key", Text, nullable=False),
    Column("first_seen_us", Instant, nullable=False),
    Column("removed_us", Instant),
    Column("counts", Boolean, nullable=False, server_default=true()),
    Index("checks_site", "site_key"),
)

samples = Table(
    "samples",
    metadata,
    # Clustered by the minute, so that all that is written now goes to the table's end, and within it by the check, so
    # that one check is found with a step a minute. No foreign key: it would cost a look-up a row.
    Column("minute", Integer, nullable=False),
    Column("check_id", Integer, nullable=False),
    Column("offset_ms", Integer, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    *_sample_columns(),
    PrimaryKeyConstraint("minute", "check_id", "offset_ms", "kind"),
    CheckConstraint("offset_ms BETWEEN 0 AND 59999", "offset"),
    CheckConstraint("kind BETWEEN 0 AND 2", "kind"),
    CheckConstraint("status BETWEEN 0 AND 3", "status"),
    sqlite_with_rowid=False,
)

newest_samples = Table(
    "newest_samples",
    metadata,
    Column("check_id", Integer, ForeignKey("checks.id"), primary_key=True, autoincrement=False),
    Column("minute", Integer, nullable=False),
    Column("offset_ms", Integer, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    *_sample_columns(),
)

sealed_days = Table(
    "sealed_days",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("through_check", Integer, nullable=False, server_default=text("0")),
    Column("done", Boolean, nullable=False, server_default=false()),
    Column("late", Boolean, nullable=False, server_default=false()),
)

day_summaries = Table(
    "day_summaries",
    metadata,
    Column("day", Integer, nullable=False),
    Column("check_id", Integer, nullable=False),
    *(Column(name, SmallInteger, nullable=False) for name in ("up", "down", "degraded", "maintenance")),
    Column("longest_down", SmallInteger, nullable=False),
    *(Column(name, Integer, nullable=False) for name in ("slots", "rechecks", "missed")),
    *(Column(f"probes_{name}", Integer, nullable=False) for name in ("up", "down", "degraded", "unknown")),
    *(Column(f"{name}_us", BigInteger) for name in ("sum", "min", "max", "p50", "p95", "p99")),
    PrimaryKeyConstraint("day", "check_id"),
    sqlite_with_rowid=False,
)

day_blobs = Table(
    "day_blobs",
    metadata,
    Column("day", Integer, nullable=False),
    Column("check_id", Integer, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    # With row numbers: without, SQLite would move most of each blob to a page of its own.
    PrimaryKeyConstraint("day", "check_id"),
)

failures = Table(
    "failures",
    metadata,
    Column("check_id", Integer, ForeignKey("checks.id"), nullable=False),
    Column("scheduled_us", Instant, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("result", Text, nullable=False),
    PrimaryKeyConstraint("check_id", "scheduled_us", "kind"),
)

health = Table(
    "health",
    metadata,
    Column("check_id", Integer, ForeignKey("checks.id"), primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
)

outages = Table(
    "outages",
    metadata,
    Column("check_id", Integer, ForeignKey("checks.id"), nullable=False),
    Column("started_us", Instant, nullable=False),
    Column("confirmed_us", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("failed_phase", Text),
    Column("detail", ForeignText, nullable=False),
    Column("ended_us", Instant),
    PrimaryKeyConstraint("check_id", "started_us"),
    CheckConstraint("ended_us >= started_us", "span"),
)

ledger_runs = Table(
    "ledger_runs",
    metadata,
    Column("check_id", Integer, ForeignKey("checks.id"), nullable=False),
    Column("start_minute", Integer, nullable=False),
    Column("end_minute", Integer, nullable=False),
    Column("state", Text, nullable=False),
    PrimaryKeyConstraint("check_id", "start_minute"),
    CheckConstraint("end_minute > start_minute", "span"),
    CheckConstraint("state IN ('up', 'down', 'degraded', 'maintenance')", "state"),
    Index(
        "ledger_runs_lapses",
        "end_minute",
        sqlite_where=text("state IN ('down', 'maintenance')"),
        postgresql_where=text("state IN ('down', 'maintenance')"),
    ),
    sqlite_with_rowid=False,
)

own_faults = Table(
    "own_faults",
    metadata,
    Column("began_us", Instant, nullable=False),
    Column("cause", Text, nullable=False),
    Column("ended_us", Instant),
    Column("evidence", Text, nullable=False),
    PrimaryKeyConstraint("began_us", "cause"),
    CheckConstraint("ended_us >= began_us", "span"),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("check_key", Text, primary_key=True),
    Column("at_us", Instant, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("text", ForeignText, nullable=False),
)

# ── the outbox of events ─────────────────────────────────────────────────────────────────────────────────────────

events = Table(
    "events",
    metadata,
    Column("id", _EVENT_ID, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("at_us", Instant, nullable=False),
    Column("subject", Text, nullable=False),
    Column("data", Text, nullable=False),
    Index(
        "events_changes",
        "subject",
        "at_us",
        sqlite_where=text("kind = 'change_seen'"),
        postgresql_where=text("kind = 'change_seen'"),
    ),
    Index(
        "events_blips",
        "subject",
        "at_us",
        sqlite_where=text("kind = 'blip_recovered'"),
        postgresql_where=text("kind = 'blip_recovered'"),
    ),
)

event_handlings = Table(
    "event_handlings",
    metadata,
    Column("handler", Text, nullable=False),
    Column("event_id", _EVENT_ID, ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_us", Instant),
    Column("error", ForeignText),
    PrimaryKeyConstraint("event_id", "handler"),
    CheckConstraint("state IN ('pending', 'done', 'given_up')", "state"),
    Index(
        "event_handlings_pending",
        "handler",
        "event_id",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    sqlite_with_rowid=False,
)

# ── incidents, tickets, deliveries ───────────────────────────────────────────────────────────────────────────────

incidents = Table(
    "incidents",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("site_key", Text, nullable=False),
    Column("client_key", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("opening", Integer, nullable=False),
    Column("started_us", Instant, nullable=False),
    Column("detected_us", Instant, nullable=False),
    Column("checks_down", Text, nullable=False),
    Column("report", Text, nullable=False),
    Column("acknowledged_us", Instant),
    Column("acknowledged_by", ForeignText),
    Column("resolved_us", Instant),
    Column("recovered_us", Instant),
    Column("ticket_number", Integer),
    Column("flapping_us", Instant),
    Column("held_us", Instant),
    Column("parent_id", Integer),
    Column("concern", Text),
    Column("facts", Text, nullable=False, server_default=text("'{}'")),
    CheckConstraint("severity IN ('SEV1', 'SEV2', 'SEV3', 'SEV4')", "severity"),
    CheckConstraint("state IN ('open', 'acknowledged', 'resolved')", "state"),
    CheckConstraint("opening >= 1", "opening"),
    Index(
        "incidents_one_unresolved",
        "key",
        unique=True,
        sqlite_where=text("state <> 'resolved'"),
        postgresql_where=text("state <> 'resolved'"),
    ),
    Index("incidents_key", "key", "id"),
    Index("incidents_parent", "parent_id", "id"),
    Index(
        "incidents_held",
        "held_us",
        sqlite_where=text("held_us IS NOT NULL"),
        postgresql_where=text("held_us IS NOT NULL"),
    ),
    Index("incidents_site", "site_key", "id"),
)

incident_timeline = Table(
    "incident_timeline",
    metadata,
    Column("incident_id", Integer, ForeignKey("incidents.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("at_us", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", ForeignText, nullable=False),
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("incident_id", "sequence"),
)

attributions = Table(
    "attributions",
    metadata,
    Column("incident_id", Integer, ForeignKey("incidents.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("at_us", Instant, nullable=False),
    Column("side", Text, nullable=False),
    Column("opening", Integer, nullable=False),
    Column("said_by", ForeignText, nullable=False),
    Column("basis", Text, nullable=False),
    Column("reason", ForeignText, nullable=False),
    PrimaryKeyConstraint("incident_id", "sequence"),
    CheckConstraint("side IN ('infrastructure', 'site', 'third_party', 'client', 'unknown')", "side"),
    Index("attributions_time", "at_us"),
)

tickets = Table(
    "tickets",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False, unique=True),
    Column("site_key", Text, nullable=False),
    Column("client_key", Text, nullable=False),
    Column("title", ForeignText, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_us", Instant, nullable=False),
    Index("tickets_state", "state", "number"),
)

ticket_entries = Table(
    "ticket_entries",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("ticket_number", Integer, ForeignKey("tickets.number"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("at_us", Instant, nullable=False),
    Column("author", ForeignText, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", ForeignText, nullable=False),
    Column("state", Text, nullable=False),
    Column("key", Text),
    Column("hash", Text, nullable=False),
    Column("seal", Text, nullable=False),
    UniqueConstraint("ticket_number", "sequence"),
    UniqueConstraint("ticket_number", "key"),
    CheckConstraint("visibility IN ('internal', 'public')", "visibility"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("key", Text, primary_key=True),
    Column("incident_id", Integer, nullable=False),
    Column("opening", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_us", Instant, nullable=False),
    Column("next_attempt_us", Instant, nullable=False),
    Column("expires_us", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_error", ForeignText),
    Column("sent_us", Instant),
    Column("fallback_of", Text),
    CheckConstraint("state IN ('pending', 'sent', 'dead', 'cancelled')", "state"),
    Index(
        "deliveries_pending",
        "next_attempt_us",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    Index("deliveries_incident", "incident_id"),
)

maintenance = Table(
    "maintenance",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("window_key", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("at_us", Instant, nullable=False),
    Column("author", ForeignText, nullable=False),
    Column("plan", Text),
    Column("joined_sites", Text, nullable=False),
    Column("left_sites", Text, nullable=False),
    UniqueConstraint("window_key", "sequence"),
)

# ── security audits ──────────────────────────────────────────────────────────────────────────────────────────────

audits = Table(
    "audits",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("site_key", Text, nullable=False),
    Column("began_us", Instant, nullable=False),
    Column("ended_us", Instant, nullable=False),
    Column("worst", Text),
    Column("counts", Text, nullable=False),
    Column("allowed", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    Column("gone", Integer, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("report", LargeBinary, nullable=False),
    Index("audits_site", "site_key", "number"),
    Index("audits_time", "ended_us"),
)

audit_findings = Table(
    "audit_findings",
    metadata,
    Column("number", Integer, ForeignKey("audits.number", ondelete="CASCADE"), nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("since_us", Instant, nullable=False),
    PrimaryKeyConstraint("number", "fingerprint"),
)

audit_allowances = Table(
    "audit_allowances",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("site_key", Text, nullable=False),
    Column("at_us", Instant, nullable=False),
    Column("entry", ForeignText),
    Column("withdraws", Integer, unique=True),
    Column("reason", ForeignText, nullable=False, server_default=text("''")),
    Column("author", ForeignText, nullable=False, server_default=text("''")),
    Index("audit_allowances_site", "site_key", "number"),
)

# ── the house's own books ────────────────────────────────────────────────────────────────────────────────────────

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
    Column("head", Text, nullable=False, server_default=text("''")),
)

due = Table(
    "due",
    metadata,
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("due_us", Instant, nullable=False),
    PrimaryKeyConstraint("kind", "subject"),
    Index("due_time", "due_us"),
)

marks = Table(
    "marks",
    metadata,
    Column("key", Text, primary_key=True),
    Column("at_us", Instant, nullable=False),
)

findings = Table(
    "findings",
    metadata,
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at_us", Instant, nullable=False),
    Column("facts", Text, nullable=False),
    PrimaryKeyConstraint("kind", "subject"),
)
