"""Probes once through a proxy, and says whose fault it was."""

import base64
from pathlib import Path

from probes.environment import ProbeEnvironment
from sentry.domain.result import Phase, ProbeResult, Reason, Status
from tests.fakes.resolver import TableResolver
from tests.integration.hostile_servers import Behaviour, Exchange, HostileServer, serving
from tests.integration.probing import make_environment, probe_once

PASSWORD = "s3cret:word"
BASIC = "Basic " + base64.b64encode(f"ana:{PASSWORD}".encode()).decode()
CREDENTIALS = "ana:s3cret%3Aword@"


def outside(ca_file: Path | None = None) -> ProbeEnvironment:
    """An environment that can resolve the proxy's name alone: the sites' are the proxy's business."""
    return make_environment(ca_file=ca_file, resolver=TableResolver({"proxy.test": ("127.0.0.1",)}, otherwise=()))


async def probe_through(
    port: int, url: str, *, credentials: str = "", environment: ProbeEnvironment | None = None, **options: object
) -> ProbeResult:
    """Probes once through the proxy at a port."""
    written = {"proxy": f"http://{credentials}proxy.test:{port}", **options}
    return await probe_once(url, environment=environment or outside(), options=written)


async def connect_answered(
    behave: Behaviour, *, credentials: str = "", timeout_s: float = 5
) -> tuple[ProbeResult, HostileServer]:
    """Probes an https site through a proxy that behaves so when it is asked for a tunnel."""
    async with serving(behave) as proxy:
        url = "https://shop.test/"
        result = await probe_through(proxy.port, url, credentials=credentials, timeout_s=timeout_s)
    return result, proxy


def at_length(response: bytes) -> Behaviour:
    """Sends more than anybody takes, and stays until the probe has gone."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(response)
        await exchange.reader.read()

    return behave


def assert_unknown(result: ProbeResult, detail: str, phase: Phase = Phase.CONNECT) -> None:
    """The proxy's fault, which counts against nobody."""
    verdict = (result.status, result.reason, result.failed_phase)
    assert verdict == (Status.UNKNOWN, Reason.AGENT_NETWORK, phase), result.detail
    assert result.detail == detail


def assert_nothing_secret(result: ProbeResult) -> None:
    """Neither password nor token is in anything that is kept."""
    shown = repr(result)
    assert PASSWORD not in shown
    assert "s3cret" not in shown
    assert BASIC.partition(" ")[2][:8] not in shown
