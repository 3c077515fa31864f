"""Name lookups against a real DNS server."""

import asyncio
import contextlib
import resource
import socket
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from probes.environment import ProbeFailure
from probes.resolver import AiodnsResolver
from probes.tcp import TcpProbe
from probes.tcp_options import TcpOptions
from sentry.clock import SystemClock
from sentry.domain.result import Phase, Reason, Status
from tests.fakes.clock import ManualClock
from tests.fakes.probing import make_environment, probed
from tests.integration.dns_server import DnsServer, dns_server, garbage, silence, truncated


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with dns_server() as running:
        yield running


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def resolver(server: DnsServer, clock: ManualClock) -> AsyncIterator[AiodnsResolver]:
    made = AiodnsResolver(clock, [server.address], timeout_s=2, tries=1)
    yield made
    await made.close()


async def failure(resolver: AiodnsResolver, name: str, ip_version: int | None = None) -> ProbeFailure:
    with pytest.raises(ProbeFailure) as caught:
        await resolver.addresses(name, ip_version=ip_version)
    assert caught.value.phase is Phase.DNS
    return caught.value


async def test_resolver_name_of_both_families_returns_every_address(
    server: DnsServer, resolver: AiodnsResolver
) -> None:
    """Both families are asked and each address comes once."""
    server.add("both.test", "A", "127.0.0.1", "127.0.0.2")
    server.add("both.test", "AAAA", "::1")
    assert sorted(await resolver.addresses("both.test")) == ["127.0.0.1", "127.0.0.2", "::1"]


@pytest.mark.parametrize(("version", "expected"), [(4, ["127.0.0.1"]), (6, ["::1"])])
async def test_resolver_one_family_asked_returns_that_family(
    server: DnsServer, resolver: AiodnsResolver, version: int, expected: list[str]
) -> None:
    """A check bound to one family sees and asks for no other."""
    server.add("both.test", "A", "127.0.0.1")
    server.add("both.test", "AAAA", "::1")
    assert list(await resolver.addresses("both.test", ip_version=version)) == expected
    assert len(server.queries) == 1


async def test_resolver_alias_returns_addresses_of_its_target(server: DnsServer, resolver: AiodnsResolver) -> None:
    """CNAMEs are followed."""
    server.add("www.test", "CNAME", "host.test.")
    server.add("host.test", "A", "127.0.0.7")
    assert list(await resolver.addresses("www.test", ip_version=4)) == ["127.0.0.7"]


@pytest.mark.parametrize("literal", ["127.0.0.1", "::1", "[::1]", "2001:DB8::1"])
async def test_resolver_literal_address_returns_it_without_a_question(
    server: DnsServer, resolver: AiodnsResolver, literal: str
) -> None:
    """An address needs no lookup."""
    assert list(await resolver.addresses(literal)) == [literal.strip("[]").lower()]
    assert server.queries == []


async def test_resolver_localhost_returns_loopback_without_a_question(
    server: DnsServer, resolver: AiodnsResolver
) -> None:
    """Names of the system's hosts file work as everywhere else."""
    assert "127.0.0.1" in await resolver.addresses("localhost")
    assert server.queries == []


async def test_resolver_international_name_asks_in_idna(server: DnsServer, resolver: AiodnsResolver) -> None:
    """A name with letters beyond ASCII goes over the wire as `xn--`, by IDNA 2008 (ß stays ß)."""
    server.add("xn--strae-oqa.xn--espaa-rta.test", "A", "127.0.0.1")
    assert list(await resolver.addresses("straße.españa.test", ip_version=4)) == ["127.0.0.1"]


async def test_resolver_truncated_answer_returns_what_tcp_gives(server: DnsServer, resolver: AiodnsResolver) -> None:
    """An answer too long for UDP is fetched over TCP."""
    server.add("long.test", "A", *(f"127.0.1.{n}" for n in range(1, 41)))
    server.sabotage("long.test", truncated)
    assert len(await resolver.addresses("long.test", ip_version=4)) == 40


async def test_resolver_thousand_addresses_returns_a_bounded_number(
    server: DnsServer, resolver: AiodnsResolver
) -> None:
    """A hostile zone cannot make the agent hold thousands of addresses."""
    server.add("huge.test", "A", *(f"127.1.{n // 250}.{n % 250 + 1}" for n in range(1000)))
    assert len(await resolver.addresses("huge.test", ip_version=4)) == 64


@pytest.mark.parametrize(
    ("rcode", "reason"),
    [
        ("NXDOMAIN", Reason.DNS_NXDOMAIN),
        ("SERVFAIL", Reason.DNS_SERVER_FAILURE),
        ("REFUSED", Reason.DNS_SERVER_FAILURE),
        ("NOTIMP", Reason.DNS_SERVER_FAILURE),
    ],
)
async def test_resolver_rcode_raises_its_reason(
    server: DnsServer, resolver: AiodnsResolver, rcode: str, reason: Reason
) -> None:
    """Each way in which a server says no has its reason."""
    server.fail("bad.test", rcode)
    found = await failure(resolver, "bad.test")
    assert (found.reason, "bad.test" in found.detail) == (reason, True)


async def test_resolver_name_without_addresses_raises_no_address(server: DnsServer, resolver: AiodnsResolver) -> None:
    """A name that exists but has no address is not NXDOMAIN."""
    server.add("mail.test", "MX", "10 mx.test.")
    assert (await failure(resolver, "mail.test")).reason is Reason.DNS_NO_ADDRESS
    assert (await failure(resolver, "127.0.0.1", 6)).reason is Reason.DNS_NO_ADDRESS


async def test_resolver_silent_server_raises_timeout(server: DnsServer, resolver: AiodnsResolver) -> None:
    """A server that never answers is a time-out."""
    server.sabotage("silent.test", silence)
    assert (await failure(resolver, "silent.test")).reason is Reason.DNS_TIMEOUT


async def test_resolver_garbage_answer_raises_server_failure(server: DnsServer, resolver: AiodnsResolver) -> None:
    """Bytes that are no DNS message are the server's fault."""
    server.sabotage("garbage.test", garbage)
    assert (await failure(resolver, "garbage.test")).reason is Reason.DNS_SERVER_FAILURE


async def test_resolver_dead_server_raises_server_failure(clock: ManualClock) -> None:
    """A closed port where the DNS server should be is named."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    resolver = AiodnsResolver(clock, [f"127.0.0.1:{port}"], timeout_s=0.2, tries=1)
    found = await failure(resolver, "any.test")
    await resolver.close()
    assert found.reason in {Reason.DNS_SERVER_FAILURE, Reason.DNS_TIMEOUT}


@pytest.mark.parametrize("name", ["a..b", "x" * 70 + ".test", "é" * 300 + ".test", ".".join(["abcdefgh"] * 40)])
async def test_resolver_impossible_name_raises_nxdomain(resolver: AiodnsResolver, name: str) -> None:
    """A name that DNS cannot hold is answered without a crash, in a bounded line."""
    found = await failure(resolver, name)
    assert found.reason is Reason.DNS_NXDOMAIN
    assert len(found.detail) < 500


async def test_resolver_second_lookup_within_ttl_asks_no_more(server: DnsServer, resolver: AiodnsResolver) -> None:
    """Several checks of one host within seconds ask once."""
    server.add("kept.test", "A", "127.0.0.1", ttl=300)
    await resolver.addresses("kept.test", ip_version=4)
    await resolver.addresses("kept.test", ip_version=4)
    assert server.asked("kept.test") == 1


async def test_resolver_next_slot_asks_anew_whatever_the_ttl(
    server: DnsServer, resolver: AiodnsResolver, clock: ManualClock
) -> None:
    """A moved site is seen at the next minute, and its dns phase is a true lookup."""
    server.add("moved.test", "A", "127.0.0.1", ttl=86_400)
    await resolver.addresses("moved.test", ip_version=4)
    server.add("moved.test", "A", "127.0.0.2", ttl=86_400)
    clock.jump(60)  # the wall clock alone changes nothing
    assert list(await resolver.addresses("moved.test", ip_version=4)) == ["127.0.0.1"]
    await clock.advance(30)
    assert list(await resolver.addresses("moved.test", ip_version=4)) == ["127.0.0.2"]


async def test_resolver_zero_ttl_asks_each_time(server: DnsServer, resolver: AiodnsResolver) -> None:
    """An answer is never kept longer than its TTL."""
    server.add("zero.test", "A", "127.0.0.1", ttl=0)
    for _ in range(3):
        await resolver.addresses("zero.test", ip_version=4)
    assert server.asked("zero.test") == 3


async def test_resolver_ttl_of_a_second_asks_again_after_it(server: DnsServer, resolver: AiodnsResolver) -> None:
    """A short TTL is counted in real seconds."""
    server.add("short.test", "A", "127.0.0.1", ttl=1)
    await resolver.addresses("short.test", ip_version=4)
    await asyncio.sleep(2.1)  # c-ares counts whole seconds
    await resolver.addresses("short.test", ip_version=4)
    assert server.asked("short.test") == 2


async def test_resolver_failure_repaired_is_seen_by_the_first_recheck(
    server: DnsServer, resolver: AiodnsResolver, clock: ManualClock
) -> None:
    """A failure is not kept: the re-check 10 s later asks anew although the zone says to cache NXDOMAIN for 300 s."""
    assert (await failure(resolver, "back.test")).reason is Reason.DNS_NXDOMAIN
    server.add("back.test", "A", "127.0.0.1")
    await clock.advance(10)
    assert list(await resolver.addresses("back.test", ip_version=4)) == ["127.0.0.1"]


async def test_resolver_renewal_during_a_lookup_lets_it_end(
    server: DnsServer, resolver: AiodnsResolver, clock: ManualClock
) -> None:
    """Renewing the cache cuts no lookup that is under way."""
    server.add("slow.test", "A", "127.0.0.1")
    server.delay_s = 0.1
    slow = asyncio.create_task(resolver.addresses("slow.test", ip_version=4))
    await clock.advance(31)
    server.add("other.test", "A", "127.0.0.2")
    assert list(await resolver.addresses("other.test", ip_version=4)) == ["127.0.0.2"]
    assert list(await slow) == ["127.0.0.1"]


async def test_resolver_cancelled_lookup_leaves_the_resolver_usable(
    server: DnsServer, resolver: AiodnsResolver, clock: ManualClock
) -> None:
    """A probe that is stopped in its dns phase harms no other, and its channel is still freed."""
    server.add("good.test", "A", "127.0.0.1")
    server.sabotage("silent.test", silence)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await resolver.addresses("silent.test")
        await clock.advance(31)
    assert list(await resolver.addresses("good.test", ip_version=4)) == ["127.0.0.1"]
    assert not resolver._absolute._retired


async def test_resolver_close_ends_lookups_under_way(server: DnsServer) -> None:
    """Stopping the agent never waits for a dead DNS server."""
    server.sabotage("silent.test", silence)
    resolver = AiodnsResolver(SystemClock(), [server.address], timeout_s=10)
    waiting = asyncio.create_task(resolver.addresses("silent.test"))
    await asyncio.sleep(0.05)
    await resolver.close()
    async with asyncio.timeout(1):
        with pytest.raises(ProbeFailure):
            await waiting


@pytest.mark.parametrize(
    ("sabotaged", "reason"), [(False, Reason.DNS_NXDOMAIN), (True, Reason.DNS_TIMEOUT)], ids=["nxdomain", "dead"]
)
async def test_probe_whose_name_does_not_resolve_fails_in_dns(
    server: DnsServer, resolver: AiodnsResolver, sabotaged: bool, reason: Reason
) -> None:
    """A whole probe over the real resolver: the phase, the reason and the time spent are those of the lookup."""
    if sabotaged:
        server.sabotage("gone.test", silence)
    options = TcpOptions(host="gone.test", port=443, timeout_s=0.5)
    result = await probed(TcpProbe, options, environment=make_environment(resolver=resolver))
    assert (result.status, result.reason, result.failed_phase) == (Status.DOWN, reason, Phase.DNS)
    assert set(result.phases) == {Phase.DNS}
    assert result.duration_s < 0.8


@pytest.fixture
def few_descriptors() -> Iterator[None]:
    """Takes every file descriptor but those that are open already."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    held: list[socket.socket] = []
    try:
        take_every_descriptor(held)
        time.sleep(0.1)  # c-ares' own thread closes the socket of a question after the answer was handed over
        take_every_descriptor(held)
        yield
    finally:
        for sock in held:
            sock.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def take_every_descriptor(held: list[socket.socket]) -> None:
    with contextlib.suppress(OSError):
        while True:
            held.append(socket.socket())


async def test_resolver_out_of_descriptors_accuses_the_agent(
    server: DnsServer, resolver: AiodnsResolver, request: pytest.FixtureRequest
) -> None:
    """Our own shortage of file descriptors is never a DNS failure of the site."""
    server.add("good.test", "A", "127.0.0.1")
    await resolver.addresses("good.test", ip_version=4)
    request.getfixturevalue("few_descriptors")
    found = await failure(resolver, "next.test", 4)
    assert found.reason is Reason.AGENT_RESOURCES


async def test_resolver_put_last_is_asked_only_after_the_others(server: DnsServer) -> None:
    """A lookup does not wait for a server that is known to be dead, and asks it again once it is not."""
    server.add("shop.test", "A", "192.0.2.7")
    server.add("blog.test", "A", "192.0.2.8")
    async with dns_server("127.0.0.2") as dead:
        dead.sabotage("shop.test", silence)
        dead.add("blog.test", "A", "192.0.2.8")
        resolver = AiodnsResolver(SystemClock(), [dead.address, server.address], timeout_s=2, tries=1)

        resolver.put_last({dead.address})
        assert await resolver.addresses("shop.test", ip_version=4) == ("192.0.2.7",)
        assert dead.queries == []

        resolver.put_last(frozenset())
        assert await resolver.addresses("blog.test", ip_version=4) == ("192.0.2.8",)
        assert dead.asked("blog.test") == 1
        await resolver.close()
