"""Security audits."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from sentry.store.columns import ForeignText, Instant
from sentry.store.schema.base import metadata

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
