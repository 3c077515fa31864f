"""Probes that run as an asyncio task: the kinds that need more of asyncio than sockets."""

import asyncio
from collections.abc import Callable
from datetime import datetime

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
        failure = await self.verdict(trace, self._measure_in_time(trace), TimeoutError)
        done(self.conclude(trace, failure, scheduled_at, started_at, clock.monotonic() - began))

    async def _measure_in_time(self, trace: Trace) -> None:
        async with asyncio.timeout(self.check.options.timeout_s):
            await self.measure(trace)
