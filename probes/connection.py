"""A new TCP connection for one probe: resolved, one address chosen, connected, each part timed."""

import asyncio
import errno
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from probes.environment import ProbeEnvironment, ProbeFailure
from probes.socket_faults import NO_LOCAL_ROUTE, no_route_failure, socket_failure
from probes.task import Trace
from sentry.domain.result import Phase, Reason

READ_BYTES = 65_536

MAX_ADDRESSES = 8
"""Addresses of one name that a probe tries at most."""

FAILED_AT_ONCE = {
    Reason.CONNECT_REFUSED,
    Reason.CONNECT_UNREACHABLE,
    Reason.CONNECTION_RESET,
    Reason.AGENT_NETWORK,
}
"""Failures to connect that leave the deadline for another address."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect to.

    Attributes:
        host: name or literal address, without brackets.
        ip_version: 4 or 6 to use that family only, None for the resolver's order.
    """

    host: str
    port: int
    ip_version: int | None = None

    def __str__(self) -> str:
        """Returns `host:port`, brackets round an IPv6 address."""
        return at_port(self.host, self.port)


class Stream(Protocol):
    """Bytes to and from a peer: a bare connection, or TLS over one."""

    async def send(self, data: bytes) -> None:
        """Sends all of it."""
        ...

    async def receive(self) -> bytes:
        """Returns what came next, b"" once the peer has closed."""
        ...


class Connection:
    """A connected TCP socket whose errors are verdicts in the phase under way."""

    def __init__(self, connected: socket.socket, ip: str, port: int, trace: Trace) -> None:
        """Takes over the socket.

        Args:
            connected: non-blocking, connected.
            ip: the peer's address.
            port: the peer's port.
            trace: tells the phase that an error is blamed on.
        """
        self._socket = connected
        self.ip, self.port = ip, port
        self.address = at_port(ip, port)
        self._trace = trace

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the socket; may be called again."""
        self._socket.close()

    async def send(self, data: bytes) -> None:
        """Sends all of it.

        Raises:
            ProbeFailure: the peer or this machine broke the connection.
        """
        try:
            await asyncio.get_running_loop().sock_sendall(self._socket, data)
        except OSError as error:
            raise self._failure(error) from error

    async def receive(self) -> bytes:
        """Returns what came next, at most `READ_BYTES`; b"" once the peer has closed.

        Raises:
            ProbeFailure: the peer or this machine broke the connection.
        """
        try:
            return await asyncio.get_running_loop().sock_recv(self._socket, READ_BYTES)
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> ProbeFailure:
        return socket_failure(error, address=self.address, phase=self._trace.phase or Phase.PROCESSING)


async def connect(endpoint: Endpoint, environment: ProbeEnvironment, trace: Trace) -> Connection:
    """Resolves the name and connects to the first of its addresses that takes the connection.

    The first address is the probe's; another one is tried only where that one failed at once (refused, unreachable,
    no local route), as every browser does: what visitors can use is not down. A time-out is not followed by another
    try, because it has used up the deadline. `probe_failed_addresses` counts those that refused.

    Raises:
        ProbeFailure: it did not resolve, or no connection was made; the verdict is that of the first address that
            failed from outside.
    """
    addresses = await resolve(endpoint, environment, trace)
    failures: dict[str, ProbeFailure] = {}
    for address in addresses[:MAX_ADDRESSES]:
        try:
            connection = await dial(address, endpoint.port, environment, trace)
        except ProbeFailure as failure:
            if failure.reason not in FAILED_AT_ONCE:
                raise
            failures[address] = failure
            trace.note(f"failed: {failure.detail}")
        else:
            trace.values["failed_addresses"] = len(failures)
            return connection
    trace.values["failed_addresses"] = len(failures)
    if not failures:
        raise _no_address(endpoint)
    raise _unconnected(failures, endpoint.port, trace)


def _unconnected(failures: Mapping[str, ProbeFailure], port: int, trace: Trace) -> ProbeFailure:
    """Returns the verdict where no address took the connection, and shows its address as the one that was asked."""
    from_outside = (address for address, failure in failures.items() if not failure.reason.is_agents_fault)
    address = next(from_outside, next(iter(failures)))
    failure, others = failures[address], len(failures) - 1
    trace.address = at_port(address, port)
    if others:
        failure.detail += f"; {others} further address{'' if others == 1 else 'es'} failed too"
    return failure


async def resolve(endpoint: Endpoint, environment: ProbeEnvironment, trace: Trace) -> Sequence[str]:
    """Returns the addresses of the endpoint in the order to try them, and notes them.

    Raises:
        ProbeFailure: in `Phase.DNS`.
    """
    with trace.timing(Phase.DNS, environment.clock) as timed:
        addresses = await environment.resolver.addresses(endpoint.host, ip_version=endpoint.ip_version)
    trace.addresses = tuple(addresses)
    trace.note(f"resolved {endpoint.host} to {', '.join(addresses)} in {timed.ms}")
    return addresses


async def dial(address: str, port: int, environment: ProbeEnvironment, trace: Trace) -> Connection:
    """Connects to one literal address, as the phase CONNECT.

    Raises:
        ProbeFailure: refused, timed out, unreachable, or this machine cannot.
    """
    trace.address = at_port(address, port)
    trace.values["ip_protocol"] = 6 if ":" in address else 4
    with trace.timing(Phase.CONNECT, environment.clock) as timed:
        try:
            connected = await _open(address, port)
        except NoLocalRouteError as error:
            trace.note(f"this machine has no route to {address}")
            raise no_route_failure(error, address=trace.address) from error
        except OSError as error:
            raise socket_failure(error, address=trace.address, phase=Phase.CONNECT) from error
    trace.note(f"connected to {trace.address} in {timed.ms}")
    return Connection(connected, address, port, trace)


class NoLocalRouteError(OSError):
    """`connect` failed at once, before any packet: the fault is this machine's."""


def at_port(host: str, port: int) -> str:
    """Returns `host:port`, brackets round an IPv6 address."""
    return f"{bracketed(host)}:{port}"


def bracketed(host: str) -> str:
    """Returns a host as it stands in an address: brackets round an IPv6 address."""
    return f"[{host}]" if ":" in host else host


async def _open(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        await _connect(opened, (address, port))
    except BaseException:
        opened.close()
        raise
    return opened


async def _connect(opened: socket.socket, peer: tuple[str, int]) -> None:
    """Connects; tells a `connect` that failed at once (no local route) from one whose failure came from outside."""
    number = opened.connect_ex(peer)
    if number in NO_LOCAL_ROUTE:
        raise NoLocalRouteError(number, os.strerror(number))
    if number == errno.EINPROGRESS:
        await _writable(opened)
        number = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise OSError(number, os.strerror(number))


async def _writable(connecting: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(connecting.fileno(), _settle, ready)
    try:
        await ready
    finally:
        loop.remove_writer(connecting.fileno())


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _no_address(endpoint: Endpoint) -> ProbeFailure:
    return ProbeFailure(Reason.DNS_NO_ADDRESS, f"{endpoint.host} has no address", phase=Phase.DNS)
