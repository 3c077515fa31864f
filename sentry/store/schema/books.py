"""The house's own books."""

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Table, Text, text

from sentry.store.columns import Instant
from sentry.store.schema.base import metadata

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
