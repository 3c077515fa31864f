"""An index of the minutes that budgets are about: those down or in maintenance, a few in a million."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ledger_runs_lapses ON ledger_runs (end_minute) WHERE state IN ('down', 'maintenance')")
