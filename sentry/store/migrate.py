"""Brings the store to the newest schema when it is opened, in one transaction."""

import asyncio
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from sentry.domain.errors import StoreError
from sentry.store.address import StoreAddress
from sentry.store.database import Database
from sentry.store.schema import HEAD

MIGRATIONS = Path(__file__).parent / "migrations"
APART_WITHIN_S = 600.0
COMMAND = (sys.executable, "-P", "-m", "sentry.store.apart")


async def bring_up_to_date(database: Database) -> None:
    """Applies what is missing; a store that is current is only read.

    Raises:
        StoreUnavailable: it cannot be opened, or another process holds it.
        StoreError: a newer version of the agent made it.
    """
    if await is_current(database):
        return
    async with database.write() as connection:
        await connection.run_sync(_upgrade, database.shown)


async def bring_up_to_date_apart(address: StoreAddress) -> None:
    """Applies what is missing in a process of its own, for an agent that runs for months.

    Alembic and what comes with it are 12 MB that are needed once and never given back. Whatever goes wrong there,
    `bring_up_to_date` meets again and says.
    """
    if "alembic" not in sys.modules:  # else there is nothing to spare
        await asyncio.to_thread(_run_apart, address.url.render_as_string(hide_password=False))


def _run_apart(address: str) -> None:
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run(  # noqa: S603  # this very program
            COMMAND, input=address.encode(), capture_output=True, timeout=APART_WITHIN_S, check=False
        )


async def is_current(database: Database) -> bool:
    """Whether nothing is missing.

    Raises:
        StoreUnavailable: it cannot be opened.
    """
    async with database.read() as connection:
        return await connection.run_sync(_revision_of) == HEAD


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
