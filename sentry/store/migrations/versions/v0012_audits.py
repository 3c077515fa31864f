"""Security audits: the proof of each, since when each finding stands, and what was allowed."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    packed = "BYTEA" if op.get_bind().dialect.name == "postgresql" else "BLOB"
    op.execute(
        f"""
        CREATE TABLE audits (
            number INTEGER NOT NULL CONSTRAINT audits_pkey PRIMARY KEY,
            site_key TEXT NOT NULL,
            began_us BIGINT NOT NULL,
            ended_us BIGINT NOT NULL,
            worst TEXT,
            counts TEXT NOT NULL,
            allowed INTEGER NOT NULL,
            new INTEGER NOT NULL,
            gone INTEGER NOT NULL,
            files BIGINT NOT NULL,
            sha256 TEXT NOT NULL,
            report {packed} NOT NULL
        )"""
    )
    op.execute("CREATE INDEX audits_site ON audits (site_key, number)")
    op.execute("CREATE INDEX audits_time ON audits (ended_us)")
    op.execute(
        """
        CREATE TABLE audit_findings (
            number INTEGER NOT NULL,
            fingerprint TEXT NOT NULL,
            since_us BIGINT NOT NULL,
            CONSTRAINT audit_findings_pkey PRIMARY KEY (number, fingerprint),
            CONSTRAINT audit_findings_number_fkey FOREIGN KEY (number) REFERENCES audits (number) ON DELETE CASCADE
        )"""
    )
    op.execute(
        """
        CREATE TABLE audit_allowances (
            number INTEGER NOT NULL CONSTRAINT audit_allowances_pkey PRIMARY KEY,
            site_key TEXT NOT NULL,
            at_us BIGINT NOT NULL,
            entry TEXT,
            withdraws INTEGER CONSTRAINT audit_allowances_withdraws_key UNIQUE,
            reason TEXT NOT NULL DEFAULT '',
            author TEXT NOT NULL DEFAULT ''
        )"""
    )
    op.execute("CREATE INDEX audit_allowances_site ON audit_allowances (site_key, number)")
