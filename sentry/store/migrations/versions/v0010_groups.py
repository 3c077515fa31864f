"""Incidents that are part of another one, and those that wait to be told until it is known whether they are."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE incidents ADD COLUMN held_us BIGINT")
    op.execute("ALTER TABLE incidents ADD COLUMN parent_id INTEGER")
    op.execute("CREATE INDEX incidents_parent ON incidents (parent_id, id)")
    op.execute("CREATE INDEX incidents_held ON incidents (held_us) WHERE held_us IS NOT NULL")
