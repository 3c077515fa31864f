"""An index of the failures that were gone when looked at again, for the report of a month."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX events_blips ON events (subject, at_us) WHERE kind = 'blip_recovered'")
