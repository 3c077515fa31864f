"""Where a request may go: to the site's own host, and never nearer to this machine than the site itself is."""

import socket
from ipaddress import ip_address

from scanners.web.answer import NoAnswer

Address = tuple[int, str]
"""The family of a socket and a literal address."""


def is_public(address: str) -> bool:
    """Whether a literal address is one of the public internet."""
    known = ip_address(address.partition("%")[0])
    mapped = getattr(known, "ipv4_mapped", None)
    return (mapped or known).is_global and not known.is_multicast


def is_same_site(host: str, other: str) -> bool:
    """Whether two hosts are one site: the same, or apart by `www.` alone."""
    return host.lower().removeprefix("www.") == other.lower().removeprefix("www.")


class Reach:
    """Names turned into addresses, once for the whole audit: a name that moves meanwhile moves nothing."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._known: dict[str, tuple[Address, ...]] = {}

    def addresses(self, host: str, port: int) -> tuple[Address, ...]:
        """Returns where a host stands.

        Raises:
            NoAnswer: it has no address, or one that is nearer than the site's.
        """
        if host not in self._known:
            found = _resolved(host, port)
            if host != self._host and any(is_public(one) for _, one in self.addresses(self._host, port)):
                found = tuple(address for address in found if is_public(address[1]))
            if not found:
                raise NoAnswer(f"{host} leads to no public address")
            self._known[host] = found
        return self._known[host]


def _resolved(host: str, port: int) -> tuple[Address, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoAnswer(f"{host} has no address: {error}") from error
    return tuple(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))
