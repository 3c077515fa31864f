"""A new TCP connection for one probe: resolved, one address chosen, connected, each part timed."""

import errno
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from probes.engine import BUFFER_BYTES, PAUSE, Engine, Watched
from probes.environment import ProbeEnvironment, ProbeFailure
from probes.socket_faults import NO_LOCAL_ROUTE, no_route_failure, socket_failure
from probes.trace import Trace
from sentry.domain.result import Phase, Reason

STREAM = socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC

PIECE_BYTES = 16_384
FAIR_SHARE = 16
"""Pieces of `PIECE_BYTES`, a smaller one counting as one, that are read in a row before others get their turn: about
a millisecond; where each of them holds thousands of messages, a few."""

MAX_ADDRESSES = 8
"""Addresses of one name that a probe tries at most."""

FAILED_BEFORE_ANOTHER = {
    Reason.CONNECT_REFUSED,
    Reason.CONNECT_UNREACHABLE,
    Reason.CONNECTION_RESET,
    Reason.CONNECT_TIMEOUT,
    Reason.AGENT_NETWORK,
}
"""Failures to connect after which another address is tried."""

MAX_SILENCE_S = 3.0
"""A silent address is given up for another one after this; a lost first packet is sent again after a second."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect to.

    Attributes:
        host: name or literal address, without brackets.
        ip_version: 4 or 6 to use that family only, None for the resolver's order.
        refusal: says why a literal address and port must not be connected to, None where they may; asked for what
            somebody else named, a redirect.
    """

    host: str
    port: int
    ip_version: int | None = None
    refusal: Callable[[str, int], str | None] | None = None

    def __str__(self) -> str:
        """Returns `host:port`, brackets round an IPv6 address."""
        return at_port(self.host, self.port)


class Stream(Protocol):
    """Bytes to and from a peer: a bare connection, or TLS over one."""

    async def send(self, data: bytes) -> None:
        """Sends all of it."""
        ...

    async def receive(self) -> memoryview:
        """Returns what came next, empty once the peer has closed. Valid until the next `await` of anything."""
        ...


class Connection(Watched):
    """A TCP connection whose errors are verdicts in the phase under way."""

    __slots__ = ("_served", "_socket", "_trace", "buffer", "ip", "port")

    def __init__(self, opened: socket.SocketType, engine: Engine, ip: str, port: int, trace: Trace) -> None:
        """Takes over a non-blocking socket that connects or is connected.

        Args:
            opened: the socket.
            engine: watches it.
            ip: the peer's address.
            port: the peer's port.
            trace: tells the phase that an error is blamed on.
        """
        super().__init__(engine, opened.fileno())
        self._socket = opened
        self.buffer = engine.buffer
        self.ip, self.port = ip, port
        self._trace = trace
        self._served = 0

    @classmethod
    async def open(cls, ip: str, port: int, engine: Engine, trace: Trace) -> Self:
        """Connects.

        Raises:
            NoLocalRouteError: this machine has no way there.
            OSError: no connection was made.
        """
        # The C type under socket.socket, which adds 2 µs of Python to each socket and nothing that is needed here.
        opened = socket.SocketType(socket.AF_INET6 if ":" in ip else socket.AF_INET, STREAM)
        try:
            number = opened.connect_ex((ip, port))
            if number != errno.EINPROGRESS:
                _refuse_at_once(number)
            connection = cls(opened, engine, ip, port, trace)
        except OSError:
            opened.close()
            raise
        if number:
            try:
                connection.writing = True
                await connection
                number = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if number:
                    _refuse(number)
            except BaseException:
                connection.close()
                raise
        return connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the socket; may be called again."""
        if self._socket.fileno() >= 0:
            self.forget()
            self._socket.close()

    async def send(self, data: bytes) -> None:
        """Sends all of it.

        Raises:
            ProbeFailure: the peer or this machine broke the connection.
        """
        sent = 0
        while True:
            try:
                sent += self._socket.send(data[sent:] if sent else data)
            except BlockingIOError:
                pass
            except OSError as error:
                raise self._failure(error) from error
            if sent == len(data):
                return
            self.writing = True
            await self

    async def receive(self) -> memoryview:
        """Returns what came next, empty once the peer has closed; it is valid until the next `await` of anything.

        Raises:
            ProbeFailure: the peer or this machine broke the connection.
        """
        if self._served > FAIR_SHARE:
            self._served = 0
            await PAUSE
        while True:
            if not self.ready:
                self._served = 0
                self.writing = False
                await self
            try:
                size = self._socket.recv_into(self.buffer)
            except BlockingIOError:
                self.ready = False
            except OSError as error:
                raise self._failure(error) from error
            else:
                if size < BUFFER_BYTES and not self.hung_up:
                    self.ready = False  # epoll(7): a short read has emptied it, and more makes a new edge
                self._served += 1 + size // PIECE_BYTES
                self._trace.received_bytes += size
                return self.buffer[:size]

    def _failure(self, error: OSError) -> ProbeFailure:
        address = at_port(self.ip, self.port)
        return socket_failure(error, address=address, phase=self._trace.phase or Phase.PROCESSING)


def _refuse_at_once(number: int) -> None:
    """Raises what `connect` said at once: for want of a local route before any packet has left, or from outside."""
    if number in NO_LOCAL_ROUTE:
        raise NoLocalRouteError(number, os.strerror(number))
    if number:
        _refuse(number)


def _refuse(number: int) -> None:
    raise OSError(number, os.strerror(number))


async def connect(endpoint: Endpoint, environment: ProbeEnvironment, trace: Trace) -> Connection:
    """Resolves the name and connects to the first of its addresses that takes the connection.

    The addresses take turns, so that each of them is seen. Where one fails, another is tried, as every browser does:
    one that refuses leaves the deadline to the next, one that is silent half of what is left, `MAX_SILENCE_S` at
    most. The time that went to a dead one is in no phase, where another one works.
    `probe_failed_addresses` counts those that failed; what the check is then, its plan says.

    Raises:
        ProbeFailure: it did not resolve, or no connection was made; the verdict is that of the first address that
            failed from outside.
    """
    addresses = environment.turns.order(endpoint.host, endpoint.port, await resolve(endpoint, environment, trace))
    trace.values["failed_addresses"] = 0
    failures: dict[str, ProbeFailure] = {}
    tried, lost_s = addresses[:MAX_ADDRESSES], 0.0
    for address in tried:
        if endpoint.refusal is not None:
            _refuse_forbidden(endpoint.refusal(address, endpoint.port), endpoint)
        try:
            connection = await _dial_in_time(address, endpoint, environment, trace, is_last=address == tried[-1])
        except ProbeFailure as failure:
            if failure.reason not in FAILED_BEFORE_ANOTHER:
                raise
            failures[address] = failure
            lost_s += trace.begin_phase_anew()
            trace.values["failed_addresses"] = len(failures)
            trace.note("failed: {}", failure.detail)
            continue
        if len(addresses) > 1 and not is_this_machine(endpoint.host):
            _note_dead(failures, address, len(addresses), trace)
            environment.turns.note(endpoint.host, endpoint.port, failures)
        return connection
    if not failures:
        raise _no_address(endpoint)
    trace.spent(Phase.CONNECT, lost_s)
    raise _unconnected(failures, endpoint.port, trace)


async def _dial_in_time(
    address: str, endpoint: Endpoint, environment: ProbeEnvironment, trace: Trace, *, is_last: bool
) -> Connection:
    """Connects to one address; to one that is not the last within its share of what is left of the deadline.

    Raises:
        ProbeFailure: as `dial`; CONNECT_TIMEOUT where the share is over.
    """
    attempt = environment.engine.driven
    if is_last or attempt is None:
        return await dial(address, endpoint.port, environment, trace)
    share_s = min(MAX_SILENCE_S, attempt.left_s / 2)
    alarm = environment.engine.call_later(share_s, lambda: attempt.throw(_SilentError()))
    try:
        return await dial(address, endpoint.port, environment, trace)
    except _SilentError:
        detail = f"{at_port(address, endpoint.port)} gave no answer to the connection attempt within {share_s:.3g} s"
        raise ProbeFailure(Reason.CONNECT_TIMEOUT, detail, phase=Phase.CONNECT) from None
    finally:
        alarm.cancel()


class _SilentError(Exception):
    """An address has used up its share of the deadline."""


def _note_dead(failures: Mapping[str, ProbeFailure], taken: str, count: int, trace: Trace) -> None:
    """Notes which addresses were dead from outside, now that another one works."""
    dead = [failure for failure in failures.values() if not failure.reason.is_agents_fault]
    if dead:
        detail = f"{len(dead)} of {count} addresses dead, {taken} works: {'; '.join(one.detail for one in dead)}"
        trace.dead_address = ProbeFailure(dead[0].reason, detail, phase=Phase.CONNECT)


def _unconnected(failures: Mapping[str, ProbeFailure], port: int, trace: Trace) -> ProbeFailure:
    """Returns the verdict where no address took the connection, and shows its address as the one that was asked."""
    from_outside = (address for address, failure in failures.items() if not failure.reason.is_agents_fault)
    address = next(from_outside, next(iter(failures)))
    failure, others = failures[address], len(failures) - 1
    trace.address = at_port(address, port)
    if others:
        failure.detail += f"; {others} further address{'' if others == 1 else 'es'} failed too"
    return failure


def _refuse_forbidden(why: str | None, endpoint: Endpoint) -> None:
    if why is not None:
        detail = f"a redirect leads to {endpoint}, and so to {why}; allow_private_redirects would permit it"
        raise ProbeFailure(Reason.REDIRECT_INVALID, detail, phase=Phase.PROCESSING)


async def resolve(endpoint: Endpoint, environment: ProbeEnvironment, trace: Trace) -> Sequence[str]:
    """Returns the addresses of the endpoint in the order to try them, and notes them.

    Raises:
        ProbeFailure: in `Phase.DNS`.
    """
    trace.enter(Phase.DNS)
    trace.addresses = tuple(await environment.resolver.addresses(endpoint.host, ip_version=endpoint.ip_version))
    trace.note("resolved {} to {} in {took:.1f} ms", endpoint.host, trace.addresses)
    return trace.addresses


async def dial(address: str, port: int, environment: ProbeEnvironment, trace: Trace) -> Connection:
    """Connects to one literal address, as the phase CONNECT.

    Raises:
        ProbeFailure: refused, timed out, unreachable, or this machine cannot.
    """
    trace.address = at_port(address, port)
    trace.values["ip_protocol"] = 6 if ":" in address else 4
    trace.enter(Phase.CONNECT)
    try:
        connection = await Connection.open(address, port, environment.engine, trace)
    except NoLocalRouteError as error:
        trace.note("this machine has no route to {}", address)
        raise no_route_failure(error, address=trace.address) from error
    except OSError as error:
        raise socket_failure(error, address=trace.address, phase=Phase.CONNECT) from error
    trace.note("connected to {} in {took:.1f} ms", trace.address)
    return connection


class NoLocalRouteError(OSError):
    """`connect` failed at once, before any packet: the fault is this machine's."""


def is_this_machine(name: str) -> bool:
    """Whether a name always means this machine (RFC 6761, 6.3).

    Then its two addresses are one server, which commonly listens on one of them only.
    """
    bare = name.rstrip(".").lower()
    return bare == "localhost" or bare.endswith(".localhost")


def at_port(host: str, port: int) -> str:
    """Returns `host:port`, brackets round an IPv6 address."""
    return f"{bracketed(host)}:{port}"


def bracketed(host: str) -> str:
    """Returns a host as it stands in an address: brackets round an IPv6 address."""
    return f"[{host}]" if ":" in host else host


def _no_address(endpoint: Endpoint) -> ProbeFailure:
    return ProbeFailure(Reason.DNS_NO_ADDRESS, f"{endpoint.host} has no address", phase=Phase.DNS)
