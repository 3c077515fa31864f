"""The system's clock: the only file that reads time."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime


class SystemClock:
    """Fills the `Clock` port with the machine's own time."""

    def now(self) -> datetime:
        """Returns the wall-clock instant, aware UTC."""
        return datetime.now(UTC)

    # The function itself and no method round it: each probe asks a dozen times.
    monotonic = staticmethod(time.monotonic)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Calls once, after this many seconds, from the event loop that runs."""
        return asyncio.get_running_loop().call_later(seconds, callback)

    async def sleep(self, seconds: float) -> None:
        """Waits this many seconds."""
        await asyncio.sleep(seconds)
