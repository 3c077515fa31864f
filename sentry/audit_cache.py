"""What audits remember of files, in a SQLite file of its own: losing it costs time and nothing else.

It is no part of the store: audits run in processes of their own, several at once, and what they write here must not
make the agent wait. A file that is locked, full or not writable is as good as empty, and a damaged one is set aside.
"""

import hashlib
import sqlite3
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from sentry.domain.tree_entry import TreeEntry
from sentry.ports import Clock, Verdict

Result = TypeVar("Result")

FILE_NAME = "files.db"
SHAPE = 2
"""A file of another shape is made anew."""

MAX_BYTES = 4_000_000_000
MAX_VERDICTS = 5_000_000
FORGOTTEN_AFTER_DAYS = 60
"""Four audits; what was not met for so long is not remembered any longer."""

MARKED_EVERY_DAYS = 7
"""What is met is marked so often: a mark costs a write."""

LOCKED_WITHIN_S = 5.0
PAGE_BYTES = 4_096

_TABLES = f"""
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS verdicts (file BLOB PRIMARY KEY, verdict TEXT NOT NULL, used INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trees (tree TEXT PRIMARY KEY, used INTEGER NOT NULL, files BLOB NOT NULL);
PRAGMA user_version = {SHAPE};
"""
_RECORD = struct.Struct("<16sdQQ32s")
"""A file of a tree: its path, hashed; when it was changed, its size, its inode; the digest of its content."""


VERDICT: TypeAdapter[Verdict] = TypeAdapter(Verdict)
CLEAN = {Verdict(is_script=True): "s", Verdict(is_script=False): "-"}
"""Nothing was found in nearly every file: that takes one character, and no parsing."""

CLEAN_AGAIN: Mapping[object, Verdict] = {text: verdict for verdict, text in CLEAN.items()}
LONGEST_VERDICT = 65_536


class AuditCache:
    """The file, opened.

    Args:
        folder: where it lies; made where it does not exist.
        clock: what is not met for long is forgotten.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._file = folder / FILE_NAME
        self._today = clock.now().date().toordinal()
        self._connection: sqlite3.Connection | None = None
        self._done(self._forget, None)

    def verdicts(self, rules: str) -> "Verdicts":
        """Returns the book of what was said of files by these rules; filled by all sites together."""
        return Verdicts(self, rules)

    def tree_digests(self, tree: str) -> "TreeDigests":
        """Returns the book of the digests of one tree.

        Args:
            tree: its lasting name: site, host and root.
        """
        return TreeDigests(self, tree)

    def close(self) -> None:
        """Closes the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def rows(self, statement: str, *values: object) -> Sequence[tuple[object, ...]]:
        """Returns what a statement reads; nothing where the file cannot be used now."""
        return self._done(lambda connection: connection.execute(statement, values).fetchall(), [])

    def write(self, statement: str, *values: object) -> None:
        """Writes, or does not where the file cannot be used now."""
        self.rows(statement, *values)

    @property
    def today(self) -> int:
        """The day of the audit, as an ordinal."""
        return self._today

    def _done(self, work: Callable[[sqlite3.Connection], Result], otherwise: Result) -> Result:
        for _ in range(2):
            try:
                return work(self._opened())
            except (sqlite3.OperationalError, OSError):
                return otherwise
            except sqlite3.DatabaseError:
                self._set_aside()
        return otherwise

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch(0o600)
            self._connection = sqlite3.connect(self._file, LOCKED_WITHIN_S, isolation_level=None)
            _check_shape(self._connection)
            self._connection.executescript(_TABLES)
            self._connection.execute(f"PRAGMA max_page_count = {MAX_BYTES // PAGE_BYTES}")
        return self._connection

    def _set_aside(self) -> None:
        """Moves a damaged file out of the way; another process that still has it open goes on with it."""
        self.close()
        with suppress(OSError):
            self._file.replace(self._file.with_suffix(".damaged"))
        for kept in ("-wal", "-shm"):
            self._file.with_name(FILE_NAME + kept).unlink(missing_ok=True)

    def _forget(self, connection: sqlite3.Connection) -> None:
        oldest = self._today - FORGOTTEN_AFTER_DAYS
        connection.execute("DELETE FROM trees WHERE used < ?", (oldest,))
        connection.execute("DELETE FROM verdicts WHERE used < ?", (oldest,))
        (count,) = connection.execute("SELECT count(*) FROM verdicts").fetchone()
        if count > MAX_VERDICTS:
            connection.execute("DELETE FROM verdicts")


def _check_shape(connection: sqlite3.Connection) -> None:
    (shape,) = connection.execute("PRAGMA user_version").fetchone()
    if shape not in (0, SHAPE):
        raise sqlite3.DatabaseError(f"shape {shape}")


class Verdicts:
    """Fills `VerdictBook`."""

    def __init__(self, cache: AuditCache, rules: str) -> None:
        self._cache, self._rules = cache, rules.encode()

    def recall(self, path: bytes, digest: bytes) -> Verdict | None:
        """Returns what was said of a file; see `VerdictBook`."""
        key = self._key(path, digest)
        found = self._cache.rows("SELECT verdict FROM verdicts WHERE file = ?", key)
        if not found:
            return None
        marked_before = self._cache.today - MARKED_EVERY_DAYS
        self._cache.write(
            "UPDATE verdicts SET used = ? WHERE file = ? AND used < ?", self._cache.today, key, marked_before
        )
        return _read(found[0][0])

    def keep(self, path: bytes, digest: bytes, verdict: Verdict) -> None:
        """Remembers what was said of a file; see `VerdictBook`."""
        text = CLEAN.get(verdict) or VERDICT.dump_json(verdict).decode()
        if len(text) <= LONGEST_VERDICT:
            self._cache.write(
                "INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?)", self._key(path, digest), text, self._cache.today
            )

    def _key(self, path: bytes, digest: bytes) -> bytes:
        return hashlib.blake2b(b"\0".join((self._rules, path, digest)), digest_size=16).digest()


def _read(text: object) -> Verdict | None:
    """Returns a verdict as it was kept; None where it is damaged."""
    if text in CLEAN_AGAIN:
        return CLEAN_AGAIN[text]
    try:
        return VERDICT.validate_json(str(text))
    except ValidationError:
        return None


class TreeDigests:
    """Fills `DigestBook`."""

    def __init__(self, cache: AuditCache, tree: str) -> None:
        self._cache, self._tree = cache, tree

    def recall(self, entries: Sequence[TreeEntry]) -> Mapping[bytes, bytes]:
        """Returns the digests of those that are as they were; see `DigestBook`."""
        found = self._cache.rows("SELECT files FROM trees WHERE tree = ?", self._tree)
        known = _unpacked(found[0][0]) if found else {}
        recalled = ((entry.path, known.get(_state(entry))) for entry in entries)
        return {path: digest for path, digest in recalled if digest is not None}

    def keep(self, entries: Sequence[TreeEntry], digests: Mapping[bytes, bytes]) -> None:
        """Remembers these digests and no others; see `DigestBook`."""
        states = {_state(entry): digests[entry.path] for entry in entries if entry.inode and entry.path in digests}
        files = zlib.compress(b"".join(_RECORD.pack(*state, digest) for state, digest in states.items()), level=1)
        self._cache.write("INSERT OR REPLACE INTO trees VALUES (?, ?, ?)", self._tree, self._cache.today, files)


_State = tuple[bytes, float, int, int]


def _state(entry: TreeEntry) -> _State:
    path = hashlib.blake2b(entry.path, digest_size=16).digest()
    return path, entry.changed_at, entry.size_bytes, entry.inode


def _unpacked(files: object) -> Mapping[_State, bytes]:
    """Returns what was kept; nothing where it is damaged."""
    if not isinstance(files, bytes):
        return {}
    try:
        records = _RECORD.iter_unpack(zlib.decompress(files))
        return {(path, changed_at, size, inode): digest for path, changed_at, size, inode, digest in records}
    except (zlib.error, struct.error):
        return {}
