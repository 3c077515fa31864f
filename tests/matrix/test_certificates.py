"""The row of the fault matrix about certificates: real TLS servers, a real authority, the agent as a process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.time_lapse import Lapse
from tests.integration.alerting.http_server import serving as serving_authority
from tests.integration.authority import Authority, Identity, self_signed
from tests.integration.hostile_servers import answer, page, serving
from tests.integration.revoking import Revoking
from tests.integration.servers.agent_config import agent_document, write_config
from tests.integration.servers.process import wait_until
from tests.matrix.scene import QuickAgent

pytestmark = [pytest.mark.integration, pytest.mark.matrix]

HOST = "localhost"
ROOT = Authority.root("Matrix Root")
INTERMEDIATE = ROOT.intermediate("Matrix Intermediate")
REASONS = {
    "expired": "tls_expired",
    "self-signed": "tls_self_signed",
    "wrong-host": "tls_wrong_host",
    "cut-chain": "tls_missing_intermediate",
    "revoked": "tls_revoked",
}


@asynccontextmanager
async def poor_sites() -> AsyncIterator[Mapping[str, tuple[str, Identity]]]:
    """Five sites by what is wrong with their certificates, and the authority that has revoked one."""
    revoking = Revoking(ROOT)
    async with AsyncExitStack() as stack:
        authority = await stack.enter_async_context(serving_authority(revoking.serve))
        identities = {
            "expired": INTERMEDIATE.leaf(HOST, days=(-90, -3)),
            "self-signed": self_signed(HOST),
            "wrong-host": INTERMEDIATE.leaf("otra.test"),
            "cut-chain": INTERMEDIATE.leaf(HOST),
            "revoked": revoking.issue(authority.url, HOST),
        }
        revoking.known.append(identities["revoked"].certificate)
        revoking.revoked.append(identities["revoked"].certificate)
        sites = {}
        for name, identity in identities.items():
            context = identity.server_context(with_intermediates=name != "cut-chain")
            server = await stack.enter_async_context(serving(answer(page()), tls=context))
            sites[name] = server.url(HOST), identity
        yield sites


@pytest.mark.promise("002-08")
@pytest.mark.timeout(90)
async def test_five_poor_certificates_give_five_reasons_and_an_expiry_metric_each(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """The reason of each stands in its incident; when it ends is exported although no connection was trusted."""
    port = free_port()
    async with poor_sites() as sites:
        document = agent_document(
            port,
            {name: {"url": url, "checks": [{"kind": "http", "timeout_s": 30}]} for name, (url, _) in sites.items()},
            interval_s=60,
            recheck_after_s=(10, 20),
            probe={"ca_file": str(ROOT.write(tmp_path / "ca.pem"))},
            lookups={"private_addresses": True},
        )
        agent = QuickAgent(write_config(tmp_path / "sentry.yaml", document), port, Lapse.begin(10, datetime.now(UTC)))
        found = await asyncio.to_thread(_watched, agent)
        metrics = found.pop("metrics")

    assert found == REASONS
    for url, identity in sites.values():
        (expiry,) = [line for line in metrics.splitlines() if _is_expiry(line, url)]
        assert float(expiry.rpartition(" ")[2]) == identity.certificate.not_valid_after_utc.timestamp()


def _is_expiry(line: str, url: str) -> bool:
    return line.startswith("probe_ssl_earliest_cert_expiry{") and url in line


def _watched(agent: QuickAgent) -> dict[str, str]:
    """Runs the agent until it has an incident of each site; returns the reasons, and the page of metrics."""
    with agent:

        def outages() -> dict[str, str]:
            items = agent.get("/api/v1/incidents").json()["items"]
            return {one["site"]: one["reason"] for one in items if one["reason"]}

        wait_until(lambda: outages().keys() == REASONS.keys(), "an incident of each site", within_s=60)
        return outages() | {"metrics": agent.metrics()}
