"""Maintenance windows: every word that was said of one, and none is ever rewritten."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE maintenance (
            position INTEGER NOT NULL CONSTRAINT maintenance_pkey PRIMARY KEY,
            window_key TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            at_us BIGINT NOT NULL,
            author TEXT NOT NULL,
            plan TEXT,
            joined_sites TEXT NOT NULL,
            left_sites TEXT NOT NULL,
            CONSTRAINT maintenance_window_key_sequence_key UNIQUE (window_key, sequence)
        )"""
    )
