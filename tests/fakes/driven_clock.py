"""Real time that a test can set forward and back, or let run faster, while everything else is real."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class DrivenClock:
    """Fills the `Clock` port.

    Args:
        speed: seconds of this clock in each real second; with 10, what takes a minute is seen in six seconds.
    """

    def __init__(self, *, speed: float = 1.0) -> None:
        self._speed = speed
        self._origin = time.monotonic()
        self._began = datetime.now(UTC)
        self._shift = timedelta(0)

    def now(self) -> datetime:
        return self._began + self._shift + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (time.monotonic() - self._origin) * self._speed

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds / self._speed, callback)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)

    def jump(self, seconds: float) -> None:
        """Sets the wall clock forward, or back, as an administrator or a bad NTP server does."""
        self._shift += timedelta(seconds=seconds)
