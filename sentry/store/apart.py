"""Migrates the store whose address stands on standard input, and ends; see `sentry.store.migrate`."""

import asyncio
import sys

from sentry.store.address import parse_address
from sentry.store.database import Database
from sentry.store.migrate import bring_up_to_date

WAIT_S = 5.0
"""How long it waits for another writer."""


async def _migrate(address: str) -> None:
    database = Database(parse_address(address), wait_s=WAIT_S)
    try:
        await bring_up_to_date(database)
    finally:
        await database.aclose()


if __name__ == "__main__":
    asyncio.run(_migrate(sys.stdin.read()))
