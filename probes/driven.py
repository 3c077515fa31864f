"""Probes that the engine drives: the kinds made of sockets alone, which there are thousands of."""

from collections.abc import Callable
from datetime import datetime

from probes.engine import Attempt
from probes.environment import DoubtfulTlsError
from probes.kind import ProbeKind
from probes.trace import Trace
from sentry.domain.result import ProbeResult


class DrivenProbe(ProbeKind):
    """A probe kind whose `measure` awaits connections, names and nothing else of asyncio; see `probes.engine`."""

    def start(self, scheduled_at: datetime, done: Callable[[ProbeResult], None]) -> Attempt:
        """Starts one probe; the attempt is its handle."""
        return self.environment.engine.start(self._run(scheduled_at, done), self.check.options.timeout_s)

    async def _run(self, scheduled_at: datetime, done: Callable[[ProbeResult], None]) -> None:
        clock = self.environment.clock
        started_at, began = clock.now(), clock.monotonic()
        trace = Trace(clock)
        error: Exception | None = None
        try:
            try:
                await self.measure(trace)
            except DoubtfulTlsError as doubt:
                # A short way to a TLS connection was doubtful: anew and in full, and that alone counts.
                trace.begin_anew()
                trace.values["tls_rejudged"] = 1
                trace.note("judged again, in full and by the standard library: {}", doubt)
                await self.measure(trace)
        except Exception as raised:  # noqa: BLE001  # `conclude` says what it means
            error = raised
        done(self.conclude(trace, scheduled_at, started_at, clock.monotonic() - began, error))
