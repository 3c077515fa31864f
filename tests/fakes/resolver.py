"""A resolver whose names are a table; what is not in it is 127.0.0.1, so that probes meet real loopback servers."""

import asyncio
import ipaddress
from collections.abc import Mapping, Sequence

from probes.environment import ProbeFailure


class TableResolver:
    """Fills `probes.environment.Resolver`. A name's entry is its addresses, a failure to raise, or None to hang."""

    def __init__(
        self,
        table: Mapping[str, Sequence[str] | ProbeFailure | None] | None = None,
        *,
        otherwise: Sequence[str] = ("127.0.0.1",),
    ) -> None:
        self.table = dict(table or {})
        self.otherwise = tuple(otherwise)
        self.asked: list[tuple[str, int | None]] = []

    async def addresses(self, name: str, *, ip_version: int | None = None) -> Sequence[str]:
        self.asked.append((name, ip_version))
        try:
            return (str(ipaddress.ip_address(name)),)
        except ValueError:
            entry = self.table.get(name, self.otherwise)
        if entry is None:
            await asyncio.sleep(3600)
            raise AssertionError("a deadline must have passed")
        if isinstance(entry, ProbeFailure):
            raise entry
        wanted = [one for one in entry if ip_version in {None, ipaddress.ip_address(one).version}]
        return tuple(wanted)


async def as_written(name: str) -> Sequence[str]:
    """Leads every literal address to itself."""
    return [name]
