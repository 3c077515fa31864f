"""Names of authorities and registries: to which addresses they lead, and which of them may be connected to."""

from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

from sentry.domain.errors import LookupFailed

Addresses = Callable[[str], Awaitable[Sequence[str]]]
"""Returns the addresses of a name, raises `LookupFailed`. It must not wait in a thread: where nobody answers, the few
threads that there are would all wait for names, and everything else that needs one for them."""


class PublicNames:
    """Keeps to public addresses, unless told otherwise.

    Args:
        addresses: of a name.
        private: whether addresses that are not public may be connected to; asked anew each time.
    """

    def __init__(self, addresses: Addresses, private: Callable[[], bool]) -> None:
        self._addresses = addresses
        self.private = private

    async def of(self, host: str) -> Sequence[str]:
        """Returns the addresses of a host that may be connected to, at least one.

        Raises:
            LookupFailed: there is none.
        """
        found = await self._addresses(host)
        permitted = found if self.private() else [address for address in found if is_public(address)]
        if not permitted:
            raise LookupFailed(f"{host} leads to no public address")
        return permitted


def is_public(host: str, *, names: bool = False) -> bool:
    """Whether a literal address is one of the public internet; of a name, what `names` says."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return names
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_global and not address.is_multicast
