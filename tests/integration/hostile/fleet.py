"""Ordinary probes of an honest server, a few hundred under way at any time, turned by the real wheel."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from probes import KINDS
from probes.environment import ProbeEnvironment
from sentry.clock import SystemClock
from sentry.domain.result import Reason, Status
from sentry.domain.site import Check
from sentry.ports import Probe
from sentry.wheel import Finished, Wheel
from tests.fakes.checks import make_check
from tests.fakes.telemetry import RecordingTelemetry
from tests.integration.hostile.calm import LATENCY_S

UNDER_WAY = 200
"""Probes under way at any time: each lasts `LATENCY_S`, and each check is probed every `INTERVAL_S`."""

INTERVAL_S = 2
CHECKS = int(UNDER_WAY * INTERVAL_S / LATENCY_S) + 40
LATE_S = 1.0
"""An ordinary probe that starts or ends this much late was held up. Generous: tests share their machine."""


STARVED = frozenset({Reason.SLOT_MISSED, Reason.AGENT_STALLED})
"""What the wheel says of itself where the machine lets it wait."""


class Fleet:
    """The probes of the fleet that have ended since it was last looked at."""

    def __init__(self) -> None:
        self.telemetry = RecordingTelemetry()
        self.finished: list[Finished] = []
        self._one_more = asyncio.Event()

    def take(self, done: Finished) -> None:
        """Takes what the wheel hands on."""
        self.finished.append(done)
        self._one_more.set()

    async def ended(self, number: int) -> None:
        """Waits until so many more have ended, those that are under way among them."""
        wanted = len(self.finished) + number
        while len(self.finished) < wanted:
            self._one_more.clear()
            await self._one_more.wait()

    async def in_step(self) -> None:
        """Waits until every check has ended twice.

        The first probe of a new check comes before its slot, perhaps just before; then the second one, which waits
        for it to end, starts late.
        """
        ended = Counter(one.check.key for one in self.finished)
        while len(ended) < CHECKS or min(ended.values()) < 2:
            await self.ended(1)
            ended = Counter(one.check.key for one in self.finished)

    def troubles(self, excused_s: float = 0.0) -> list[str]:
        """Returns what was not as it should be since the last call, in words.

        Args:
            excused_s: how long the machine let the processes wait.
        """
        seen, self.finished = self.finished, []
        missed, self.telemetry.missed = self.telemetry.missed, []
        starved = excused_s > LATE_S
        found = [] if starved else [f"{key} missed a slot" for key in missed]
        for one in seen:
            if one.result.status is not Status.UP and not (starved and one.result.reason in STARVED):
                found.append(f"{one.result.status} {one.result.reason}: {one.result.detail}")
            elif one.delay_s > LATE_S + excused_s:
                found.append(f"started {one.delay_s:.2f} s late")
            elif one.result.duration_s > LATENCY_S + LATE_S + excused_s:
                found.append(f"took {one.result.duration_s:.2f} s")
        return found


@asynccontextmanager
async def sailing(port: int, environment: ProbeEnvironment) -> AsyncIterator[Fleet]:
    """Turns the fleet against an honest server on a port, until it is under way and then until the end."""
    fleet = Fleet()
    wheel = Wheel(SystemClock(), fleet.telemetry, fleet.take)
    wheel.replace(_checks(port, environment))
    turning = asyncio.create_task(wheel.run())
    await fleet.in_step()
    fleet.troubles()  # the start is not what is tested
    try:
        yield fleet
    finally:
        turning.cancel()
        with suppress(asyncio.CancelledError):
            await turning


def _checks(port: int, environment: ProbeEnvironment) -> Mapping[str, tuple[Check, Probe]]:
    options = KINDS["http"].Options.model_validate({"kind": "http", "timeout_s": 5, "expect_text": "as it should be"})
    checks = [
        make_check(
            f"calm-{number}/http",
            interval_s=INTERVAL_S,
            options=options,
            url=f"http://calm.test:{port}/",
            host_group="calm.test",
            host_cap=CHECKS,
        )
        for number in range(CHECKS)
    ]
    return {check.key: (check, KINDS["http"](check, environment)) for check in checks}
