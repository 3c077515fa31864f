"""Resolves names for every probe by c-ares: no thread pool, the system's hosts file, a cache with a short life."""

import errno
import ipaddress
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import aiodns
from aiodns import error as ares

from probes.environment import ProbeFailure
from probes.nameserver import ascii_name, parse_nameserver, system_nameservers
from sentry.domain.result import Phase, Reason
from sentry.ports import Clock

FLAG_NO_SEARCH, FLAG_EDNS = 1 << 5, 1 << 8
"""Of ares.h: ask for the name as it is written, never with the system's search domains; allow long UDP answers."""

FRESH_AFTER_FAILURE_S = 5.0
"""A failed lookup is asked anew after this at the latest: sooner than the first re-check of an outage, 10 s."""

MAX_ADDRESSES = 64
"""A hostile zone may hold thousands of addresses; nobody needs more than these of one site."""

FAMILIES = {None: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}

REASONS = {
    ares.ARES_ENOTFOUND: (Reason.DNS_NXDOMAIN, "the name does not exist (NXDOMAIN)"),
    ares.ARES_EBADNAME: (Reason.DNS_NXDOMAIN, "no such DNS name can exist"),
    ares.ARES_ENODATA: (Reason.DNS_NO_ADDRESS, "the name exists but has no address"),
    ares.ARES_ESERVFAIL: (Reason.DNS_SERVER_FAILURE, "the DNS server answered SERVFAIL"),
    ares.ARES_EREFUSED: (Reason.DNS_SERVER_FAILURE, "the DNS server refused the question"),
    ares.ARES_ENOTIMP: (Reason.DNS_SERVER_FAILURE, "the DNS server does not know this kind of question"),
    ares.ARES_EFORMERR: (Reason.DNS_SERVER_FAILURE, "the DNS server called the question malformed"),
    ares.ARES_EBADRESP: (Reason.DNS_SERVER_FAILURE, "the DNS server sent a malformed answer"),
    ares.ARES_ECONNREFUSED: (Reason.DNS_SERVER_FAILURE, "no DNS server could be reached"),
    ares.ARES_ETIMEOUT: (Reason.DNS_TIMEOUT, "no DNS server answered in time"),
    ares.ARES_ENOMEM: (Reason.AGENT_RESOURCES, "the agent is out of memory"),
}


class AiodnsResolver:
    """Fills the probes' `Resolver`.

    What caching does: c-ares keeps an answer for its TTL, and this class renews c-ares' channel, and with it the
    cache, every `max_cache_s` (30 s). So a check of one probe a minute times a true lookup in its dns phase at every
    slot, while further checks and redirects of the same host within those seconds do not ask again (their dns
    phase is close to zero). c-ares would keep failures too, for as long as the zone's SOA says, and hide a repaired
    name: after a failure the channel is renewed, so that every re-check asks anew. The renewal also bounds the
    memory that a site can make the cache take by redirecting to ever new names.

    Names with a dot are never tried with the system's search domains: a wildcard there would hide NXDOMAIN.
    """

    def __init__(
        self,
        clock: Clock,
        nameservers: Sequence[str] = (),
        *,
        timeout_s: float = 2.0,
        tries: int = 2,
        max_cache_s: float = 30.0,
    ) -> None:
        """Prepares the lookups; the sockets are opened by the first one.

        Args:
            clock: tells when the cache is too old.
            nameservers: whom to ask, each `address` or `address:port`; the system's where there are none.
            timeout_s: wait for the first answer of a server, seconds; c-ares adapts it to how fast the server is.
            tries: questions to each server before it is given up.
            max_cache_s: the longest that an answer is kept, seconds; its TTL where that is shorter.

        Raises:
            ValueError: a nameserver is not written as an address.
        """
        self._known = [parse_nameserver(text) for text in nameservers]
        servers = [server.socket_text for server in self._known]
        self._absolute = _RenewedChannel(clock, servers, timeout_s, tries, max_cache_s, FLAG_EDNS | FLAG_NO_SEARCH)
        self._searching = _RenewedChannel(clock, servers, timeout_s, tries, max_cache_s, FLAG_EDNS)

    async def addresses(self, name: str, *, ip_version: int | None = None) -> Sequence[str]:
        """Returns the addresses of a name, the one to try first in front (RFC 6724), at most 64.

        Args:
            name: host name, literal address, with or without brackets, or a name of the system's hosts file.
            ip_version: 4 or 6 to ask for that family only, None for both.

        Raises:
            ProbeFailure: in `Phase.DNS`: DNS_NXDOMAIN, DNS_NO_ADDRESS, DNS_SERVER_FAILURE, DNS_TIMEOUT.
        """
        literal = _literal(name, ip_version)
        if literal is not None:
            return (literal,)
        wire_name = name if name.isascii() else ascii_name(name)
        channel = self._absolute if "." in wire_name.rstrip(".") else self._searching
        try:
            found = await channel.lookup(wire_name, FAMILIES[ip_version])
        except ares.DNSError as error:
            raise _failure(name, ip_version, error) from error
        return found

    def put_last(self, silent: Collection[str]) -> None:
        """Asks these servers only after all others, until told otherwise; each as its `NameServer` is written.

        A lookup would else wait for a dead one, and again each time that c-ares' channel is renewed.
        """
        known = self._known or system_nameservers()
        servers = [server.socket_text for server in sorted(known, key=lambda server: str(server) in silent)]
        for channel in (self._absolute, self._searching):
            channel.ask(servers if silent else [server.socket_text for server in self._known])

    async def close(self) -> None:
        """Ends every lookup under way and frees the sockets."""
        await self._absolute.close()
        await self._searching.close()


@lru_cache(maxsize=20_000)
def _literal(name: str, ip_version: int | None) -> str | None:
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return None
    if ip_version is not None and address.version != ip_version:
        raise ProbeFailure(Reason.DNS_NO_ADDRESS, f"{address} is no IPv{ip_version} address", phase=Phase.DNS)
    text = str(address)
    return name if name == text else text  # one object where the name is written as we would


def _failure(name: str, ip_version: int | None, error: ares.DNSError) -> ProbeFailure:
    code = error.args[0] if error.args else None
    reason, text = REASONS.get(code, (Reason.AGENT_ERROR, f"the lookup failed: {error}"))
    if code == ares.ARES_ECONNREFUSED and _out_of_descriptors():
        reason, text = Reason.AGENT_RESOURCES, "the agent has no file descriptor left for a lookup"
    family = f" (IPv{ip_version})" if ip_version else ""
    return ProbeFailure(reason, f"{name[:253]}{family}: {text}", phase=Phase.DNS)


def _out_of_descriptors() -> bool:
    """Tells our own shortage from a dead server: c-ares says the same of both."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    except OSError as error:
        return error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
    return False


@dataclass(eq=False, slots=True)
class _Channel:
    """One c-ares channel with its cache, and how many lookups still need it."""

    engine: aiodns.DNSResolver
    renew_at: float
    in_flight: int = 0


class _RenewedChannel:
    """A c-ares channel that is replaced when its cache has become too old or holds a failure."""

    def __init__(
        self, clock: Clock, servers: Sequence[str], timeout_s: float, tries: int, max_cache_s: float, flags: int
    ) -> None:
        self._clock = clock
        self._servers = servers
        self._timeout_s = timeout_s
        self._tries = tries
        self._max_cache_s = max_cache_s
        self._flags = flags
        self._current: _Channel | None = None
        self._retired: set[_Channel] = set()

    def ask(self, servers: Sequence[str]) -> None:
        """Asks these servers from the next lookup on, in this order."""
        if list(servers) != list(self._servers):
            self._servers = servers
            if self._current is not None:
                self._current.renew_at = self._clock.monotonic()

    async def lookup(self, name: str, family: socket.AddressFamily) -> tuple[str, ...]:
        channel = await self._fresh()
        channel.in_flight += 1
        try:
            found = await channel.engine.getaddrinfo(name, family, type=socket.SOCK_STREAM)
        except ares.DNSError:
            channel.renew_at = min(channel.renew_at, self._clock.monotonic() + FRESH_AFTER_FAILURE_S)
            raise
        finally:
            channel.in_flight -= 1
            await self._close_idle()
        texts = (node.addr[0].decode() for node in found.nodes[:MAX_ADDRESSES])
        return tuple(dict.fromkeys(texts))

    async def close(self) -> None:
        channels = [*self._retired, *([self._current] if self._current else [])]
        self._current = None
        self._retired.clear()
        for channel in channels:
            await channel.engine.close()

    async def _fresh(self) -> _Channel:
        """Returns the current channel; a new one where its time is over, as `DNSResolver` needs the running loop."""
        now = self._clock.monotonic()
        if self._current is not None and now >= self._current.renew_at:
            self._retired.add(self._current)
            self._current = None
            await self._close_idle()
        if self._current is None:
            engine = aiodns.DNSResolver(
                nameservers=self._servers, timeout=self._timeout_s, tries=self._tries, flags=self._flags
            )
            self._current = _Channel(engine, now + self._max_cache_s)
        return self._current

    async def _close_idle(self) -> None:
        for channel in [channel for channel in self._retired if not channel.in_flight]:
            self._retired.discard(channel)
            await channel.engine.close()
