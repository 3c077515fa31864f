"""Long lists in short turns: ten thousand sites must not hold up the probes while they are looked at."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


async def in_turns(items: Sequence[Item], at_once: int = 100) -> AsyncIterator[Item]:
    """Yields every item, and lets others have their turn after so many: a millisecond or two of work."""
    for number, item in enumerate(items, 1):
        yield item
        if number % at_once == 0:
            await asyncio.sleep(0)
