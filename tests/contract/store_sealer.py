"""A process that seals all that is over until it is done or killed: `store_sealer.py ADDRESS ISO-INSTANT`."""

import asyncio
import sys
from datetime import datetime

from sentry.store import open_store
from tests.fakes.clock import ManualClock


async def main(address: str, now: str) -> None:
    """Opens the store, says so, and seals."""
    async with open_store(address, handlers=[], clock=ManualClock(datetime.fromisoformat(now))) as store:
        print("ready", flush=True)  # noqa: T201  # how the test hears of it
        await store.sealing.work(60)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
