"""Addresses of DNS servers as people write them, and the ones the system itself uses."""

import ipaddress
from dataclasses import dataclass

import dns.exception
import dns.name
import dns.resolver

from probes.environment import ProbeFailure
from sentry.domain.result import Phase, Reason

DNS_PORT = 53


@dataclass(frozen=True, slots=True)
class NameServer:
    """One DNS server: a literal address and a port."""

    host: str
    port: int = DNS_PORT

    def __str__(self) -> str:
        """Returns `host`, `host:port` or `[host]:port`; the port only where it is not 53."""
        if self.port == DNS_PORT:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def socket_text(self) -> str:
        """`host:port` with brackets around IPv6, the form that c-ares reads without doubt."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_nameserver(text: str) -> NameServer:
    """Reads `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`.

    Raises:
        ValueError: it is none of these; the message says how to write it.
    """
    host, port = text.strip(), str(DNS_PORT)
    if host.startswith("["):
        host, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    try:
        address = ipaddress.ip_address(host)
        number = int(port)
    except ValueError:
        address, number = None, 0
    if address is None or not 0 < number < 1 << 16:
        raise ValueError(f"'{text}' is no DNS server; write 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:53")
    return NameServer(str(address), number)


def system_nameservers() -> tuple[NameServer, ...]:
    """Returns the servers of /etc/resolv.conf in their order; none where it cannot be read."""
    try:
        found = dns.resolver.Resolver(configure=True)
    except (dns.exception.DNSException, OSError):
        return ()
    return tuple(NameServer(str(server), found.port) for server in found.nameservers)


def is_literal_address(name: str) -> bool:
    """Whether a host is an address already, so that there is nothing to look up."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def ascii_name(name: str) -> str:
    """Returns a name as it goes over the wire: international names in their `xn--` form (IDNA 2008, UTS 46).

    Raises:
        ProbeFailure: no such name can exist.
    """
    try:
        parsed = dns.name.from_unicode(name, origin=None, idna_codec=dns.name.IDNA_2008_UTS_46)
    except (dns.exception.DNSException, UnicodeError) as error:
        detail = f"'{name[:100]}' is no valid DNS name: {error}"
        raise ProbeFailure(Reason.DNS_NXDOMAIN, detail, phase=Phase.DNS) from error
    return parsed.to_text()
