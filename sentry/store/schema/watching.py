"""What is watched, and what was seen."""

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
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    false,
    text,
    true,
)

from sentry.store.columns import ForeignText, Instant
from sentry.store.schema.base import metadata


def _sample_columns() -> tuple[Column[Any], ...]:
    return (
        Column("status", SmallInteger, nullable=False),
        Column("reason", Text),
        Column("duration_us", BigInteger, nullable=False),
        *(Column(f"{phase}_us", BigInteger) for phase in ("dns", "connect", "tls", "processing", "transfer")),
    )


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
