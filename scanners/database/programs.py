"""What the database server runs by itself: WordPress has no triggers, events, routines or views of its own."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanners.database.notices import finding, sign
from scanners.database.schema import Schema
from scanners.database.session import Database, DatabaseRefused
from sentry.domain.finding import Evidence, Finding, FindingClass

MAX_PROGRAMS = 500
BODY_BYTES = 20_000
_COMMENTS = re.compile(rb"/\*.*?\*/|--[^\n]*|#[^\n]*", re.DOTALL)
_MAKES_PEOPLE = re.compile(
    rb"(?:insert|replace)\s+(?:ignore\s+)?(?:into\s+)?[`\w.\"]*(?:users|usermeta)\b"
    rb"|update\s+[`\w.\"]*(?:users|usermeta)\b",
    re.IGNORECASE,
)
_CHANGES = re.compile(
    rb"(?:insert\s+(?:ignore\s+)?into|replace\s+into|update)\s+[`\w.\"]*(?:options|posts)\b"
    rb"|into\s+(?:outfile|dumpfile)|load_file\s*\(|sys_(?:exec|eval)|prepare\s+\w+\s+from|<script|<\?php|base64",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of program of MySQL, and the right without which an account does not see any."""

    what: str
    name: str
    body: str
    table: str
    of: str
    right: str = ""


KINDS: Sequence[_Kind] = (
    _Kind("trigger", "TRIGGER_NAME", "ACTION_STATEMENT", "TRIGGERS", "TRIGGER_SCHEMA", "TRIGGER"),
    _Kind("event", "EVENT_NAME", "EVENT_DEFINITION", "EVENTS", "EVENT_SCHEMA", "EVENT"),
    _Kind("routine", "ROUTINE_NAME", "ROUTINE_DEFINITION", "ROUTINES", "ROUTINE_SCHEMA"),
    _Kind("view", "TABLE_NAME", "VIEW_DEFINITION", "VIEWS", "TABLE_SCHEMA"),
)


def judge_programs(schema: Schema, database: Database) -> Iterator[Finding]:
    """Yields every program in the database, as bad as what it does."""
    if database.is_sqlite:
        where = f"FROM sqlite_master WHERE type IN ('trigger', 'view') LIMIT {MAX_PROGRAMS}"
        rows = schema.rows(("type", "name", f"SUBSTR(sql, 1, {BODY_BYTES})"), where, "sqlite_master")
        for what, name, body in rows:
            yield _judged((what or b"").decode("utf-8", "replace"), name or b"", body or b"")
        return
    rights = _rights(database)
    for kind in KINDS:
        if kind.right and rights is not None and kind.right not in rights:
            schema.skip(f"{kind.what}s", f"the account lacks the right {kind.right}, without which it sees none")
        asked = (kind.name, f"SUBSTR({kind.body}, 1, {BODY_BYTES})")
        where = f"FROM information_schema.{kind.table} WHERE {kind.of} = DATABASE() LIMIT {MAX_PROGRAMS}"
        for name, body in schema.rows(asked, where, f"{kind.what}s"):
            if body is None:
                shown = (name or b"")[:80].decode("utf-8", "backslashreplace")
                schema.skip(f"{kind.what} {shown}", "the account may not read what it does")
                continue
            yield _judged(kind.what, name or b"", body)


def _judged(what: str, name: bytes, body: bytes) -> Finding:
    source = _COMMENTS.sub(b" ", body)
    place = f"{what} {name[:80].decode('utf-8', 'backslashreplace')}"
    acts = what != "view"
    if acts and (found := _MAKES_PEOPLE.search(source)):
        meaning = f"a {what} of the database makes or changes accounts of WordPress"
        told = sign("db_program_makes_people", meaning, FindingClass.CONFIRMED, Evidence.BEHAVIOUR, found[0], source)
    elif found := _CHANGES.search(source):
        meaning = f"a {what} of the database changes what pages show, or reaches for files"
        told = sign("db_program_changes", meaning, FindingClass.SUSPICIOUS, Evidence.BEHAVIOUR, found[0], source)
    else:
        meaning = f"a {what} of the database; WordPress has none of its own"
        told = sign("db_program", meaning, FindingClass.ADVICE, Evidence.PLACE, b"", source)
    return finding(place, told)


def _rights(database: Database) -> frozenset[str] | None:
    """Returns the rights of our account in this database, None where they cannot be asked for."""
    asked = (
        "FROM (SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES UNION SELECT PRIVILEGE_TYPE"
        " FROM information_schema.SCHEMA_PRIVILEGES) AS rights LIMIT 200"
    )
    try:
        return frozenset(
            (row[0] or b"").decode("ascii", "replace") for row in database.rows(("PRIVILEGE_TYPE",), asked)
        )
    except DatabaseRefused:
        return None
