"""Brings the store to the newest schema when it is opened, in one transaction."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.domain.errors import StoreError
from sentry.store.database import Database
from sentry.store.schema import HEAD

MIGRATIONS = Path(__file__).parent / "migrations"


async def bring_up_to_date(database: Database) -> None:
    """Applies what is missing; a store that is current is only read.

    Raises:
        StoreUnavailable: it cannot be opened, or another process holds it.
        StoreError: a newer version of the agent made it.
    """
    async with database.read() as connection:
        current = await _revision(connection)
    if current == HEAD:
        return
    async with database.write() as connection:
        await connection.run_sync(_upgrade, database.shown)


async def _revision(connection: AsyncConnection) -> str | None:
    return await connection.run_sync(_revision_of)


def _revision_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection, shown: str) -> None:
    # Only here: a current store opens without Alembic, which takes longer to load than a command to answer.
    from alembic import command  # noqa: PLC0415  # as said above
    from alembic.config import Config  # noqa: PLC0415  # as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415  # as above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    current = _revision_of(connection)
    if current is not None and current not in known:
        raise StoreError(f"{shown}: made by a newer version of Online Sentry (schema {current}); upgrade this one")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
