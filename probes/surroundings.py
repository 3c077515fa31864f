"""Asks those that tell the agent whether its own network works: anchors, every resolver by itself, the gateway."""

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path

import dns.rcode

from probes.address_trial import Trial
from probes.dns_query import ask
from probes.environment import ProbeEnvironment, ProbeFailure
from probes.icmp import EchoRound
from probes.icmp_socket import IcmpSocket
from probes.nameserver import NameServer, parse_nameserver, system_nameservers
from probes.plain_text import one_line
from sentry.domain.anchor import Anchor, AnchorKind
from sentry.domain.own_fault import Voice, VoiceKind
from sentry.domain.result import Reason
from sentry.ports import Clock

PINGS = 3
"""Echo requests to one address; a lost one must not look like a dead gateway."""

GATEWAY = "gateway"
ROUTES, NEIGHBOURS = Path("/proc/net/route"), Path("/proc/net/arp")
ROUTE_COLUMNS, METRIC_COLUMN = 8, 6
NEIGHBOUR_COLUMNS, INCOMPLETE = 6, "0x0"


@dataclass(frozen=True, slots=True)
class MachineTables:
    """The files in which the kernel shows its routes and neighbours (proc(5))."""

    routes: Path = ROUTES
    neighbours: Path = NEIGHBOURS

    def gateway(self) -> str | None:
        """Returns the address of the default gateway over IPv4, None where there is none."""
        rows = (line.split() for line in _lines(self.routes)[1:])
        found = [
            (int(row[METRIC_COLUMN]), row[2])
            for row in rows
            if len(row) >= ROUTE_COLUMNS and row[1] == row[7] == "00000000" and row[2] != "00000000"
        ]
        return socket.inet_ntoa(struct.pack("=L", int(min(found)[1], 16))) if found else None

    def is_missing(self, address: str) -> bool:
        """Whether the kernel has asked for a neighbour in vain."""
        rows = (line.split() for line in _lines(self.neighbours)[1:])
        return any(len(row) >= NEIGHBOUR_COLUMNS and row[0] == address and row[2] == INCOMPLETE for row in rows)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:  # another system than Linux
        return []


class AgentSurroundings:
    """Fills `Surroundings` with real connections, lookups and pings."""

    def __init__(
        self,
        environment: ProbeEnvironment,
        anchors: Sequence[Anchor],
        resolvers: Sequence[str] = (),
        tables: MachineTables | None = None,
    ) -> None:
        """Prepares the questions; nothing is sent.

        Args:
            environment: clock and engine.
            anchors: who answers at all times.
            resolvers: DNS servers as they are configured; the system's where there are none.
            tables: the kernel's routes and neighbours.
        """
        self._environment = environment
        self._anchors = anchors
        self._resolvers = tuple(map(parse_nameserver, resolvers)) or system_nameservers()
        self._tables = tables or MachineTables()

    async def ask(self, deadline_s: float) -> Sequence[Voice]:
        """Asks all of them anew, at once, and says who answered within the deadline; never raises for a dead one."""
        questions: list[Awaitable[Voice | None]] = [
            *(self._anchor(anchor, deadline_s) for anchor in self._anchors),
            *(self._resolver(server, deadline_s) for server in self._resolvers),
            self._gateway(deadline_s),
        ]
        return [voice for voice in await asyncio.gather(*questions) if voice is not None]

    async def _anchor(self, anchor: Anchor, within_s: float) -> Voice:
        if anchor.kind is AnchorKind.ICMP:
            answers, detail = await _echoes(anchor.host, self._environment.clock, within_s)
            return Voice(VoiceKind.ANCHOR, anchor.name, anchor.network, bool(answers), detail=detail)
        trial = Trial(self._environment, anchor.host, anchor.port, within_s)
        await trial.run("", None)
        detail = trial.connect_failure.detail if trial.connect_failure is not None else "connected"
        return Voice(VoiceKind.ANCHOR, anchor.name, anchor.network, trial.connected, detail=one_line(detail, 200))

    async def _resolver(self, server: NameServer, within_s: float) -> Voice:
        """Asks for the root's servers: every resolver knows them, and any answer of a living one will do."""
        try:
            answer = await ask(server, ".", "NS", timeout_s=within_s)
        except ProbeFailure as failure:
            answers, detail = False, failure.detail
        else:
            answers, detail = answer.rcode() != dns.rcode.SERVFAIL, dns.rcode.to_text(answer.rcode())
        outside = ipaddress.ip_address(server.host).is_global
        name = str(server)
        return Voice(VoiceKind.RESOLVER, name, name, answers, outside=outside, detail=one_line(detail, 200))

    async def _gateway(self, within_s: float) -> Voice | None:
        """Pings the gateway; None where nothing can be said of it."""
        address = self._tables.gateway()
        if address is None:
            return Voice(VoiceKind.GATEWAY, GATEWAY, GATEWAY, answers=False, outside=False, detail="no default route")
        answers, detail = await _echoes(address, self._environment.clock, within_s)
        if answers is None:
            if not self._tables.is_missing(address):
                return None
            detail = f"{address} is not there any more"
        return Voice(VoiceKind.GATEWAY, GATEWAY, GATEWAY, bool(answers), outside=False, detail=detail)


async def _echoes(address: str, clock: Clock, within_s: float) -> tuple[bool | None, str]:
    """Returns whether an address answers a ping, and what was seen; None where this process may not send any."""
    try:
        link = IcmpSocket.open(address)
    except ProbeFailure as failure:
        return (None if failure.reason is Reason.AGENT_RESOURCES else False), one_line(failure.detail, 200)
    with link:
        echoes = EchoRound(link, clock)
        loop = asyncio.get_running_loop()
        loop.add_reader(link.fileno(), echoes.read)
        try:
            for sequence in range(PINGS):
                echoes.send(sequence)
                try:
                    async with asyncio.timeout(within_s / PINGS):
                        await echoes.finish(1)
                except TimeoutError:
                    continue
                return True, f"{address} answers pings"
        finally:
            loop.remove_reader(link.fileno())
    return False, f"{address} answered none of {PINGS} pings"
