"""The agent's surroundings with real sockets: who answers, who does not, and what the kernel's tables say."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from probes.surroundings import AgentSurroundings, MachineTables
from sentry.domain.anchor import Anchor, parse_anchor
from sentry.domain.own_fault import Voice, VoiceKind
from tests.integration.dns_server import dns_server, silence
from tests.integration.probing import make_environment

WITHIN_S = 1.0
NOWHERE = MachineTables(Path("/nonexistent"), Path("/nonexistent"))
ROUTE = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
ARP = "IP address       HW type     Flags       HW address            Mask     Device\n"


@asynccontextmanager
async def listener() -> AsyncIterator[Anchor]:
    """Something that takes connections on a network of its own."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.1.1", 0)
    async with server:
        yield parse_anchor(f"127.0.1.1:{server.sockets[0].getsockname()[1]}")


def closed_port() -> Anchor:
    """Nobody listens there any more."""
    with socket.socket() as taken:
        taken.bind(("127.0.2.1", 0))
        return parse_anchor(f"127.0.2.1:{taken.getsockname()[1]}")


async def heard(
    *anchors: Anchor, resolvers: tuple[str, ...] = (), tables: MachineTables = NOWHERE
) -> dict[str, Voice]:
    surroundings = AgentSurroundings(make_environment(), anchors, resolvers or ("127.0.0.1:9",), tables)
    return {voice.name: voice for voice in await surroundings.ask(WITHIN_S)}


async def test_anchors_that_listen_and_that_refuse_are_told_apart() -> None:
    """A refusal may come from any firewall on the way, and proves no way out."""
    gone = closed_port()
    async with listener() as anchor:
        voices = await heard(anchor, gone)

    assert (voices[anchor.name].answers, voices[anchor.name].network) == (True, "127.0.1.0/24")
    assert (voices[gone.name].answers, voices[gone.name].network) == (False, "127.0.2.0/24")
    assert "refused" in voices[gone.name].detail


async def test_each_resolver_is_asked_by_itself() -> None:
    """One answers, one is silent, one can find nothing out, one is not there."""
    async with dns_server() as good, dns_server() as mute, dns_server() as lost:
        mute.sabotage(".", silence)
        mute.sabotage("", silence)
        lost.fail(".", "SERVFAIL")
        lost.fail("", "SERVFAIL")
        voices = await heard(resolvers=(good.address, mute.address, lost.address, "127.0.0.1:9"))

    answers = {name: voice.answers for name, voice in voices.items() if voice.kind is VoiceKind.RESOLVER}
    assert answers == {good.address: True, mute.address: False, lost.address: False, "127.0.0.1:9": False}
    assert not any(voice.outside for name, voice in voices.items() if name in answers)
    assert "no answer within 1 s" in voices[mute.address].detail


async def test_gateway_of_the_kernels_table_is_pinged(tmp_path: Path) -> None:
    """The default route with the least metric names it; this machine answers for it here."""
    routes = tmp_path / "route"
    routes.write_text(
        ROUTE
        + "eth1\t00000000\t0902A8C0\t0003\t0\t0\t200\t00000000\t0\t0\t0\n"
        + "eth0\t00000000\t0100007F\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
        + "eth0\t0002A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
    )

    voice = (await heard(tables=MachineTables(routes, tmp_path / "arp")))["gateway"]

    assert (voice.answers, voice.outside) == (True, False)
    assert "127.0.0.1 answers pings" in voice.detail


async def test_machine_without_a_default_route_has_a_silent_gateway() -> None:
    """It counts only for a machine that once had one."""
    voice = (await heard())["gateway"]

    assert (voice.answers, voice.detail) == (False, "no default route")


def test_neighbour_that_the_kernel_asked_for_in_vain_is_missing(tmp_path: Path) -> None:
    """Where no ping may be sent, the kernel may know it anyway."""
    arp = tmp_path / "arp"
    arp.write_text(
        ARP
        + "192.168.2.1      0x1         0x0         00:00:00:00:00:00     *        eth0\n"
        + "192.168.2.9      0x1         0x2         02:00:00:00:00:09     *        eth0\n"
    )
    tables = MachineTables(tmp_path / "route", arp)

    assert tables.is_missing("192.168.2.1")
    assert not tables.is_missing("192.168.2.9")


async def test_anchor_that_is_pinged_answers() -> None:
    """The round trip of one echo request is enough."""
    anchor = parse_anchor("icmp:127.0.3.1")

    assert (await heard(anchor))[anchor.name].answers
