"""What the agent needs of whatever probes for it, and the plain answer: one wheel in its own loop."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from probes.environment import ProbeEnvironment
from sentry.app.probing import prepare
from sentry.domain.site import Check
from sentry.ports import Clock, Telemetry
from sentry.wheel import Finished, Wheel


class Prober(Protocol):
    """Probes every check in its slots, here or elsewhere."""

    @property
    def last_tick(self) -> float:
        """Monotonic time of the newest sign of life of the part that is worst off."""
        ...

    @property
    def probes_running(self) -> int:
        """How many probes are under way."""
        ...

    async def prepare(self, checks: Sequence[Check]) -> Callable[[], None]:
        """Makes a set of checks ready, and returns what puts it in force at once.

        Raises:
            ConfigurationError: a check cannot be probed as it is configured; nothing has changed.
        """
        ...

    def recheck(self, check_key: str, at: datetime) -> None:
        """Probes a check once more at an instant, beside its slots."""
        ...

    def stretch(self, strides: Mapping[str, int]) -> None:
        """Probes only each so-manieth slot of these checks from now on, and every one of all others."""
        ...

    async def run(self) -> None:
        """Probes until cancelled; results that are known by then are handed on."""
        ...


class LocalProber:
    """One wheel, in the agent's own event loop.

    Args:
        environment: what probes are given.
        finished: called with each result.
        max_concurrent: probes under way at once, over all hosts.
    """

    def __init__(
        self,
        environment: ProbeEnvironment,
        clock: Clock,
        telemetry: Telemetry,
        finished: Callable[[Finished], None],
        *,
        max_concurrent: int,
    ) -> None:
        self._environment = environment
        self._wheel = Wheel(clock, telemetry, finished, max_concurrent=max_concurrent)
        self.recheck = self._wheel.recheck
        self.stretch = self._wheel.stretch
        self.run = self._wheel.run

    @property
    def last_tick(self) -> float:
        """Monotonic time of the wheel's newest tick."""
        return self._wheel.last_tick

    @property
    def probes_running(self) -> int:
        """How many probes are under way."""
        return self._wheel.probes_running

    async def prepare(self, checks: Sequence[Check]) -> Callable[[], None]:
        """Prepares a probe for each check, in a thread because that reads files.

        Raises:
            ConfigurationError: with every check whose files cannot be used.
        """
        prepared = await asyncio.to_thread(prepare, checks, self._environment)
        return lambda: self._wheel.replace(prepared)
