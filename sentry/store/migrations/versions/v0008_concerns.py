"""Incidents that are no outage: the kind of concern, and the facts that its words are made of."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE incidents ADD COLUMN concern TEXT")
    op.execute("ALTER TABLE incidents ADD COLUMN facts TEXT DEFAULT '{}' NOT NULL")
