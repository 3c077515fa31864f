"""Probes that run as an asyncio task: the kinds that need more of asyncio than sockets."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from probes.engine import DeadlinePassedError
from probes.kind import ProbeKind
from probes.trace import Trace
from sentry.domain.result import ProbeResult


class TaskProbe(ProbeKind):
    """A probe kind whose `measure` may use all of asyncio."""

    def start(self, scheduled_at: datetime, done: Callable[[ProbeResult], None]) -> asyncio.Task[None]:
        """Starts one probe; the task is its handle and `cancel` stops it."""
        return asyncio.get_running_loop().create_task(self._run(scheduled_at, done), name=self.check.key)

    async def _run(self, scheduled_at: datetime, done: Callable[[ProbeResult], None]) -> None:
        clock = self.environment.clock
        started_at, began = clock.now(), clock.monotonic()
        trace = Trace(clock)
        error: Exception | None = None
        try:
            async with asyncio.timeout(self.check.options.timeout_s):
                await self.measure(trace)
        except TimeoutError:
            error = DeadlinePassedError()
        except Exception as raised:  # noqa: BLE001  # `conclude` says what it means
            error = raised
        done(self.conclude(trace, scheduled_at, started_at, clock.monotonic() - began, error))
