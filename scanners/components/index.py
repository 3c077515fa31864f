"""A feed made ready to be asked: a small file, built once for each content, that answers without being read whole."""

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scanners.components.advisory import Advisory, Affected, Span
from scanners.components.feed import Damage, FeedUnusable, Reader
from scanners.components.osv import osv
from scanners.components.versions import Ecosystem
from scanners.components.wordfence import wordfence

READERS: Mapping[str, Reader] = {"osv": osv, "wordfence": wordfence}
FORM = 1
"""Raised with every change of what stands in an index; one of another form is built anew."""

PIECE_BYTES = 1 << 20
_SCHEMA = """
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE terms (number INTEGER PRIMARY KEY, author TEXT, licence TEXT, UNIQUE (author, licence));
CREATE TABLE advisory (number INTEGER PRIMARY KEY, body TEXT NOT NULL, terms INTEGER NOT NULL);
CREATE TABLE affected (ecosystem TEXT, name TEXT, advisory INTEGER, body TEXT NOT NULL);
"""
_ORDER = "CREATE INDEX by_name ON affected (ecosystem, name)"


@dataclass(frozen=True, slots=True)
class Contents:
    """What stands in an index.

    Attributes:
        sha256: of the feed it was built from; of a folder, of its listing.
        damaged: records that could not be read; complaint: what was wrong with the first.
        ecosystems: those that it knows anything of.
    """

    sha256: str
    records: int
    damaged: int
    complaint: str
    ecosystems: frozenset[Ecosystem]


class Index:
    """An index that was built.

    Raises:
        sqlite3.Error: it is damaged, or of another form.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            facts = dict(self._connection.execute("SELECT name, value FROM fact"))
            if facts.get("form") != str(FORM):
                raise sqlite3.DatabaseError("of another form")
        except sqlite3.Error:
            self._connection.close()
            raise
        self.stamp = facts["stamp"]
        self.contents = Contents(
            sha256=facts["sha256"],
            records=int(facts["records"]),
            damaged=int(facts["damaged"]),
            complaint=facts["complaint"],
            ecosystems=frozenset(Ecosystem(name) for name in json.loads(facts["ecosystems"])),
        )

    def of(self, ecosystem: Ecosystem, name: str) -> Iterator[tuple[Advisory, Affected]]:
        """Yields what is known of a package."""
        rows = self._connection.execute(
            "SELECT affected.body, advisory.body, author, licence FROM affected"
            " JOIN advisory ON advisory.number = affected.advisory JOIN terms ON terms.number = advisory.terms"
            " WHERE affected.ecosystem = ? AND affected.name = ? ORDER BY advisory.number",
            (ecosystem.value, name.lower()),
        )
        for affected, advisory, author, licence in rows:
            yield _advisory(advisory, author, licence), _affected(ecosystem, name, affected)

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()


def ready(kind: str, source: Path, path: Path) -> Index:
    """Returns the index of a feed, built anew where the feed has changed.

    Args:
        kind: a key of `READERS`.
        source: the feed.
        path: of the index.

    Raises:
        FeedUnusable: it cannot be read; the index that was there stays.
    """
    stamp = _stamp(source)
    with contextlib.suppress(sqlite3.Error, ValueError, KeyError):
        index = Index(path)
        if index.stamp == stamp:
            return index
        index.close()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _build(kind, source, path, stamp)
        return Index(path)
    except (OSError, sqlite3.Error) as error:
        raise FeedUnusable(f"the index {path} cannot be written: {error}") from error


def last_good(path: Path) -> Index | None:
    """Returns the index that was built the last time, None where there is none."""
    try:
        return Index(path)
    except (sqlite3.Error, ValueError, KeyError):
        return None


def changed_at(source: Path) -> float:
    """Returns when a feed was last written, seconds since the epoch.

    Raises:
        FeedUnusable: it is not there, or empty.
    """
    try:
        if source.is_dir():
            times = [file.stat().st_mtime for file in source.rglob("*.json")]
            return max(times, default=source.stat().st_mtime)
        return source.stat().st_mtime
    except OSError as error:
        raise FeedUnusable(f"{source} cannot be read: {error.strerror}") from error


def _stamp(source: Path) -> str:
    """What changes whenever the feed does, without reading it."""
    try:
        files = sorted(source.rglob("*.json")) if source.is_dir() else [source]
        listing = hashlib.sha256()
        for file in files:
            status = file.stat()
            listing.update(f"{file}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}\n".encode())
        return listing.hexdigest()
    except OSError as error:
        raise FeedUnusable(f"{source} cannot be read: {error.strerror}") from error


def _digest(source: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(source.rglob("*.json")) if source.is_dir() else [source]:
        with file.open("rb") as stream:
            while piece := stream.read(PIECE_BYTES):
                digest.update(piece)
    return digest.hexdigest()


def _build(kind: str, source: Path, path: Path, stamp: str) -> None:
    damage = Damage()
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.new")
    unfinished.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(unfinished)) as connection:
            connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
            records = _fill(connection, READERS[kind](source, damage))
            if not records and not damage.records:
                raise FeedUnusable(f"{source} holds no record")
            ecosystems = [row[0] for row in connection.execute("SELECT DISTINCT ecosystem FROM affected")]
            facts = {
                "form": FORM,
                "stamp": stamp,
                "sha256": _digest(source),
                "records": records,
                "damaged": damage.records,
                "complaint": damage.first[:200],
                "ecosystems": json.dumps(ecosystems),
            }
            connection.executemany(
                "INSERT INTO fact VALUES (?, ?)", [(name, str(fact)) for name, fact in facts.items()]
            )
            connection.execute(_ORDER)
            connection.commit()
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _fill(connection: sqlite3.Connection, advisories: Iterable[Advisory]) -> int:
    terms: dict[tuple[str, str], int] = {}
    number = 0
    for number, advisory in enumerate(advisories, 1):
        place = terms.setdefault((advisory.author, advisory.licence), len(terms) + 1)
        if place == len(terms):
            connection.execute(
                "INSERT OR IGNORE INTO terms VALUES (?, ?, ?)", (place, advisory.author, advisory.licence)
            )
        connection.execute("INSERT INTO advisory VALUES (?, ?, ?)", (number, _advisory_body(advisory), place))
        connection.executemany(
            "INSERT INTO affected VALUES (?, ?, ?, ?)",
            [(one.ecosystem.value, one.name, number, _affected_body(one)) for one in advisory.affected],
        )
    return number


def _advisory_body(advisory: Advisory) -> str:
    return json.dumps(
        [
            advisory.identifier,
            advisory.title,
            advisory.aliases,
            advisory.score,
            advisory.severity,
            advisory.vector,
            advisory.references,
            advisory.informational,
        ]
    )


def _advisory(body: str, author: str, licence: str) -> Advisory:
    identifier, title, aliases, score, severity, vector, references, informational = json.loads(body)
    return Advisory(
        identifier=identifier,
        title=title,
        affected=(),
        aliases=tuple(aliases),
        score=score,
        severity=severity,
        vector=vector,
        references=tuple(references),
        informational=informational,
        author=author,
        licence=licence,
    )


def _affected_body(affected: Affected) -> str:
    spans = [(span.low, span.high, span.low_inclusive, span.high_inclusive) for span in affected.spans]
    return json.dumps([spans, affected.versions, affected.fixed])


def _affected(ecosystem: Ecosystem, name: str, body: str) -> Affected:
    spans, versions, fixed = json.loads(body)
    return Affected(ecosystem, name, tuple(Span(*span) for span in spans), tuple(versions), tuple(fixed))
