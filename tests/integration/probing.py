"""Probes once with real sockets, as the watch would."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from probes import KINDS
from probes.environment import ProbeEnvironment, Resolver
from sentry.clock import SystemClock
from sentry.domain.result import ProbeResult
from sentry.domain.site import Plan
from sentry.metrics.series import CheckSeries
from sentry.ports import Heartbeat
from tests.fakes.checks import make_check
from tests.fakes.resolver import TableResolver

SLOT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class NoHeartbeats:
    def last(self, check_key: str) -> Heartbeat | None:
        return None

    async def record(self, check_key: str, heartbeat: Heartbeat) -> None:
        raise AssertionError("no probe of these records a heartbeat")


def make_environment(
    *, ca_file: Path | None = None, resolver: Resolver | None = None, whole_evidence: bool = True
) -> ProbeEnvironment:
    """An environment with the real clock, and with names that all lie on loopback; it keeps what `probe` shows."""
    return ProbeEnvironment(
        clock=SystemClock(),
        resolver=resolver or TableResolver(),
        heartbeats=NoHeartbeats(),
        ca_file=ca_file,
        user_agent="online-sentry/test",
        whole_evidence=whole_evidence,
    )


def gauges(result: ProbeResult) -> dict[str, float]:
    """What the metrics page says of a result, by family without `probe_`; of families with labels the last one."""
    cells = CheckSeries(result.check_key.partition("/")[2]).cells(result)
    return {
        column.partition("{")[0].removeprefix("probe_"): float(text.rpartition(b" ")[2])
        for column, text in cells.items()
    }


async def probe_once(
    url: str,
    *,
    kind: str = "http",
    environment: ProbeEnvironment | None = None,
    ca_file: Path | None = None,
    options: Mapping[str, object] | None = None,
    plan: Plan | None = None,
) -> ProbeResult:
    """Prepares a check of the kind with these options, probes once and returns the result."""
    settings = KINDS[kind].Options.model_validate({"kind": kind, "timeout_s": 5, **(options or {})})
    check = make_check(f"site/{kind}", options=settings, url=url, plan=plan)
    result: asyncio.Future[ProbeResult] = asyncio.get_running_loop().create_future()
    KINDS[kind](check, environment or make_environment(ca_file=ca_file)).start(SLOT, result.set_result)
    return await result
