"""The migrations make what the tables say, on both databases, and know what they must not touch."""

import asyncio
import subprocess
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from sentry.domain.errors import StoreError
from sentry.store import Store, open_store
from sentry.store.address import parse_address
from sentry.store.database import Database
from sentry.store.migrate import COMMAND, MIGRATIONS, is_current
from sentry.store.schema import HEAD, metadata
from tests.contract.conftest import HANDLERS, WAIT_S
from tests.fakes.clock import ManualClock


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_migrated_store_holds_what_the_tables_say(store: Store) -> None:
    """Queries are written against the tables, the database is made by the migrations: they are the same."""
    async with store.database.read() as connection:
        assert await connection.run_sync(_differences) == []


def test_newest_migration_is_the_one_that_the_tables_name() -> None:
    """Whoever adds a migration also says that a store without it is old."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


async def test_index_predicates_and_checks_survive_the_migration(store: Store) -> None:
    """They are what a generated migration loses."""
    query = {
        "sqlite": "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND sql LIKE '%WHERE%'",
        "postgresql": "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE '%WHERE%'",
    }
    async with store.database.read() as connection:
        found = (await connection.execute(text(query[connection.dialect.name]))).scalar_one()
    assert found == 7
    with pytest.raises(StoreError):
        async with store.database.write() as connection:
            await connection.execute(text("INSERT INTO ledger_runs VALUES (1, 5, 5, 'up')"))


async def test_open_a_store_of_a_newer_version_is_refused(address: str, clock: ManualClock) -> None:
    """An old agent does not touch what it does not understand."""
    opened = open_store(address, handlers=HANDLERS, clock=clock, wait_s=WAIT_S)
    async with opened as store, store.database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StoreError, match=r"newer version of Online Sentry \(schema 9999\)"):
        async with open_store(address, handlers=HANDLERS, clock=clock, wait_s=WAIT_S):
            pass


async def test_open_a_new_store_from_two_sides_at_once_makes_it_once(address: str, clock: ManualClock) -> None:
    """The agent and a command may both be the first."""

    async def known() -> int:
        async with open_store(address, handlers=HANDLERS, clock=clock) as store:
            return len(await store.checks.known())

    assert list(await asyncio.gather(known(), known())) == [0, 0]


async def test_open_a_current_store_needs_no_write(store: Store, address: str, clock: ManualClock) -> None:
    """A command can look while the agent is writing."""
    opened = open_store(address, handlers=HANDLERS, clock=clock, wait_s=WAIT_S)
    async with store.database.write(), opened as other:
        assert await other.tickets.list() == []


async def test_open_a_new_store_for_long_makes_it_in_a_process_apart(tmp_path: Path, clock: ManualClock) -> None:
    """What migrates is needed once, and an agent runs for months: a store opens current from the process apart."""
    made = parse_address(f"sqlite:///{tmp_path}/new.db")

    written = made.url.render_as_string(hide_password=False).encode()
    run = await asyncio.to_thread(subprocess.run, COMMAND, input=written, capture_output=True, check=False)

    assert (run.returncode, run.stderr) == (0, b"")
    database = Database(made, wait_s=WAIT_S)
    assert await is_current(database)
    await database.aclose()
    opened = open_store(f"sqlite:///{tmp_path}/new.db", handlers=HANDLERS, clock=clock, wait_s=WAIT_S, lasting=True)
    async with opened as store:
        assert await store.tickets.list() == []
