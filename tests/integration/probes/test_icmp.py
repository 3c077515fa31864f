"""The icmp check against this machine itself."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from probes.environment import ProbeFailure
from probes.icmp import IcmpOptions, IcmpProbe
from probes.icmp_socket import IcmpSocket
from sentry.domain.result import Phase, ProbeResult, Reason, Status
from tests.fakes.probing import make_environment, probed
from tests.fakes.resolver import TableResolver

ROOT = Path(__file__).parents[3]


@pytest.fixture
def icmp() -> None:
    """Skips where this machine forbids ICMP, and fails there in CI: nobody would see that it is never tested."""
    try:
        with IcmpSocket.open("127.0.0.1"):
            pass
    except ProbeFailure as refused:
        if os.environ.get("CI") == "true":
            pytest.fail(refused.detail)
        pytest.skip(refused.detail)


async def ping(**options: Any) -> ProbeResult:
    options = {"timeout_s": 3, "reply_timeout_s": 0.5, "spacing_s": 0.01, **options}
    return await probed(IcmpProbe, IcmpOptions(**options), url="http://127.0.0.1/")


@pytest.mark.usefixtures("icmp")
@pytest.mark.parametrize(("host", "protocol"), [("127.0.0.1", 4), ("::1", 6)])
async def test_icmp_host_that_answers_is_up_with_figures(host: str, protocol: int) -> None:
    """Both families work, with the figures that dashboards of blackbox_exporter expect."""
    result = await ping(host=host)
    assert (result.status, result.detail) == (Status.UP, "")
    values = result.evidence.values
    assert (values["ip_protocol"], values["icmp_packets_sent"], values["icmp_packet_loss_ratio"]) == (protocol, 3, 0)
    assert 0 < values["icmp_reply_hop_limit"] <= 255
    assert 0 < values["icmp_rtt_min_seconds"] <= result.phases[Phase.PROCESSING] <= values["icmp_rtt_max_seconds"]
    assert set(result.phases) == {Phase.DNS, Phase.CONNECT, Phase.PROCESSING}


@pytest.mark.usefixtures("icmp")
async def test_icmp_host_absent_pings_the_sites_host() -> None:
    """A check needs no more than its kind."""
    assert (await ping()).evidence.address == "127.0.0.1"


@pytest.mark.usefixtures("icmp")
async def test_icmp_parallel_probes_take_only_their_own_replies() -> None:
    """Raw sockets hear every reply of the machine; the cookie tells whose it is."""
    results = await asyncio.gather(*(ping(packets=5) for _ in range(8)))
    assert {result.evidence.values["icmp_packet_loss_ratio"] for result in results} == {0}


@pytest.mark.usefixtures("icmp")
async def test_icmp_slow_round_trip_is_degraded() -> None:
    """A mean above the limit counts, but is not down."""
    result = await ping(max_rtt_s=1e-7)
    assert (result.status, result.reason) == (Status.DEGRADED, Reason.SLOW_RESPONSE)
    assert "limit 0.0001 ms" in result.detail


async def test_icmp_name_not_found_fails_in_dns() -> None:
    """The lookup is a phase of its own."""
    gone = ProbeFailure(Reason.DNS_NXDOMAIN, "gone.test: no such name", phase=Phase.DNS)
    environment = make_environment(resolver=TableResolver({"gone.test": gone}))
    result = await probed(IcmpProbe, IcmpOptions(host="gone.test"), environment=environment)
    assert (result.status, result.reason, result.failed_phase) == (Status.DOWN, Reason.DNS_NXDOMAIN, Phase.DNS)


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Drops root for the test; skips where even then ICMP is permitted."""
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        os.setegid(65_534)
        os.seteuid(65_534)
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).close()
    except PermissionError:
        yield
    else:
        pytest.skip("net.ipv4.ping_group_range permits ICMP to everybody here")
    finally:
        if user == 0:
            os.seteuid(user)
            os.setegid(group)


@pytest.mark.usefixtures("unprivileged")
async def test_icmp_not_permitted_is_unknown_and_says_how_to_permit_it() -> None:
    """A missing permission is ours, never the site's, and the line says what to do."""
    result = await ping()
    assert (result.status, result.reason) == (Status.UNKNOWN, Reason.AGENT_RESOURCES)
    assert "net.ipv4.ping_group_range" in result.detail
    assert "CAP_NET_RAW" in result.detail


@pytest.mark.usefixtures("icmp")
async def test_icmp_short_deadline_shortens_the_wait() -> None:
    """A deadline alone is enough to say how patient to be."""
    result = await probed(IcmpProbe, IcmpOptions(host="127.0.0.1", timeout_s=0.5))
    assert (result.status, result.detail) == (Status.UP, "")
    assert IcmpOptions(timeout_s=0.5).last_wait_s == pytest.approx(0.08)


PING = """
import asyncio, sys
from probes.icmp import IcmpOptions, IcmpProbe
from tests.fakes.probing import probed
options = IcmpOptions(host=sys.argv[1], timeout_s=3, spacing_s=0.01, reply_timeout_s=0.2)
result = asyncio.run(probed(IcmpProbe, options))
print(result.status, result.reason, result.failed_phase, result.detail, *result.evidence.log, sep="|")
"""


async def ping_in_own_network(setting: str, host: str) -> str:
    """What a probe says in a network of its own, so set; skips where such a network cannot be made."""
    script = f'ip link set lo up && {setting} && exec "$@"'
    command = ("unshare", "--net", "sh", "-c", script, "sh", sys.executable, "-c", PING, host)
    try:
        running = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, cwd=ROOT)
    except FileNotFoundError:
        pytest.skip("there is no unshare command here")
    output, errors = await running.communicate()
    if running.returncode and b"Traceback" not in errors:
        pytest.skip(errors.decode(errors="replace").strip())
    assert errors == b""
    return output.decode().strip()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_icmp_where_everybody_may_ping_needs_no_raw_socket(host: str) -> None:
    """Where the system permits it, the datagram socket is taken."""
    said = await ping_in_own_network("echo '0 2147483647' >/proc/sys/net/ipv4/ping_group_range", host)
    assert said.startswith("up|None|None||")
    assert "an unprivileged ICMP socket" in said


@pytest.mark.parametrize(
    ("setting", "host", "verdict"),
    [
        (
            "echo 1 >/proc/sys/net/ipv4/icmp_echo_ignore_all",
            "127.0.0.1",
            "down|reply_timeout|processing|none of 3 echo requests to 127.0.0.1 was answered",
        ),
        ("ip route add unreachable 203.0.113.0/24", "203.0.113.1", "down|connect_unreachable|connect|"),
        ("true", "203.0.113.1", "unknown|agent_network|connect|this machine has no route"),
    ],
)
async def test_icmp_that_is_not_answered_says_whose_fault_it_is(setting: str, host: str, verdict: str) -> None:
    """Silence and an unreachable host are down; a machine without a route accuses itself."""
    assert (await ping_in_own_network(setting, host)).startswith(verdict)


def test_icmp_round_longer_than_the_deadline_is_refused() -> None:
    """Settings that cannot work are met when the configuration is read."""
    with pytest.raises(ValidationError, match="raise timeout_s or send fewer packets"):
        IcmpOptions(packets=20, spacing_s=1, timeout_s=10)
