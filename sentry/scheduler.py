"""Slow duties: APScheduler beats, the store knows what is due.

An interval trigger counts from the start of the process, so an agent that restarts often enough would never get to
what it does each 15 days. The instant at which a duty is due again therefore lives in the store; APScheduler only
asks, each few seconds, what is due now.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from sentry.domain.errors import StoreError
from sentry.ports import Clock, DueBook, Telemetry

BEAT_S = 5.0
RETRY_AFTER = timedelta(minutes=1)
"""A duty that failed is due again after this time, or after its own interval where that is shorter."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Duty:
    """Something done again and again: how long after it was done it is due again, and how it is done."""

    every: timedelta
    run: Callable[[], Awaitable[None]]


class Scheduler:
    """Does each duty when it is due; a late one is done once, not once per missed time."""

    def __init__(self, duties: Mapping[str, Duty], due: DueBook, clock: Clock, telemetry: Telemetry) -> None:
        self._duties = dict(duties)
        self._due = due
        self._clock = clock
        self._telemetry = telemetry
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._beating = asyncio.Lock()

    def start(self) -> None:
        """Begins to beat; needs a running event loop."""
        self._scheduler.add_job(
            self._beat_until_stopped,
            "interval",
            seconds=BEAT_S,
            max_instances=2,  # the second leaves at once; APScheduler would warn of each beat that it keeps back
            coalesce=True,
            misfire_grace_time=None,
        )
        self._scheduler.start()

    def stop(self) -> None:
        """Stops beating."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def _beat_until_stopped(self) -> None:
        """APScheduler cancels a beat under way when it stops, and would log that as a failure."""
        with suppress(asyncio.CancelledError):
            await self.beat()

    async def beat(self) -> None:
        """Does everything that is due now, unless the beat before is still at it: duties may take minutes.

        A duty that the store has never heard of is due at once. So is one that is due later than it ever could be: it
        was done while the clock stood in the future.
        """
        if not self._beating.locked():
            async with self._beating:
                await self._do_what_is_due()

    async def _do_what_is_due(self) -> None:
        now = self._clock.now()
        for kind, duty in self._duties.items():
            try:
                at = await self._due.get(kind)
                if at is None or not now < at <= now + duty.every:
                    again = duty.every if await self._do(kind, duty) else min(duty.every, RETRY_AFTER)
                    await self._due.set(kind, "", now + again)
            except StoreError as error:
                self._telemetry.count("store_errors_total", kind="due")
                _log.warning("what is due cannot be read or written", duty=kind, error=str(error))

    async def _do(self, kind: str, duty: Duty) -> bool:
        try:
            await duty.run()
        except Exception as error:  # noqa: BLE001  # one duty that fails must not end the others
            self._telemetry.count("duty_failures_total", duty=kind)
            _log.warning("duty failed", duty=kind, error=repr(error))
            return False
        return True
