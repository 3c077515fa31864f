"""The database examiner before a WordPress that keeps its data in an SQLite file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sentry.domain.finding import FindingClass
from tests.integration.database.infections import INFECTIONS, Infection
from tests.integration.database.scene import Looked, look
from tests.integration.servers.wordpress import ADMIN, DATABASE, WordPress, wordpress_kit

pytestmark = pytest.mark.integration

URL = "http://127.0.0.1/"
TRIGGER = (
    "CREATE TRIGGER after_comment AFTER INSERT ON wp_comments BEGIN"
    " INSERT INTO wp_users (user_login) VALUES ('x'); END"
)


def _as_sqlite(site: WordPress) -> Path:
    """Copies the tables of a real WordPress into the file that its SQLite plugin keeps, beside its drop-in."""
    file = site.write("wp-content/database/.ht.sqlite", b"")
    site.write("wp-content/db.php", "<?php // the drop-in of the SQLite integration stands here\n")
    with closing(sqlite3.connect(file)) as copy:
        for table in site.sql("SHOW TABLES").split():
            columns = site.sql(
                "SELECT COLUMN_NAME, COLUMN_KEY, EXTRA FROM information_schema.COLUMNS"
                f" WHERE TABLE_SCHEMA = '{DATABASE}' AND TABLE_NAME = '{table}' ORDER BY ORDINAL_POSITION"
            )
            parts = [line.split("\t") for line in columns.splitlines()]
            named = [name for name, _key, _extra in parts]
            keys = {"auto_increment": "INTEGER PRIMARY KEY", "": "TEXT"}
            copy.execute(f"CREATE TABLE {table} ({', '.join(f'{n} {keys[e]}' for n, _key, e in parts)})")
            rows = site.sql(f"SELECT {', '.join(f'HEX(CONCAT({name}))' for name in named)} FROM {table}")
            for row in rows.splitlines():
                values = [bytes.fromhex(cell).decode() if cell != "NULL" else None for cell in row.split("\t")]
                copy.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)
        copy.execute("CREATE UNIQUE INDEX names ON wp_options (option_name)")
        copy.commit()
    return file


@pytest.fixture(scope="module")
def file() -> Iterator[Path]:
    """The database of a site whose MySQL is gone."""
    with wordpress_kit().site() as site:
        file = _as_sqlite(site)
        source = (site.docroot / "wp-config.php").read_text()
        kept = [
            line for line in source.splitlines() if not any(name in line for name in ("WP_HOME", "WP_SITEURL", "DB_"))
        ]
        site.write("wp-config.php", "\n".join(kept))
        site.database.stop()
        yield file


def _look(file: Path) -> Looked:
    return look(file.parents[2], url=URL, known_admins=[ADMIN])


def _run(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            upsert = "ON CONFLICT (option_name) DO UPDATE SET option_value = excluded.option_value"
            connection.executescript(
                statement.replace("ON DUPLICATE KEY UPDATE option_value = VALUES(option_value)", upsert)
            )


def test_sqlite_when_clean_has_nothing_above_advice(file: Path) -> None:
    """The file is found by its drop-in, copied and read; the original is as it was."""
    before = file.read_bytes()
    looked = _look(file)
    assert looked.above_advice == []
    assert looked.manifest.skipped == []
    assert looked.manifest.rows > 100
    assert "from a copy of its file" in looked.manifest.parts["database"]
    assert file.read_bytes() == before
    assert sorted(path.name for path in file.parent.iterdir()) == [".ht.sqlite"]


@pytest.fixture(scope="module")
def infected(file: Path) -> Looked:
    """One look at a copy that has everything, the last of it still in the log that SQLite writes ahead."""
    clean = file.read_bytes()
    _run(file, *(one.sql for one in INFECTIONS), TRIGGER)
    looked = _look(file)
    file.write_bytes(clean)
    return looked


@pytest.mark.parametrize("infection", INFECTIONS, ids=lambda one: one.name)
def test_sqlite_when_infected_finds_it_with_its_class(infected: Looked, infection: Infection) -> None:
    """Each of the things that intruders leave in a database."""
    found = [
        one
        for one in infected.findings
        if one.path.startswith(infection.place) and any(sign.rule == infection.rule for sign in one.signs)
    ]
    assert [one.verdict for one in found][:1] == [infection.verdict]


def test_sqlite_with_a_trigger_that_makes_people_finds_it(infected: Looked) -> None:
    """SQLite has triggers too."""
    assert infected.of("db_program_makes_people").verdict is FindingClass.CONFIRMED


def test_sqlite_while_a_site_writes_sees_what_is_not_yet_in_the_file(file: Path) -> None:
    """What stands only in the log that is written ahead is looked at as well."""
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("UPDATE wp_options SET option_value = 'administrator' WHERE option_name = 'default_role'")
        writer.commit()
        looked = _look(file)
        assert looked.of("db_open_door").verdict is FindingClass.SUSPICIOUS
        writer.execute("UPDATE wp_options SET option_value = 'subscriber' WHERE option_name = 'default_role'")
        writer.commit()


def test_sqlite_file_that_is_none_is_said_not_to_be_looked_at(file: Path) -> None:
    """A file of garbage is no clean database."""
    clean = file.read_bytes()
    file.write_bytes(b"SQLite format 3\0" + b"\xff" * 5_000)
    looked = _look(file)
    file.write_bytes(clean)
    assert looked.findings == []
    assert "not looked at" in looked.manifest.parts["database"]
    assert [skipped.path for skipped in looked.manifest.skipped] == ["database of the docroot"]
