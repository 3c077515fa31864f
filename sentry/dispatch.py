"""The event bus: reads the outbox and gives each event to each handler, in order, until it has succeeded."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import structlog

from sentry.domain.errors import StoreError, StoreUnavailable
from sentry.domain.events import Event
from sentry.ports import Clock, EventQueue, Telemetry

_log = structlog.get_logger()

Handler = Callable[[Event], Awaitable[None]]

BACK_OFF_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0)
"""Waiting after each failed attempt; an event that fails once more after the last is given up for that handler."""

POLL_S = 3.0
"""Another process (a comment from the command line) may have written events; nobody wakes us for those."""


class Dispatcher:
    """Delivers events at least once; handlers are idempotent. A handler that is stuck never holds up another."""

    def __init__(
        self, queue: EventQueue, handlers: Mapping[str, Handler], clock: Clock, telemetry: Telemetry
    ) -> None:
        self._queue = queue
        self._handlers = dict(handlers)
        self._clock = clock
        self._telemetry = telemetry
        self._wakes = {name: asyncio.Event() for name in handlers}
        self._attempts: dict[tuple[str, int], int] = {}
        self._began_at = clock.now() - timedelta(seconds=clock.monotonic())

    def wake(self) -> None:
        """Says that there may be new events."""
        for wake in self._wakes.values():
            wake.set()

    async def run(self) -> None:
        """Delivers until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            for name in self._handlers:
                group.create_task(self._serve(name), name=f"dispatch:{name}")

    async def drain(self) -> None:
        """Delivers what is due now to every handler, and what follows from it; returns when nothing is left."""
        while [name for name in self._handlers if await self._deliver_next(name)]:
            pass

    async def _serve(self, name: str) -> None:
        wake = self._wakes[name]
        while True:
            wake.clear()
            if not await self._deliver_next(name):
                await _until(wake, self._clock.sleep(POLL_S))

    async def _deliver_next(self, name: str) -> bool:
        """Gives one event to one handler. Returns whether there was one."""
        try:
            event = await self._queue.next_for(name, self._now())
            if event is None:
                return False
            await self._deliver(name, event)
        except StoreError:
            self._telemetry.count("store_errors_total", kind="events")
            return False
        return True

    async def _deliver(self, name: str, event: Event) -> None:
        key = (name, event.id)
        try:
            await self._handlers[name](event)
        except StoreUnavailable:
            # Not the handler's failure: a store that is locked for minutes must not use up the attempts of an event.
            raise
        except Exception as error:  # noqa: BLE001  # whatever a handler meets, its event is owed until it succeeds
            attempt = self._attempts.get(key, 0)
            self._attempts[key] = attempt + 1
            retry_at = None
            if attempt < len(BACK_OFF_S):
                retry_at = self._now() + timedelta(seconds=BACK_OFF_S[attempt])
            self._telemetry.count("handler_failures_total", handler=name, error=type(error).__name__)
            _log.warning(
                "handler failed", handler=name, kind=event.kind, id=event.id, error=str(error), again=retry_at
            )
            await self._queue.failed(event, name, f"{type(error).__name__}: {error}", retry_at)
            return
        self._attempts.pop(key, None)
        await self._queue.done(event, name)
        self.wake()

    def _now(self) -> datetime:
        """Time that nobody sets: a clock set back by an hour must not hold an event back for an hour more."""
        return self._began_at + timedelta(seconds=self._clock.monotonic())


async def _until(wake: asyncio.Event, pause: Awaitable[None]) -> None:
    """Waits for whichever comes first."""
    waits = [asyncio.ensure_future(wake.wait()), asyncio.ensure_future(pause)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
