"""What was last found out about certificates and domains."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE findings (
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            at_us BIGINT NOT NULL,
            facts TEXT NOT NULL,
            CONSTRAINT findings_pkey PRIMARY KEY (kind, subject)
        )""")
