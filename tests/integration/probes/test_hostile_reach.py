"""Redirects into the agent's own network are refused, by the address at the moment of connecting."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from probes.own_machine import is_own_address
from sentry.domain.result import Phase, ProbeResult, Reason, Status
from tests.fakes.resolver import TableResolver
from tests.integration.hostile_servers import Behaviour, HostileServer, answer, page, serving
from tests.integration.probing import make_environment, probe_once
from tests.integration.servers.agent import AgentProcess
from tests.integration.servers.agent_config import agent_document, write_config
from tests.integration.servers.process import wait_until

ROOT = Path(__file__).parents[3]
METADATA = "169.254.169.254"


def to(location: str) -> Behaviour:
    return answer(page(status=302, headers=(f"Location: {location}",)))


def assert_refused(result: ProbeResult, why: str) -> None:
    """The redirect is named as what failed, with where it would have led and why not."""
    assert (result.status, result.reason, result.failed_phase) == (
        Status.DOWN,
        Reason.REDIRECT_INVALID,
        Phase.PROCESSING,
    ), result.detail
    assert why in result.detail
    assert result.detail.endswith("allow_private_redirects would permit it")


async def probe_beside(own: HostileServer, url: str, **options: object) -> ProbeResult:
    """Probes as an agent would whose own pages another server plays."""
    environment = replace(make_environment(), own_ports=frozenset({own.port}))
    return await probe_once(url, environment=environment, options=options)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0.0.0.0", "site.test", "127.9.9.9"]
)
async def test_redirect_to_the_agents_own_pages_is_refused_and_never_asked(host: str) -> None:
    """However the address is written; nothing reaches the pages, be they on the site's own machine."""
    async with (
        serving(answer(page(b"secret")), host="0.0.0.0") as own,
        serving(to(f"http://{host}:{own.port}/api/tickets")) as site,
    ):
        result = await probe_beside(own, site.url())
        assert own.connections == 0
        allowed = await probe_beside(own, site.url(), allow_private_redirects=True)
    assert_refused(result, "where the agent serves its own pages")
    assert allowed.status is Status.UP


async def test_redirect_among_servers_of_this_machine_is_followed() -> None:
    """A site beside the agent redirects from port to port; so do the agent's own pages where they are watched."""
    async with serving(answer(page())) as own, serving(to(own.url())) as own_front:
        async with serving(answer(page())) as other, serving(to(other.url())) as site:
            among_sites = await probe_beside(own, site.url())
        environment = replace(make_environment(), own_ports=frozenset({own.port, own_front.port}))
        among_pages = await probe_once(own_front.url(), environment=environment)
    assert among_sites.status is Status.UP
    assert among_pages.status is Status.UP


async def test_redirect_to_a_clouds_metadata_is_refused_by_whatever_name() -> None:
    """A literal address, a name, an IPv6 form of it."""
    environment = make_environment(resolver=TableResolver({"innocent.test": (METADATA,)}))
    for host in (METADATA, "innocent.test", f"[::ffff:{METADATA}]", "[fd00:ec2::254]"):
        async with serving(to(f"http://{host}/latest/meta-data/iam/")) as site:
            result = await probe_once(site.url(), environment=environment)
        assert_refused(result, "link-local or a cloud's metadata service")


class Rebinding:
    """A resolver that answers a name differently each time, as its hostile owner wants."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)

    async def addresses(self, name: str, *, ip_version: int | None = None) -> Sequence[str]:
        return self._answers.pop(0)


async def test_redirect_to_a_name_that_has_moved_inwards_is_refused() -> None:
    """What counts is where the name lies when it is connected to, not where it lay before."""
    environment = make_environment(resolver=Rebinding(("127.0.0.1",), (METADATA,)))
    async with serving(to("/again")) as site:
        result = await probe_once(site.url(), environment=environment)
    assert_refused(result, f"site.test:{site.port}, and so to {METADATA}")


async def test_redirect_to_a_name_with_a_hidden_second_address_is_refused() -> None:
    """A first address that refuses does not open the way to a second one that is forbidden."""
    environment = make_environment(resolver=Rebinding(("127.0.0.1",), ("127.0.0.9", METADATA)))
    async with serving(answer(page()), host="127.0.0.9") as held:
        port = held.port
    async with serving(to(f"http://other.test:{port}/")) as site:
        result = await probe_once(site.url(), environment=environment)
    assert_refused(result, METADATA)


FROM_OUTSIDE = """
import asyncio, json, sys
from tests.integration.hostile_servers import answer, page, serving
from tests.integration.probing import make_environment, probe_once
from tests.integration.probes.test_hostile_reach import Rebinding, to

async def main():
    found = {}
    for host in sys.argv[1:]:
        listen = "::1" if host == "[::1]" else "0.0.0.0"
        async with serving(answer(page(b"inside")), host=listen) as inside:
            async with serving(to(f"http://{host}:{inside.port}/"), host="93.184.216.34") as site:
                for allowed in (False, True):
                    options = {"allow_private_redirects": allowed}
                    result = await probe_once(f"http://93.184.216.34:{site.port}/", options=options)
                    found[f"{host} {allowed}"] = (result.status, result.reason, result.detail, inside.connections)
    async with serving(to("/again"), host="93.184.216.34") as site:
        environment = make_environment(resolver=Rebinding(("93.184.216.34",), ("10.0.0.5",)))
        result = await probe_once(site.url(), environment=environment)
        found["rebinding"] = (result.status, result.reason, result.detail, 0)
    print(json.dumps(found))

asyncio.run(main())
"""
INSIDE = {
    "127.0.0.1": "on the agent's own machine",
    "[::1]": "on the agent's own machine",
    "[::ffff:127.0.0.1]": "on the agent's own machine",
    "localhost": "on the agent's own machine",
    "10.0.0.5": "in a private network",
}


async def test_redirect_from_the_internet_into_this_network_is_refused() -> None:
    """In a network of its own, where a public address lies on loopback: refused inwards, followed outwards."""
    hosts = [*INSIDE, "93.184.216.35"]
    found = json.loads(await run_with_public_addresses(FROM_OUTSIDE, *hosts))
    for host in hosts:
        status, reason, detail, reached = found[f"{host} False"]
        if host in INSIDE:
            assert (status, reason, reached) == ("down", "redirect_invalid", 0), detail
            assert f"which is {INSIDE[host]}, and the site itself is on the public internet" in detail
        else:
            assert (status, reached) == ("up", 1)
        status, _, detail, _ = found[f"{host} True"]
        assert status == "up", detail
    assert found["rebinding"][1] == "redirect_invalid"
    assert "10.0.0.5, which is in a private network" in found["rebinding"][2]


async def run_with_public_addresses(program: str, *arguments: str) -> str:
    """Runs Python in a network of its own; skips where such a network cannot be made."""
    addresses = ("93.184.216.34", "93.184.216.35", "10.0.0.5")
    script = " && ".join(["ip link set lo up", *(f"ip addr add {one}/32 dev lo" for one in addresses), 'exec "$@"'])
    command = ("unshare", "--net", "sh", "-c", script, "sh", sys.executable, "-c", program, *arguments)
    try:
        running = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, cwd=ROOT)
    except FileNotFoundError:
        pytest.skip("there is no unshare command here")
    output, errors = await running.communicate()
    if running.returncode and b"Traceback" not in errors:
        pytest.skip(errors.decode(errors="replace").strip())
    assert errors == b"", errors.decode()
    return output.decode()


def test_own_address_is_told_by_the_routing_table() -> None:
    """Loopback is this machine's, an address elsewhere is not, and nonsense is nobody's."""
    assert is_own_address("127.0.0.1")
    assert not is_own_address("192.0.2.1")
    assert not is_own_address("ff02::1")


@pytest.mark.parametrize("workers", [1, 2])
async def test_agent_refuses_redirects_to_its_own_pages(
    workers: int, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """The running agent knows where it listens, and so do its workers."""
    port = free_port()
    async with serving(to(f"http://127.0.0.1:{port}/metrics")) as site:
        config = write_config(tmp_path / "sentry.yaml", agent_document(port, {"shop": site.url("127.0.0.1")}))
        await asyncio.to_thread(run_until_refused, AgentProcess(config, port, workers=workers))


def run_until_refused(agent: AgentProcess) -> None:
    """Runs an agent until it counts a redirect that it refused."""
    with agent:
        wait_until(lambda: 'reason="redirect_invalid"' in agent.metrics(), "a refused redirect")
