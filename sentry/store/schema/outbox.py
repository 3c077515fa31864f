"""The outbox of events."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from sentry.store.columns import ForeignText, Instant
from sentry.store.schema.base import EVENT_ID, metadata

events = Table(
    "events",
    metadata,
    Column("id", EVENT_ID, primary_key=True, autoincrement=False),
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
    Column("event_id", EVENT_ID, ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
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
