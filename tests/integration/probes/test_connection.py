"""Names with several addresses: what visitors can use is not down."""

from probes.environment import ProbeFailure
from sentry.domain.result import Phase, Reason, Status
from tests.fakes.resolver import TableResolver
from tests.integration.hostile_servers import answer, page, refused_port, serving
from tests.integration.probing import make_environment, probe_once

RESOLVER = TableResolver({"site.test": ("127.0.0.2", "127.0.0.1")})


async def test_first_address_that_refuses_is_passed_over_and_counted() -> None:
    """A browser goes on to the next address, so the probe does, and says which one refused."""
    async with serving(answer(page(b"hola"))) as server:
        result = await probe_once(server.url(), environment=make_environment(resolver=RESOLVER))

    assert result.status is Status.UP
    assert result.evidence.address == f"127.0.0.1:{server.port}"
    assert result.evidence.addresses == ("127.0.0.2", "127.0.0.1")
    assert result.evidence.values["failed_addresses"] == 1
    assert any("127.0.0.2" in line and "refused" in line for line in result.evidence.log)


async def test_every_address_refusing_is_refused() -> None:
    """The verdict names the address that the probe would have used."""
    with refused_port() as port:
        result = await probe_once(f"http://site.test:{port}/", environment=make_environment(resolver=RESOLVER))

    assert (result.status, result.reason, result.failed_phase) == (Status.DOWN, Reason.CONNECT_REFUSED, Phase.CONNECT)
    assert "127.0.0.2" in result.detail
    assert result.evidence.values["failed_addresses"] == 2


async def test_name_without_an_address_says_so() -> None:
    """A resolver's verdict is the probe's."""
    missing = ProbeFailure(Reason.DNS_NXDOMAIN, "no such name", phase=Phase.DNS)
    result = await probe_once(
        "http://site.test/", environment=make_environment(resolver=TableResolver({"site.test": missing}))
    )

    assert (result.status, result.reason, result.failed_phase) == (Status.DOWN, Reason.DNS_NXDOMAIN, Phase.DNS)
