"""Probes once with real sockets, as the watch would."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from probes import KINDS
from probes.environment import ProbeEnvironment, Resolver
from sentry.clock import SystemClock
from sentry.domain.result import ProbeResult
from sentry.ports import Heartbeat
from tests.fakes.checks import make_check
from tests.fakes.resolver import TableResolver

SLOT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class NoHeartbeats:
    def last(self, check_key: str) -> Heartbeat | None:
        return None

    async def record(self, check_key: str, heartbeat: Heartbeat) -> None:
        raise AssertionError("no probe of these records a heartbeat")


def make_environment(*, ca_file: Path | None = None, resolver: Resolver | None = None) -> ProbeEnvironment:
    """An environment with the real clock, and with names that all lie on loopback."""
    return ProbeEnvironment(
        clock=SystemClock(),
        resolver=resolver or TableResolver(),
        heartbeats=NoHeartbeats(),
        ca_file=ca_file,
        user_agent="online-sentry/test",
    )


async def probe_once(
    url: str,
    *,
    kind: str = "http",
    environment: ProbeEnvironment | None = None,
    ca_file: Path | None = None,
    options: Mapping[str, object] | None = None,
) -> ProbeResult:
    """Prepares a check of the kind with these options, probes once and returns the result."""
    settings = KINDS[kind].Options.model_validate({"kind": kind, "timeout_s": 5, **(options or {})})
    check = make_check(f"site/{kind}", options=settings, url=url)
    result: asyncio.Future[ProbeResult] = asyncio.get_running_loop().create_future()
    KINDS[kind](check, environment or make_environment(ca_file=ca_file)).start(SLOT, result.set_result)
    return await result
