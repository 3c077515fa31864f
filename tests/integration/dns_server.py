"""A small real DNS server on loopback, UDP and TCP on one port, that tests tell what to answer."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

SOA = "ns.test. admin.test. 1 3600 600 86400 300"
"""The negative answers carry this SOA, so that a resolver that caches failures is caught (RFC 2308: 300 s)."""

Sabotage = Callable[[dns.message.Message], list[bytes]]
"""Turns the right answer into the raw datagrams that are sent instead of it."""


MAX_UDP_BYTES = 1232
"""The usual limit since DNS flag day 2020; longer answers ask to come back over TCP."""


def whole(answer: dns.message.Message) -> bytes:
    """Returns an answer as it goes over TCP."""
    return answer.to_wire(max_size=65_535)


def garbage(answer: dns.message.Message) -> list[bytes]:
    """Returns a datagram with the right id that is no DNS message after it."""
    return [struct.pack("!HH", answer.id, 0x8180) + b"\xff" * 40]


def silence(answer: dns.message.Message) -> list[bytes]:
    """Returns nothing, as a dead resolver or a firewall does."""
    del answer
    return []


def truncated(answer: dns.message.Message) -> list[bytes]:
    """Returns an empty answer that asks to come back over TCP."""
    short = dns.message.QueryMessage(answer.id)
    short.question = answer.question
    short.flags = answer.flags | dns.flags.TC
    return [short.to_wire()]


@dataclass
class DnsServer:
    """Answers A, AAAA, CNAME and any other record it was given; NXDOMAIN for names it does not know.

    Attributes:
        queries: `(name, record type)` in the order asked, names without the last dot.
        delay_s: waited before each answer.
    """

    host: str = "127.0.0.1"
    port: int = 0
    delay_s: float = 0.0
    queries: list[tuple[str, str]] = field(default_factory=list)
    _records: dict[tuple[str, str], tuple[int, list[str]]] = field(default_factory=dict)
    _rcodes: dict[str, dns.rcode.Rcode] = field(default_factory=dict)
    _sabotage: dict[tuple[str, str | None], Sabotage] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def address(self) -> str:
        """`host:port`, as resolvers are configured."""
        return f"{self.host}:{self.port}"

    def add(self, name: str, record_type: str, *values: str, ttl: int = 60) -> None:
        """Makes a name answer with these values."""
        self._records[name, record_type] = (ttl, list(values))
        self._rcodes.pop(name, None)

    def remove(self, name: str) -> None:
        """Makes a name unknown again."""
        for key in [key for key in self._records if key[0] == name]:
            del self._records[key]

    def fail(self, name: str, rcode: str) -> None:
        """Makes a name answer with an rcode such as `SERVFAIL`."""
        self._rcodes[name] = dns.rcode.from_text(rcode)

    def sabotage(self, name: str, how: Sabotage, record_type: str | None = None) -> None:
        """Sends what `how` makes of the right answer, over UDP."""
        self._sabotage[name, record_type] = how

    def asked(self, name: str, record_type: str = "A") -> int:
        """Returns how often a question came."""
        return self.queries.count((name, record_type))

    def reply(self, wire: bytes, *, udp: bool) -> list[bytes]:
        """Returns the raw messages that answer a raw query."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return []
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        record_type = dns.rdatatype.to_text(question.rdtype)
        self.queries.append((name, record_type))
        answer = self._answer(query, name, record_type)
        how = self._sabotage.get((name, record_type)) or self._sabotage.get((name, None))
        if not udp:
            return [whole(answer)]
        if how is None and len(whole(answer)) > MAX_UDP_BYTES:
            how = truncated
        return how(answer) if how else [whole(answer)]

    def _answer(self, query: dns.message.Message, name: str, record_type: str) -> dns.message.Message:
        answer = dns.message.make_response(query, recursion_available=True)
        if name in self._rcodes:
            answer.set_rcode(self._rcodes[name])
            return answer
        known = any(key[0] == name for key in self._records)
        if not known:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self._fill(answer, name, record_type)
        if not answer.answer:
            answer.authority.append(dns.rrset.from_text("test.", 300, "IN", "SOA", SOA))
        return answer

    def _fill(self, answer: dns.message.Message, name: str, record_type: str) -> None:
        for kind in (record_type, "CNAME"):
            ttl, values = self._records.get((name, kind), (0, []))
            if values:
                answer.answer.append(dns.rrset.from_text(f"{name}.", ttl, "IN", kind, *values))
                if kind == "CNAME" != record_type:
                    self._fill(answer, values[0].rstrip("."), record_type)
                return

    async def serve_datagram(self, wire: bytes, send: Callable[[bytes], None]) -> None:
        """Answers one query over UDP, after the delay."""
        replies = self.reply(wire, udp=True)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        for reply in replies:
            send(reply)

    async def serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one query over TCP."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            for reply in self.reply(await reader.readexactly(length), udp=False):
                writer.write(struct.pack("!H", len(reply)) + reply)
            await writer.drain()
        writer.close()

    def spawn(self, wire: bytes, send: Callable[[bytes], None]) -> None:
        """Answers in a task of its own, so that a delayed answer holds nobody up."""
        task = asyncio.get_running_loop().create_task(self.serve_datagram(wire, send))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self.server = server
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # the transport of a datagram endpoint is one
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        def send(reply: bytes) -> None:
            if self.transport is not None and not self.transport.is_closing():
                self.transport.sendto(reply, addr)

        self.server.spawn(data, send)


@contextlib.asynccontextmanager
async def dns_server(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[DnsServer]:
    """Runs a server on a port, a free one when it is 0, until the block ends."""
    loop = asyncio.get_running_loop()
    server = DnsServer(host)
    stream = await asyncio.start_server(server.serve_stream, host, port)
    server.port = stream.sockets[0].getsockname()[1]
    transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(server), (host, server.port))
    try:
        yield server
    finally:
        transport.close()
        stream.close()
        await stream.wait_closed()
        for task in tuple(server._tasks):
            task.cancel()
