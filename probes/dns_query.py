"""One question to one DNS server, by dnspython: bounded, timed, its faults named."""

import asyncio
import socket

import dns.asyncbackend
import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name

from probes.environment import ProbeFailure
from probes.nameserver import NameServer
from probes.socket_faults import socket_failure
from sentry.domain.result import Phase, Reason

TRIES = 3
"""UDP loses datagrams; a lost one must not look like a dead server (resolv.conf's default is 2)."""


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
    except (dns.exception.DNSException, EOFError, ValueError) as error:
        detail = f"DNS server {server} sent a malformed answer: {type(error).__name__}"
        raise ProbeFailure(Reason.DNS_SERVER_FAILURE, detail, phase=Phase.DNS) from error
    except OSError as error:
        raise _unreachable(server, error) from error


async def _over_tcp(query: dns.message.Message, server: NameServer) -> dns.message.Message:
    return await dns.asyncquery.tcp(query, server.host, port=server.port)


async def _over_udp(query: dns.message.Message, server: NameServer, try_s: float) -> dns.message.Message:
    for attempt in range(1, TRIES + 1):
        try:
            async with asyncio.timeout(try_s):
                return await _over_udp_once(query, server)
        except TimeoutError:
            if attempt == TRIES:
                raise
        except dns.message.Truncated:
            return await _over_tcp(query, server)
    raise AssertionError("unreachable: the last try returns or raises")


async def _over_udp_once(query: dns.message.Message, server: NameServer) -> dns.message.Message:
    """Asks over a connected socket, so that a closed port is heard of at once and no third party can answer."""
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    backend = dns.asyncbackend.get_default_backend()
    made = backend.make_socket(  # type: ignore[no-untyped-call]  # dnspython leaves its arguments bare
        family, socket.SOCK_DGRAM, 0, None, (server.host, server.port)
    )
    async with await made as connected:
        return await dns.asyncquery.udp(
            query, server.host, port=server.port, sock=connected, raise_on_truncation=True, backend=backend
        )


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
