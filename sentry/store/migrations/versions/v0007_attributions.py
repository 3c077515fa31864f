"""Whose side an incident was on: every word said of it, by the agent or by a person. Nothing of it is taken back."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLE = """
    CREATE TABLE attributions (
        incident_id INTEGER NOT NULL
            CONSTRAINT attributions_incident_id_fkey REFERENCES incidents (id),
        sequence INTEGER NOT NULL,
        at_us BIGINT NOT NULL,
        side TEXT NOT NULL CONSTRAINT attributions_side
            CHECK (side IN ('infrastructure', 'site', 'third_party', 'client', 'unknown')),
        opening INTEGER NOT NULL,
        said_by TEXT NOT NULL,
        basis TEXT NOT NULL,
        reason TEXT NOT NULL,
        CONSTRAINT attributions_pkey PRIMARY KEY (incident_id, sequence)
    )"""

_GUARDS = {
    "sqlite": (
        """
        CREATE TRIGGER attributions_keeps BEFORE UPDATE ON attributions
        BEGIN SELECT RAISE(ABORT, 'attributions is append-only'); END""",
        """
        CREATE TRIGGER attributions_stays BEFORE DELETE ON attributions
        BEGIN SELECT RAISE(ABORT, 'attributions is append-only'); END""",
    ),
    "postgresql": (
        """
        CREATE TRIGGER attributions_keeps BEFORE UPDATE OR DELETE ON attributions
        FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
        """
        CREATE TRIGGER attributions_stays BEFORE TRUNCATE ON attributions
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()""",
    ),
}


def upgrade() -> None:
    op.execute(_TABLE)
    op.execute("CREATE INDEX attributions_time ON attributions (at_us)")
    for guard in _GUARDS[op.get_context().dialect.name]:
        op.execute(guard)
