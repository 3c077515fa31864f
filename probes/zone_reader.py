"""Reads the records of a zone from two resolvers; only what both of them say counts."""

import asyncio
from collections.abc import Sequence

import dns.rcode

from probes.dns_expectation import records_of
from probes.dns_query import ask
from probes.environment import ProbeFailure
from probes.evidence import RESOLVERS, nameservers
from probes.nameserver import NameServer, ascii_name
from sentry.domain.zone import RECORD_TYPES, ZoneRecords

TIMEOUT_S = 5.0
MAX_RECORDS = 64


class ResolvedZones:
    """Fills the `ZoneReader` port."""

    def __init__(self, resolvers: Sequence[str] = ()) -> None:
        """Prepares whom to ask.

        Args:
            resolvers: DNS servers, each `address` or `address:port`; the system's fill up to two.

        Raises:
            ValueError: a DNS server is not written as an address.
        """
        self._servers = nameservers(resolvers)[:RESOLVERS]

    async def read(self, names: Sequence[str]) -> ZoneRecords | None:
        """Returns the records of the first name that is a zone; None where no two resolvers agree on one.

        Args:
            names: in the order to ask, which is not empty.
        """
        if len(self._servers) < RESOLVERS:
            return None  # one alone may be wrong, and nobody would know
        for name in names:
            servers = await self._agreed(name, "NS")
            if servers is None:
                return None
            if servers:
                others = [(kind, await self._agreed(name, kind)) for kind in RECORD_TYPES if kind != "NS"]
                return ZoneRecords(
                    name, {"NS": servers, **{kind: found for kind, found in others if found is not None}}
                )
        return None

    async def _agreed(self, name: str, kind: str) -> tuple[str, ...] | None:
        """Returns what both say, empty where both know of none; None where one is silent or says otherwise."""
        one, other = await asyncio.gather(*(_said(server, name, kind) for server in self._servers))
        return one if one == other else None


async def _said(server: NameServer, name: str, kind: str) -> tuple[str, ...] | None:
    try:
        message = await ask(server, ascii_name(name), kind, timeout_s=TIMEOUT_S)
    except ProbeFailure:
        return None
    if message.rcode() == dns.rcode.NXDOMAIN and kind == "NS":
        return ()
    return records_of(message, kind)[:MAX_RECORDS] if message.rcode() == dns.rcode.NOERROR else None
