"""Since when an incident flaps: its re-openings are told no more."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE incidents ADD COLUMN flapping_us BIGINT")
