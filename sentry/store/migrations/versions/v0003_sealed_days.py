"""Samples by the minute for 48 hours, and days that are sealed: a summary and a blob for each check.

The samples that are there move to the new table; the next nights seal them.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WORDS = {
    "sqlite": {"clustered": "WITHOUT ROWID", "binary": "BLOB"},
    "postgresql": {"clustered": "", "binary": "BYTEA"},
}

_SAMPLE = """
        status SMALLINT NOT NULL CONSTRAINT {name}_status CHECK (status BETWEEN 0 AND 3),
        reason TEXT,
        duration_us BIGINT NOT NULL,
        dns_us BIGINT,
        connect_us BIGINT,
        tls_us BIGINT,
        processing_us BIGINT,
        transfer_us BIGINT"""

_FIGURES = "status, reason, duration_us, dns_us, connect_us, tls_us, processing_us, transfer_us"

_STATEMENTS = (
    "ALTER TABLE samples RENAME TO samples_by_check",
    "CREATE TABLE samples ("
    """
        minute INTEGER NOT NULL,
        check_id INTEGER NOT NULL,
        offset_ms INTEGER NOT NULL CONSTRAINT samples_offset CHECK (offset_ms BETWEEN 0 AND 59999),
        kind SMALLINT NOT NULL CONSTRAINT samples_kind CHECK (kind BETWEEN 0 AND 2),"""
    + _SAMPLE.format(name="samples")
    + """,
        CONSTRAINT samples_minute_pkey PRIMARY KEY (minute, check_id, offset_ms, kind)
    ) {clustered}""",
    # Whole numbers are cut towards zero; there are no samples of before 1970.
    """
    INSERT INTO samples (minute, check_id, offset_ms, kind, {figures})
    SELECT scheduled_ms / 60000, check_id, scheduled_ms % 60000, kind, {figures}
    FROM samples_by_check WHERE scheduled_ms >= 0 ORDER BY 1, 2, 3, 4""",
    """
    CREATE TABLE newest_samples (
        check_id INTEGER NOT NULL CONSTRAINT newest_samples_pkey PRIMARY KEY REFERENCES checks (id),
        minute INTEGER NOT NULL,
        offset_ms INTEGER NOT NULL,
        kind SMALLINT NOT NULL,"""
    + _SAMPLE.format(name="newest_samples")
    + """
    )""",
    """
    INSERT INTO newest_samples (check_id, minute, offset_ms, kind, {figures})
    SELECT check_id, scheduled_ms / 60000, scheduled_ms % 60000, kind, {figures}
    FROM (
        SELECT *, row_number() OVER (PARTITION BY check_id ORDER BY scheduled_ms DESC, kind DESC) AS place
        FROM samples_by_check WHERE scheduled_ms >= 0
    ) AS ranked
    WHERE place = 1""",
    "DROP TABLE samples_by_check",
    """
    CREATE TABLE sealed_days (
        day INTEGER NOT NULL CONSTRAINT sealed_days_pkey PRIMARY KEY,
        through_check INTEGER NOT NULL DEFAULT 0,
        done BOOLEAN DEFAULT false NOT NULL,
        late BOOLEAN DEFAULT false NOT NULL
    )""",
    """
    CREATE TABLE day_summaries (
        day INTEGER NOT NULL,
        check_id INTEGER NOT NULL,
        up SMALLINT NOT NULL,
        down SMALLINT NOT NULL,
        degraded SMALLINT NOT NULL,
        maintenance SMALLINT NOT NULL,
        longest_down SMALLINT NOT NULL,
        slots INTEGER NOT NULL,
        rechecks INTEGER NOT NULL,
        missed INTEGER NOT NULL,
        probes_up INTEGER NOT NULL,
        probes_down INTEGER NOT NULL,
        probes_degraded INTEGER NOT NULL,
        probes_unknown INTEGER NOT NULL,
        sum_us BIGINT,
        min_us BIGINT,
        max_us BIGINT,
        p50_us BIGINT,
        p95_us BIGINT,
        p99_us BIGINT,
        CONSTRAINT day_summaries_pkey PRIMARY KEY (day, check_id)
    ) {clustered}""",
    """
    CREATE TABLE day_blobs (
        day INTEGER NOT NULL,
        check_id INTEGER NOT NULL,
        blob {binary} NOT NULL,
        CONSTRAINT day_blobs_pkey PRIMARY KEY (day, check_id)
    )""",
    "INSERT INTO counters (name, value) VALUES ('raw_from', 0)",
)


def upgrade() -> None:
    words = _WORDS[op.get_context().dialect.name]
    for statement in _STATEMENTS:
        op.execute(statement.format(**words, figures=_FIGURES))
