"""The system's clock: the only file that reads time."""

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """Fills the `Clock` port with the machine's own time."""

    def now(self) -> datetime:
        """Returns the wall-clock instant, aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Returns seconds that never jump, from an arbitrary start."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Waits this many seconds."""
        await asyncio.sleep(seconds)
