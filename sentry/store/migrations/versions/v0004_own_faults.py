"""Spans in which failures were the agent's own."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE own_faults (
            began_us BIGINT NOT NULL,
            cause TEXT NOT NULL,
            ended_us BIGINT,
            evidence TEXT NOT NULL,
            CONSTRAINT own_faults_pkey PRIMARY KEY (began_us, cause),
            CONSTRAINT own_faults_span CHECK (ended_us >= began_us)
        )""")
