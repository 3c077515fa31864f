"""Names with several addresses: what visitors can use is not down."""

import asyncio
from typing import Literal

import pytest

from probes.environment import ProbeFailure
from sentry.domain.result import Phase, Reason, Status
from sentry.domain.site import Plan
from tests.fakes.resolver import TableResolver
from tests.integration.hostile_servers import answer, full_backlog, page, refused_port, serving
from tests.integration.probing import make_environment, probe_once

DEAD, ALIVE = "127.0.0.1", "127.0.0.2"
RESOLVER = TableResolver({"site.test": (DEAD, ALIVE)})


@pytest.mark.parametrize(
    ("counts_as", "status"), [("degraded", Status.DEGRADED), ("down", Status.DOWN), ("ignore", Status.UP)]
)
async def test_address_that_refuses_is_passed_over_named_and_counts_as_the_plan_says(
    counts_as: Literal["degraded", "down", "ignore"], status: Status
) -> None:
    """A browser goes on to the next address, so the probe does, and says which one refused, and of how many."""
    async with serving(answer(page(b"hola")), host=ALIVE) as server:
        plan = Plan(dead_address=counts_as)
        result = await probe_once(server.url(), environment=make_environment(resolver=RESOLVER), plan=plan)

    assert result.status is status
    assert result.evidence.address == f"{ALIVE}:{server.port}"
    assert result.evidence.addresses == (DEAD, ALIVE)
    assert result.evidence.values["failed_addresses"] == 1
    assert any(DEAD in line and "refused" in line for line in result.evidence.log)
    if status is not Status.UP:
        assert result.reason is Reason.CONNECT_REFUSED
        assert result.detail.startswith(f"1 of 2 addresses dead, {ALIVE} works: {DEAD}:{server.port} refused")


async def test_localhost_that_listens_on_one_of_its_addresses_is_up() -> None:
    """It is one machine and no second server that died."""
    resolver = TableResolver({"localhost": (DEAD, ALIVE)})
    async with serving(answer(page(b"hola")), host=ALIVE) as server:
        url = server.url().replace("site.test", "localhost")
        result = await probe_once(url, environment=make_environment(resolver=resolver))

    assert result.status is Status.UP
    assert result.evidence.values["failed_addresses"] == 1


async def test_silent_address_leaves_time_for_another_one() -> None:
    """It is given up before the deadline, and what was waited for it is no part of the time that the site took."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(page(b"hola"))
        writer.close()

    environment = make_environment(resolver=RESOLVER)
    with full_backlog() as port:
        async with await asyncio.start_server(greet, ALIVE, port):
            url = f"http://site.test:{port}/"
            result = await probe_once(url, environment=environment, options={"timeout_s": 1})

    assert (result.status, result.reason) == (Status.DEGRADED, Reason.CONNECT_TIMEOUT)
    assert f"{DEAD}:{port} gave no answer" in result.detail
    assert sum(result.phases.values()) < 0.4


async def test_addresses_take_turns_and_a_dead_one_is_asked_each_time() -> None:
    """Whichever address is dead, it is seen, and the verdict stays the same until it is mended."""
    environment = make_environment(resolver=RESOLVER)
    async with serving(answer(page(b"hola")), host=ALIVE) as server:
        seen = [(await probe_once(server.url(), environment=environment)).status for _ in range(5)]
    assert seen == [Status.DEGRADED] * 5


async def test_every_address_refusing_is_refused() -> None:
    """The verdict names the address that the probe would have used."""
    with refused_port() as port:
        result = await probe_once(f"http://site.test:{port}/", environment=make_environment(resolver=RESOLVER))

    assert (result.status, result.reason, result.failed_phase) == (Status.DOWN, Reason.CONNECT_REFUSED, Phase.CONNECT)
    assert DEAD in result.detail
    assert result.evidence.values["failed_addresses"] == 2


async def test_name_without_an_address_says_so() -> None:
    """A resolver's verdict is the probe's."""
    missing = ProbeFailure(Reason.DNS_NXDOMAIN, "no such name", phase=Phase.DNS)
    result = await probe_once(
        "http://site.test/", environment=make_environment(resolver=TableResolver({"site.test": missing}))
    )

    assert (result.status, result.reason, result.failed_phase) == (Status.DOWN, Reason.DNS_NXDOMAIN, Phase.DNS)
