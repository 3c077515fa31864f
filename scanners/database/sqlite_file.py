"""A site's SQLite database: copied under a name of our own, read, and deleted."""

import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from scanners.database.session import STATEMENT_S, DatabaseRefused, Row
from sentry.domain.errors import HostError, HostLost
from sentry.ports.hosts import Host

MAX_BYTES = 120_000_000
STEPS_BETWEEN_LOOKS = 20_000
_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_HARMFUL = frozenset({"load_extension", "readfile", "writefile", "fts3_tokenizer"})


class SqliteDatabase:
    """Fills `Database` by a copy of the file, which may be an attacker's: nothing but reading is let through.

    Args:
        host: where the file is.
        path: of the file, absolute.
        monotonic: the clock's.

    Raises:
        DatabaseRefused: it cannot be read, or is no such file.
        HostLost: the link broke.
    """

    is_sqlite = True
    way = "from a copy of its file"

    def __init__(self, host: Host, path: bytes, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._ends = 0.0
        self._folder = tempfile.TemporaryDirectory(prefix="online-sentry-")
        try:
            copy = self._copied(host, path)
            self._connection = sqlite3.connect(copy, isolation_level=None)
            self._connection.text_factory = bytes
            self._connection.execute("PRAGMA trusted_schema = OFF")
            self._connection.execute("PRAGMA query_only = ON")
            self._connection.set_authorizer(_authorized)
            self._connection.set_progress_handler(self._is_late, STEPS_BETWEEN_LOOKS)
            self.rows(("COUNT(*)",), "FROM sqlite_master")
        except (sqlite3.Error, DatabaseRefused, HostError, OSError) as error:
            self._folder.cleanup()
            if isinstance(error, HostLost | DatabaseRefused):
                raise
            raise DatabaseRefused(str(error)[:300]) from error

    def rows(self, columns: Sequence[str], rest: str) -> Sequence[Row]:
        """Returns what is selected; see `Database`."""
        self._ends = self._monotonic() + STATEMENT_S
        try:
            found = self._connection.execute(f"SELECT {', '.join(columns)} {rest}").fetchall()  # ours
        except sqlite3.Error as error:
            raise DatabaseRefused(str(error)[:300]) from error
        return [tuple(_bytes(value) for value in row) for row in found]

    def close(self) -> None:
        """Deletes the copy."""
        self._connection.close()
        self._folder.cleanup()

    def _copied(self, host: Host, path: bytes) -> Path:
        copy = Path(self._folder.name) / "copy"
        copy.write_bytes(host.read(path, MAX_BYTES + 1))
        if copy.stat().st_size > MAX_BYTES:
            raise DatabaseRefused(f"larger than {MAX_BYTES:,} bytes")
        try:
            written_ahead = host.read(path + b"-wal", MAX_BYTES)
        except HostLost:
            raise
        except HostError:  # there is none, as is usual
            return copy
        copy.with_name("copy-wal").write_bytes(written_ahead)
        return copy

    def _is_late(self) -> int:
        return int(self._monotonic() > self._ends)


def _authorized(action: int, first: str | None, second: str | None, *_where: str | None) -> int:
    if action not in _READING or (action == sqlite3.SQLITE_FUNCTION and (second or first) in _HARMFUL):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _bytes(value: object) -> bytes | None:
    return value if isinstance(value, bytes) or value is None else str(value).encode()
