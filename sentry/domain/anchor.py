"""Anchors: addresses that answer at all times, whom the agent asks whether its own network works."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from sentry.domain.own_fault import ANCHOR_NETWORK_BITS

MAX_PORT = 65_535
EXAMPLES = "write address:port, e.g. 192.0.2.1:443 or [2001:db8::1]:443; or icmp:192.0.2.1, https://192.0.2.1/"
PORTS = {"http": 80, "https": 443}


class AnchorKind(StrEnum):
    """How an anchor is asked."""

    TCP = "tcp"
    ICMP = "icmp"


@dataclass(frozen=True, slots=True)
class Anchor:
    """One anchor.

    Attributes:
        name: as it was written.
        host: a literal address, for a name would need a resolver first.
        port: 0 where it is pinged.
    """

    name: str
    kind: AnchorKind
    host: str
    port: int = 0

    @property
    def network(self) -> str:
        """The network that it stands in; two anchors of one network fall silent together."""
        address = ip_address(self.host)
        return str(ip_network((address, ANCHOR_NETWORK_BITS[address.version]), strict=False))


def parse_anchor(text: str) -> Anchor:
    """Reads `192.0.2.1:443`, `[2001:db8::1]:443`, `icmp:192.0.2.1` or `https://192.0.2.1/`.

    Raises:
        ValueError: it is none of these; the message says how to write it.
    """
    scheme, separator, rest = text.strip().partition("://")
    if not separator:
        scheme, rest = ("icmp", text.strip()[5:]) if text.strip().startswith("icmp:") else ("tcp", text.strip())
    if scheme == "icmp":
        return Anchor(text, AnchorKind.ICMP, _literal(rest.strip("[]/"), text))
    if scheme not in {"tcp", *PORTS}:
        raise ValueError(f"'{text[:100]}' is no anchor; {EXAMPLES}")
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname or "", parts.port or PORTS.get(scheme)
    except ValueError:
        host, port = "", None
    if not port:
        raise ValueError(f"'{text[:100]}' names no port; {EXAMPLES}")
    return Anchor(text, AnchorKind.TCP, _literal(host, text), port)


def _literal(host: str, text: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        raise ValueError(
            f"'{text[:100]}' is no anchor: it is asked by its address, for a name would need a resolver; {EXAMPLES}"
        ) from None
