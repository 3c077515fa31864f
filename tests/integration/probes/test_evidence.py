"""The collector against real DNS servers and sites on loopback addresses."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from probes.evidence import Collector
from sentry.clock import SystemClock
from sentry.domain.attribution import attribute
from sentry.domain.failure_report import Attribution, CollectedEvidence
from sentry.domain.result import Reason, Status
from tests.fakes.checks import make_result
from tests.fakes.resolver import TableResolver
from tests.integration.authority import Authority, Validity, self_signed
from tests.integration.dns_server import DnsServer, dns_server, silence
from tests.integration.hostile_servers import full_backlog, never, refused_port, serving, serving_raw


@pytest.fixture
async def first() -> AsyncIterator[DnsServer]:
    async with dns_server() as running:
        yield running


@pytest.fixture
async def second() -> AsyncIterator[DnsServer]:
    async with dns_server() as running:
        yield running


def make_collector(one: DnsServer | str, other: DnsServer | str, *, ca_file: Path | None = None) -> Collector:
    """A collector that asks these two, never the system's; its own resolver knows no name."""
    addresses = [server if isinstance(server, str) else server.address for server in (one, other)]
    own = TableResolver(otherwise=())
    return Collector(SystemClock(), addresses, ca_file, resolver=own)


def answers(evidence: CollectedEvidence, record_type: str) -> dict[str, tuple[str, ...]]:
    return {answer.resolver: answer.values for answer in evidence.dns if answer.record_type == record_type}


async def elapsed(collector: Collector, url: str, deadline_s: float) -> tuple[CollectedEvidence, float]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    evidence = await collector.collect(url, deadline_s)
    return evidence, loop.time() - began


@pytest.mark.promise("002-06")
async def test_collector_one_of_two_addresses_refuses_names_it(first: DnsServer, second: DnsServer) -> None:
    """Half of a site is down: the report says which half."""
    for server in (first, second):
        server.add("shop.test", "A", "127.0.0.1", "127.0.0.2")
    async with serving(never) as site:
        evidence = await make_collector(first, second).collect(site.url("shop.test"), 3)
    good, bad = evidence.addresses
    assert (good.address, good.connected, good.connect_error) == ("127.0.0.1", True, None)
    assert (bad.address, bad.connected, bad.connect_s) == ("127.0.0.2", False, None)
    assert "refused" in (bad.connect_error or "")
    assert good.connect_s is not None
    assert 0 < good.connect_s < 1
    assert (evidence.complete, evidence.missing) == (True, ())
    failed = make_result(Status.DOWN, reason=Reason.CONNECT_REFUSED)
    assert attribute(failed, evidence) == (Attribution.INFRASTRUCTURE, "some_addresses_fail")


async def test_collector_two_resolvers_that_differ_shows_both_and_tries_all(
    first: DnsServer, second: DnsServer
) -> None:
    """A half-done move shows in the answers, with the time each took, the alias chain and the zone's servers."""
    first.add("www.shop.test", "CNAME", "shop.test.")
    first.add("shop.test", "A", "127.0.0.1")
    first.add("shop.test", "AAAA", "::1")
    first.add("shop.test", "NS", "ns1.host.test.", "ns2.host.test.")
    second.add("www.shop.test", "A", "127.0.0.9")
    second.delay_s = 0.05
    with refused_port() as port:
        evidence = await make_collector(first, second).collect(f"http://www.shop.test:{port}/", 3)
    assert answers(evidence, "A") == {first.address: ("127.0.0.1",), second.address: ("127.0.0.9",)}
    assert answers(evidence, "AAAA") == {first.address: ("::1",), second.address: ()}
    assert answers(evidence, "CNAME") == {first.address: ("shop.test.",)}
    assert answers(evidence, "NS") == {first.address: ("ns1.host.test.", "ns2.host.test.")}
    assert [trial.address for trial in evidence.addresses] == ["127.0.0.1", "127.0.0.9", "::1"]
    slow = [answer.elapsed_s for answer in evidence.dns if answer.resolver == second.address]
    assert all(seconds >= 0.05 for seconds in slow)


async def test_collector_both_resolvers_say_nxdomain_is_a_third_partys_fault(
    first: DnsServer, second: DnsServer
) -> None:
    """Two resolvers that agree tell of the zone."""
    evidence = await make_collector(first, second).collect("https://shop.test/", 3)
    assert {answer.error for answer in evidence.dns if answer.record_type in {"A", "AAAA"}} == {"NXDOMAIN"}
    assert evidence.addresses == ()
    failed = make_result(Status.DOWN, reason=Reason.DNS_NXDOMAIN)
    assert attribute(failed, evidence) == (Attribution.THIRD_PARTY, "dns_resolvers_agree")


async def test_collector_dead_resolver_leaves_the_other_and_no_agreement(second: DnsServer) -> None:
    """A resolver that is gone is named with its error and casts no vote."""
    second.add("shop.test", "A", "127.0.0.1")
    with refused_port() as dead, refused_port() as port:
        evidence = await make_collector(f"127.0.0.1:{dead}", second).collect(f"http://shop.test:{port}/", 3)
    errors = {answer.resolver: answer.error for answer in evidence.dns if answer.record_type == "A"}
    assert errors[second.address] is None
    assert "refused" in (errors[f"127.0.0.1:{dead}"] or "").lower()
    assert len(evidence.addresses) == 1
    failed = make_result(Status.DOWN, reason=Reason.DNS_TIMEOUT)
    assert attribute(failed, evidence) == (Attribution.UNKNOWN, "dns_unconfirmed")


async def test_collector_expired_chain_keeps_names_and_dates(first: DnsServer, tmp_path: Path) -> None:
    """A chain that is refused is in the report all the same."""
    authority = Authority.root()
    leaf = authority.leaf("shop.test", "www.shop.test", days=(-30, -3))
    first.add("shop.test", "A", "127.0.0.1")
    async with serving(never, tls=leaf.server_context()) as site:
        ca_file = authority.write(tmp_path / "ca.pem")
        evidence = await make_collector(first, first, ca_file=ca_file).collect(site.url("shop.test"), 5)
    (trial,) = evidence.addresses
    assert (trial.connected, trial.tls_reason, trial.tls_version) == (True, Reason.TLS_EXPIRED, "TLSv1.3")
    assert trial.chain[0].names == ("shop.test", "www.shop.test")
    assert abs(trial.chain[0].not_after - Validity.days(-30, -3).end) < timedelta(minutes=1)


async def test_collector_two_addresses_with_different_certificates_names_each(
    first: DnsServer, tmp_path: Path
) -> None:
    """One server of two was forgotten at renewal: the chain of each address is there."""
    authority = Authority.root()
    first.add("shop.test", "A", "127.0.0.1", "127.0.0.2")
    async with serving(never, tls=authority.leaf("shop.test").server_context()) as site:
        bad = await _serve_at("127.0.0.2", site.port, self_signed("shop.test").server_context())
        async with bad:
            ca_file = authority.write(tmp_path / "ca.pem")
            evidence = await make_collector(first, first, ca_file=ca_file).collect(site.url("shop.test"), 5)
    assert {trial.address: trial.tls_reason for trial in evidence.addresses} == {
        "127.0.0.1": None,
        "127.0.0.2": Reason.TLS_SELF_SIGNED,
    }
    assert all(trial.chain for trial in evidence.addresses)


async def _serve_at(host: str, port: int, context: ssl.SSLContext) -> asyncio.Server:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    return await asyncio.start_server(handle, host, port, ssl=context)


async def test_collector_literal_address_asks_no_server(first: DnsServer) -> None:
    """An address needs no lookup."""
    async with serving(never) as site:
        evidence = await make_collector(first, first).collect(f"http://127.0.0.1:{site.port}/", 3)
    assert first.queries == []
    assert [(trial.address, trial.connected) for trial in evidence.addresses] == [("127.0.0.1", True)]
    assert evidence.dns == ()


async def test_collector_name_only_the_agent_knows_is_tried(first: DnsServer) -> None:
    """What the probes see through the hosts file is looked at too."""
    own = TableResolver({"shop.test": ("127.0.0.1",)})
    async with serving(never) as site:
        collector = Collector(SystemClock(), [first.address, first.address], resolver=own)
        evidence = await collector.collect(site.url("shop.test"), 3)
    assert [(trial.address, trial.connected) for trial in evidence.addresses] == [("127.0.0.1", True)]


async def test_collector_dead_site_is_complete_within_the_deadline(first: DnsServer) -> None:
    """Silent resolver, address that drops packets: everything is named as timed out before the deadline."""
    first.add("shop.test", "A", "127.0.0.1")
    first.sabotage("shop.test", silence, "AAAA")
    with full_backlog() as port:
        evidence, took_s = await elapsed(make_collector(first, first), f"https://shop.test:{port}/", 2)
    assert took_s < 2
    assert (evidence.complete, evidence.missing) == (True, ())
    assert "gave no answer within 0.6 s" in (evidence.addresses[0].connect_error or "")
    (silent,) = [answer for answer in evidence.dns if answer.record_type == "AAAA"]
    assert "gave no answer" in (silent.error or "")


async def test_collector_site_that_hangs_in_tls_is_a_tls_timeout(first: DnsServer) -> None:
    """Connected, then silence: both are in the report."""
    async with serving_raw(never) as port:
        evidence, took_s = await elapsed(make_collector(first, first), f"https://127.0.0.1:{port}/", 1)
    (trial,) = evidence.addresses
    assert (trial.connected, trial.tls_reason) == (True, Reason.TLS_TIMEOUT)
    assert took_s < 1


async def test_collector_deadline_too_short_keeps_what_it_has_and_names_the_rest(first: DnsServer) -> None:
    """The deadline is kept to the letter; what is missing is named."""
    collector = make_collector(first, first)
    evidence, took_s = await elapsed(collector, "https://shop.test/", 0)
    assert took_s < 0.05
    assert not evidence.complete
    assert f"DNS A from {first.address}" in evidence.missing


async def test_collector_own_resolver_that_hangs_costs_nothing_but_itself(first: DnsServer) -> None:
    """The agent's resolver may be the very thing that is broken."""
    first.add("shop.test", "A", "127.0.0.1")
    collector = Collector(SystemClock(), [first.address] * 2, resolver=TableResolver({"shop.test": None}))
    with refused_port() as port:
        evidence, took_s = await elapsed(collector, f"http://shop.test:{port}/", 1)
    assert took_s < 0.6
    assert len(evidence.addresses) == 1


async def test_collector_fault_of_ours_in_one_part_leaves_the_others(first: DnsServer) -> None:
    """A bug costs its own part only, and is named."""

    class Broken(TableResolver):
        async def addresses(self, name: str, *, ip_version: int | None = None) -> Sequence[str]:
            raise KeyError(name)

    first.add("shop.test", "A", "127.0.0.1")
    collector = Collector(SystemClock(), [first.address] * 2, resolver=Broken())
    with refused_port() as port:
        evidence = await collector.collect(f"http://shop.test:{port}/", 2)
    assert evidence.missing == ("DNS from the agent's own resolver: KeyError",)
    assert len(evidence.addresses) == 1


async def test_collector_hundred_addresses_tries_sixteen_and_says_so(first: DnsServer) -> None:
    """A hostile zone cannot make the agent open a hundred connections."""
    first.add("shop.test", "A", *(f"127.0.0.{n}" for n in range(1, 101)))
    with refused_port() as port:
        evidence = await make_collector(first, first).collect(f"http://shop.test:{port}/", 5)
    assert len(evidence.addresses) == 16
    assert "further addresses" in evidence.missing[-1]
    assert not evidence.complete


@pytest.mark.parametrize("url", ["", "nonsense", "http://", "http://[::1", "http://host:99999/"])
async def test_collector_url_that_names_no_host_says_so(first: DnsServer, url: str) -> None:
    """It never raises, whatever it is given."""
    evidence = await make_collector(first, first).collect(url, 1)
    assert evidence.missing == ("everything: the url names no host",)


async def test_collector_address_without_a_port_looks_up_its_name_and_connects_to_nothing(
    first: DnsServer, second: DnsServer
) -> None:
    """What is pinged or asked of DNS has no port to try."""
    for server in (first, second):
        server.add("mail.test", "A", "127.0.0.1")
    evidence = await make_collector(first, second).collect("icmp://mail.test", 1)
    assert answers(evidence, "A") == {first.address: ("127.0.0.1",), second.address: ("127.0.0.1",)}
    assert (evidence.addresses, evidence.missing) == ((), ())


async def test_collector_port_of_another_protocol_is_tried_with_tls_where_it_speaks_it(
    first: DnsServer, second: DnsServer, tmp_path: Path
) -> None:
    """The port of a tcp check is tried as it is, that of a tls check with a handshake."""
    root = Authority.root()
    for server in (first, second):
        server.add("mail.test", "A", "127.0.0.1")
    collector = make_collector(first, second, ca_file=root.write(tmp_path / "ca.pem"))
    async with serving(never, tls=root.leaf("mail.test").server_context()) as site:
        plain = await collector.collect(f"tcp://mail.test:{site.port}", 3)
        secured = await collector.collect(f"tls://mail.test:{site.port}", 3)
    assert [(trial.connected, trial.tls_version) for trial in plain.addresses] == [(True, None)]
    assert [(trial.connected, trial.tls_version) for trial in secured.addresses] == [(True, "TLSv1.3")]


async def test_collector_impossible_name_says_so(first: DnsServer) -> None:
    """A name that DNS cannot hold is no error of ours."""
    evidence = await make_collector(first, first).collect("http://" + "x" * 70 + ".test/", 1)
    assert "is no valid DNS name" in evidence.missing[0]
