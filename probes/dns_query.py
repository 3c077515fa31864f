"""One question to one DNS server: bounded, timed, its faults named.

dnspython makes and reads the messages. Sending is done here, because an answer of 64 KiB takes dnspython a third of a
second to read, in which the event loop would stand still: its header is looked at first.
"""

import asyncio
import struct

import dns.exception
import dns.flags
import dns.message
import dns.name

from probes.environment import ProbeFailure
from probes.nameserver import NameServer
from probes.plain_text import one_line
from probes.socket_faults import socket_failure
from sentry.domain.result import Phase, Reason

TRIES = 3
"""UDP loses datagrams; a lost one must not look like a dead server (resolv.conf's default is 2)."""

MAX_RECORDS = 500
"""Over all sections; about 40 ms to read. No real zone gives a single name so many."""

HEADER_BYTES, TRUNCATED = 12, 0x02


async def ask(
    server: NameServer,
    name: str,
    record_type: str,
    *,
    transport: str = "udp",
    timeout_s: float,
    recursion_desired: bool = True,
) -> dns.message.Message:
    """Asks one server and returns its answer, whatever its rcode.

    A truncated answer over UDP is fetched again over TCP. Cancelling it frees its sockets.

    Args:
        server: which one.
        name: in ASCII; absolute, with or without the last dot.
        record_type: as DNS calls it, e.g. `AAAA`.
        transport: `udp` or `tcp`.
        timeout_s: over all tries, seconds.
        recursion_desired: False asks as a resolver asks an authoritative server.

    Raises:
        ProbeFailure: in `Phase.DNS`: DNS_TIMEOUT, DNS_SERVER_FAILURE, or an agent's reason.
    """
    query = dns.message.make_query(_absolute(name), record_type, use_edns=True)
    if not recursion_desired:
        query.flags &= ~dns.flags.RD
    try:
        async with asyncio.timeout(timeout_s):
            if transport == "tcp":
                return await _over_tcp(query, server)
            return await _over_udp(query, server, timeout_s / TRIES)
    except TimeoutError as error:
        detail = f"DNS server {server} gave no answer within {timeout_s:g} s"
        raise ProbeFailure(Reason.DNS_TIMEOUT, detail, phase=Phase.DNS) from error
    except (dns.exception.DNSException, asyncio.IncompleteReadError, ValueError) as error:
        detail = f"DNS server {server} sent a malformed answer: {one_line(str(error), 100)}"
        raise ProbeFailure(Reason.DNS_SERVER_FAILURE, detail, phase=Phase.DNS) from error
    except OSError as error:
        raise _unreachable(server, error) from error


async def _over_tcp(query: dns.message.Message, server: NameServer) -> dns.message.Message:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        wire = query.to_wire()
        writer.write(struct.pack("!H", len(wire)) + wire)
        await writer.drain()
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        return _read(query, await reader.readexactly(length))
    finally:
        writer.transport.abort()  # nothing is owed to the other side, and a polite end could take its time


async def _over_udp(query: dns.message.Message, server: NameServer, try_s: float) -> dns.message.Message:
    for attempt in range(1, TRIES + 1):
        try:
            async with asyncio.timeout(try_s):
                wire = await _datagram(query.to_wire(), server)
        except TimeoutError:
            if attempt == TRIES:
                raise
        else:
            is_truncated = wire[:2] == query.to_wire()[:2] and wire[2:3] and wire[2] & TRUNCATED
            return await _over_tcp(query, server) if is_truncated else _read(query, wire)
    raise AssertionError("unreachable: the last try returns or raises")


async def _datagram(wire: bytes, server: NameServer) -> bytes:
    """Asks over a connected socket, so that a closed port is heard of at once and no third party can answer."""
    loop = asyncio.get_running_loop()
    first: asyncio.Future[bytes] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _FirstDatagram(first), remote_addr=(server.host, server.port)
    )
    try:
        transport.sendto(wire)
        return await first
    finally:
        transport.abort()


class _FirstDatagram(asyncio.DatagramProtocol):
    """Keeps the first thing that is heard: an answer or an error."""

    def __init__(self, first: asyncio.Future[bytes]) -> None:
        self._first = first

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Takes the answer."""
        del addr
        if not self._first.done():
            self._first.set_result(data)

    def error_received(self, exc: Exception) -> None:
        """Takes what ICMP said."""
        if not self._first.done():
            self._first.set_exception(exc)


def _read(query: dns.message.Message, wire: bytes) -> dns.message.Message:
    """Parses an answer that is not too long for it."""
    if len(wire) >= HEADER_BYTES and sum(struct.unpack_from("!4H", wire, 4)) > MAX_RECORDS:
        raise ValueError(f"more than {MAX_RECORDS} records")
    answer = dns.message.from_wire(wire)
    if not query.is_response(answer):
        raise ValueError("an answer to another question")
    return answer


def _absolute(name: str) -> dns.name.Name:
    try:
        return dns.name.from_text(name)
    except dns.exception.DNSException as error:
        detail = f"'{name[:100]}' is no valid DNS name: {error}"
        raise ProbeFailure(Reason.DNS_NXDOMAIN, detail, phase=Phase.DNS) from error


def _unreachable(server: NameServer, error: OSError) -> ProbeFailure:
    """A server that cannot be reached failed to answer; a shortage of ours stays ours."""
    failure = socket_failure(error, address=str(server), phase=Phase.DNS)
    if failure.reason.is_agents_fault:
        return failure
    return ProbeFailure(Reason.DNS_SERVER_FAILURE, f"DNS server {server}: {error.strerror or error}", phase=Phase.DNS)
