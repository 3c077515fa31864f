"""Where a redirect may lead: never deeper into the agent's own network than the site itself lies.

Whoever controls a watched page controls where it redirects to. Without this, a hacked site could have the agent fetch
what only the agent can reach (its own pages, an intranet, a cloud's credentials) and show it as evidence: server-side
request forgery (CWE-918). It is judged on the address that is about to be connected to and not on the name, because a
name may resolve differently at each question.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address


class Zone(Enum):
    """How near to the agent an address lies."""

    PUBLIC = "on the public internet"
    PRIVATE = "in a private network"
    LINK_LOCAL = "link-local or a cloud's metadata service"
    OWN_MACHINE = "on the agent's own machine"
    NOWHERE = "of no single machine"


LEADS_TO: Mapping[Zone, frozenset[Zone]] = {
    Zone.PUBLIC: frozenset({Zone.PUBLIC}),
    Zone.PRIVATE: frozenset({Zone.PUBLIC, Zone.PRIVATE}),
    Zone.LINK_LOCAL: frozenset({Zone.PUBLIC, Zone.PRIVATE, Zone.LINK_LOCAL}),
    Zone.OWN_MACHINE: frozenset({Zone.PUBLIC, Zone.PRIVATE, Zone.OWN_MACHINE}),
    Zone.NOWHERE: frozenset({Zone.PUBLIC}),
}
"""Where a site of each zone may redirect to. What lies in a network may name that network, and what is outside."""

ZONES = tuple(
    (ip_network(written), zone)
    for zone, networks in {
        # What clouds answer their own machines at: AWS and most others, AWS by IPv6, Azure, Alibaba, Oracle.
        Zone.LINK_LOCAL: (
            "169.254.0.0/16",
            "fe80::/10",
            "fd00:ec2::/32",
            "168.63.129.16/32",
            "100.100.100.200/32",
            "192.0.0.192/32",
        ),
        # Linux takes 0.0.0.0 and :: for itself.
        Zone.OWN_MACHINE: ("127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128"),
        Zone.PRIVATE: (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "fc00::/7",
            "fec0::/10",
            "64:ff9b:1::/48",
            "100::/64",
            "2001:db8::/32",
        ),
        Zone.NOWHERE: ("224.0.0.0/4", "240.0.0.0/4", "ff00::/8"),
    }.items()
    for written in networks
)
"""IANA's special-purpose address registries (RFC 6890) by zone; the first that holds an address names it."""

NAT64 = ip_network("64:ff9b::/96")
IPV4_COMPATIBLE = ip_network("::/96")


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the redirects of one probe may lead.

    Attributes:
        home: zone of the address at which the check's own page was asked.
        own_ports: ports of the agent's own pages; empty where the check asks for them itself.
        allow_all: what the user wrote as `allow_private_redirects`.
        is_own: whether an address outside loopback is one of this machine.
    """

    home: Zone
    own_ports: frozenset[int]
    allow_all: bool
    is_own: Callable[[str], bool]

    @classmethod
    def of(
        cls, address: str, port: int, *, own_ports: Collection[int], allow_all: bool, is_own: Callable[[str], bool]
    ) -> "Reach":
        """Returns the reach of a check whose own page was asked at this literal address and port."""
        asks_own_pages = port in own_ports and _is_here(address, is_own)
        return cls(zone_of(address), frozenset() if asks_own_pages else frozenset(own_ports), allow_all, is_own)

    def refusal(self, address: str, port: int) -> str | None:
        """Returns why no redirect may lead to a literal address and port, None where it may."""
        if self.allow_all:
            return None
        if port in self.own_ports and _is_here(address, self.is_own):
            return f"{address}, where the agent serves its own pages"
        zone = zone_of(address)
        if zone in LEADS_TO[self.home]:
            return None
        return f"{address}, which is {zone.value}, and the site itself is {self.home.value}"


def zone_of(address: str) -> Zone:
    """Returns how near to the agent a literal address lies; what is no address lies nowhere."""
    try:
        parsed = _unwrapped(ip_address(address))
    except ValueError:
        return Zone.NOWHERE
    return next((zone for network, zone in ZONES if parsed in network), Zone.PUBLIC)


def _unwrapped(address: Address) -> Address:
    """Returns the IPv4 address that an IPv6 one stands for: mapped, compatible, 6to4, Teredo or NAT64."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    low = int(address) & 0xFFFF_FFFF
    if address in NAT64 or (address in IPV4_COMPATIBLE and low > 1):
        return IPv4Address(low)
    return address


def _is_here(address: str, is_own: Callable[[str], bool]) -> bool:
    return zone_of(address) is Zone.OWN_MACHINE or is_own(address)
