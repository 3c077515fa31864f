"""Probes a check once, as the wheel would, and waits for its result."""

import asyncio
from pathlib import Path

from probes.environment import ProbeEnvironment, Resolver
from probes.kind import ProbeKind
from sentry.clock import SystemClock
from sentry.domain.result import ProbeResult
from sentry.domain.site import CheckOptions
from sentry.ports import Clock, HeartbeatBook
from tests.fakes.checks import START, make_check
from tests.fakes.heartbeats import MemoryHeartbeatBook
from tests.fakes.resolver import TableResolver


def make_environment(
    *,
    clock: Clock | None = None,
    resolver: Resolver | None = None,
    heartbeats: HeartbeatBook | None = None,
    ca_file: Path | None = None,
) -> ProbeEnvironment:
    """The collaborators of a probe: the real clock, names that are all 127.0.0.1, an empty book."""
    return ProbeEnvironment(
        clock=clock or SystemClock(),
        resolver=resolver or TableResolver(),
        heartbeats=heartbeats or MemoryHeartbeatBook(),
        ca_file=ca_file,
        whole_evidence=True,
    )


async def probed(
    kind: type[ProbeKind],
    options: CheckOptions,
    *,
    environment: ProbeEnvironment | None = None,
    url: str = "http://shop.example/",
) -> ProbeResult:
    """The result of one new probe."""
    check = make_check(f"shop/{options.kind}", options=options, url=url)
    return await run_once(kind(check, environment or make_environment()))


async def run_once(probe: ProbeKind) -> ProbeResult:
    """The result of one more run of a probe."""
    result: asyncio.Future[ProbeResult] = asyncio.get_running_loop().create_future()
    probe.start(START, result.set_result)
    return await result
