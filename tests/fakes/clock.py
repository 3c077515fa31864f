"""A clock that stands still until a test moves it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class ManualClock:
    """Fills the `Clock` port; `advance` wakes whoever sleeps until then, in order."""

    def __init__(self, start: datetime = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 1000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.Future[None]:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        woken.add_done_callback(lambda _: None if woken.cancelled() else callback())
        self._sleepers.append((self._monotonic + seconds, woken))
        return woken

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._monotonic + seconds, woken))
        await woken

    def jump(self, seconds: float) -> None:
        """Moves the wall clock alone, as an administrator or a bad NTP server does."""
        self._now += timedelta(seconds=seconds)

    async def advance(self, seconds: float) -> None:
        """Moves both clocks on, stopping at each sleeper's time and letting it run."""
        end = self._monotonic + seconds
        while True:
            await _settle()
            waiting = [pair for pair in self._sleepers if pair[0] <= end and not pair[1].done()]
            if not waiting:
                break
            at, woken = min(waiting, key=lambda pair: pair[0])
            self._move(at - self._monotonic)
            self._sleepers.remove((at, woken))
            woken.set_result(None)
        self._move(end - self._monotonic)
        await _settle()

    def _move(self, seconds: float) -> None:
        self._monotonic += seconds
        self._now += timedelta(seconds=seconds)


async def _settle() -> None:
    """Lets everything that is ready run, without real time going by."""
    for _ in range(50):
        await asyncio.sleep(0)
