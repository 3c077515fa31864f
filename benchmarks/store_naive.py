"""The peer: a row for each sample in plain SQLite, found by site and time. What most monitors keep."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.store_build import Sites
from sentry.ports import SampleKind
from sentry.store.samples import SampleRow, sample_row

_TABLE = """
    CREATE TABLE samples (
        check_id INTEGER, scheduled_ms INTEGER, kind INTEGER, status INTEGER, reason TEXT, duration_us INTEGER,
        dns_us INTEGER, connect_us INTEGER, tls_us INTEGER, processing_us INTEGER, transfer_us INTEGER,
        PRIMARY KEY (check_id, scheduled_ms, kind)
    ) WITHOUT ROWID"""
_MONTH = """
    SELECT check_id, count(*), sum(status = 0), sum(status = 1), sum(status = 2), sum(duration_us)
    FROM samples WHERE {where} scheduled_ms >= ? AND scheduled_ms < ? GROUP BY check_id"""


class NaiveStore:
    """Written and read without any of the agent's code; the same PRAGMAs as the agent's."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._connection = sqlite3.connect(file, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 4096"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute(_TABLE)

    def write(self, rows: Iterable[SampleRow]) -> None:
        """Writes a batch in one transaction."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(
            "INSERT OR IGNORE INTO samples VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(row[1], row[0] * 60_000 + row[2], *row[3:]) for row in rows],
        )
        self._connection.execute("COMMIT")

    def fill(self, sites: Sites, count: int, first: int, minutes: int) -> None:
        """Writes so many minutes of some sites."""
        for site in sites.all[:count]:
            self.write(
                sample_row(site.number, sites.result(site, minute), SampleKind.SLOT)
                for minute in range(first, first + minutes)
            )

    def month(self, first: int, end: int, number: int | None = None) -> Sequence[tuple[int, ...]]:
        """Counts the samples of each state in the minutes [first, end), of one site or of all."""
        where = "" if number is None else f"check_id = {number} AND"
        return self._connection.execute(_MONTH.format(where=where), (first * 60_000, end * 60_000)).fetchall()

    def bytes(self) -> int:
        """Returns how large its file is."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return self.file.stat().st_size

    def close(self) -> None:
        """Closes it."""
        self._connection.close()
