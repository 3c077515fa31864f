"""The records of a zone from two real DNS servers, which have to agree."""

from collections.abc import AsyncIterator

import pytest

from probes.zone_reader import ResolvedZones
from sentry.domain.zone import ZoneRecords
from tests.integration.dns_server import DnsServer, dns_server, silence

NAMES = ("www.acme.test", "acme.test")


@pytest.fixture
async def servers() -> AsyncIterator[tuple[DnsServer, DnsServer]]:
    async with dns_server() as one, dns_server("127.0.0.2") as other:
        for server in (one, other):
            server.add("www.acme.test", "A", "192.0.2.7")
            server.add("acme.test", "NS", "ns2.host.test.", "NS1.host.test.")
            server.add("acme.test", "MX", "10 mail.acme.test.")
            server.add("acme.test", "CAA", '0 issue "letsencrypt.org"')
        yield one, other


async def read(servers: tuple[DnsServer, DnsServer]) -> ZoneRecords | None:
    return await ResolvedZones([server.address for server in servers]).read(NAMES)


@pytest.mark.promise("002-08")
async def test_zone_above_a_host_is_found_and_read(servers: tuple[DnsServer, DnsServer]) -> None:
    """The host has no name servers of its own, the name above it has; records come in one spelling."""
    found = await read(servers)
    assert found == ZoneRecords(
        "acme.test",
        {
            "NS": ("ns1.host.test.", "ns2.host.test."),
            "MX": ("10 mail.acme.test.",),
            "CAA": ('0 issue "letsencrypt.org"',),
        },
    )


async def test_type_on_which_resolvers_disagree_or_are_silent_is_left_out(
    servers: tuple[DnsServer, DnsServer],
) -> None:
    """One of them may have an old answer in its cache, or be forged."""
    servers[1].add("acme.test", "MX", "10 mail.thief.test.")
    servers[1].sabotage("acme.test", silence, "CAA")
    found = await read(servers)
    assert found is not None
    assert found.records.keys() == {"NS"}


async def test_zone_on_which_resolvers_disagree_is_not_known(servers: tuple[DnsServer, DnsServer]) -> None:
    """Nor is one that fails, or one that only one resolver could be asked about."""
    servers[1].add("acme.test", "NS", "ns1.thief.test.")
    assert await read(servers) is None
    servers[1].fail("acme.test", "SERVFAIL")
    assert await read(servers) is None
