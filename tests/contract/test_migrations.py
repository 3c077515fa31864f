"""The migrations make what the tables say, on both databases, and know what they must not touch."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from sentry.domain.errors import StoreError
from sentry.store import Store, open_store
from sentry.store.migrate import MIGRATIONS
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
    assert found == 5
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
