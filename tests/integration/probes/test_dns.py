"""The dns check against a real DNS server."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import ValidationError

from probes.dns import DnsOptions, DnsProbe
from sentry.domain.result import Phase, ProbeResult, Reason, Status
from tests.fakes.probing import probed
from tests.integration.dns_server import DnsServer, dns_server, garbage, silence
from tests.integration.hostile_servers import refused_port


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with dns_server() as running:
        yield running


async def ask(server: DnsServer | str, **options: Any) -> ProbeResult:
    address = server if isinstance(server, str) else server.address
    options = {"query_name": "shop.test", "timeout_s": 1, **options}
    return await probed(DnsProbe, DnsOptions(resolver=address, **options), url="http://shop.test/")


async def test_dns_right_answer_is_up_with_blackbox_figures(server: DnsServer) -> None:
    """The figures have the names that dashboards of blackbox_exporter expect."""
    server.add("shop.test", "A", "127.0.0.1", "127.0.0.2")
    result = await ask(server, expect=["127.0.0.2", "127.0.0.1"])
    assert (result.status, result.reason, result.detail) == (Status.UP, None, "")
    assert result.evidence.values == {
        "dns_query_succeeded": 1,
        "dns_answer_rrs": 2,
        "dns_authority_rrs": 0,
        "dns_additional_rrs": 0,
    }
    assert 0 < result.phases[Phase.DNS] < 1
    assert result.evidence.address == server.address


async def test_dns_name_absent_asks_for_the_sites_host(server: DnsServer) -> None:
    """A check needs no more than its kind."""
    server.add("shop.test", "A", "127.0.0.1")
    assert (await ask(server, query_name=None)).status is Status.UP


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"expect": ["127.0.0.9"]}, "expected exactly 127.0.0.9, got 127.0.0.1, 127.0.0.2"),
        ({"expect": ["127.0.0.1"]}, "expected exactly 127.0.0.1, got 127.0.0.1, 127.0.0.2"),
        ({"expect_all": ["127.0.0.1", "127.0.0.9"]}, "expected all of 127.0.0.1, 127.0.0.9, got"),
        ({"expect_any": ["127.0.0.8", "127.0.0.9"]}, "expected any of 127.0.0.8, 127.0.0.9, got"),
        ({"expect_none": ["127.0.0.2"]}, "expected none of 127.0.0.2, got"),
    ],
)
async def test_dns_wrong_answer_says_what_was_expected_and_what_came(
    server: DnsServer, rule: dict[str, list[str]], words: str
) -> None:
    """Each rule that is broken is named with both sides."""
    server.add("shop.test", "A", "127.0.0.1", "127.0.0.2")
    result = await ask(server, **rule)
    assert (result.status, result.reason, result.failed_phase) == (
        Status.DOWN,
        Reason.DNS_ANSWER_MISMATCH,
        Phase.DNS,
    )
    assert words in result.detail
    assert f"A shop.test at {server.address}" in result.detail


@pytest.mark.parametrize(
    "rule",
    [{"expect_all": ["127.0.0.1"]}, {"expect_any": ["127.0.0.1", "127.0.0.9"]}, {"expect_none": ["127.0.0.9"]}],
)
async def test_dns_answer_within_its_rule_is_up(server: DnsServer, rule: dict[str, list[str]]) -> None:
    """A rule that is met asks for nothing more."""
    server.add("shop.test", "A", "127.0.0.1", "127.0.0.2")
    assert (await ask(server, **rule)).status is Status.UP


@pytest.mark.parametrize(
    ("record_type", "stored", "expected"),
    [
        ("MX", "10 MX1.Shop.Test.", "10 mx1.shop.test"),
        ("TXT", '"v=spf1 " "-all"', "v=spf1 -all"),
        ("TXT", '"v=spf1 -all"', '"v=spf1 -all"'),
        ("AAAA", "2001:db8::1", "2001:0DB8:0:0::1"),
        ("NS", "ns1.shop.test.", "NS1.shop.test."),
        ("CAA", '0 issue "letsencrypt.org"', '0 issue "letsencrypt.org"'),
    ],
)
async def test_dns_values_are_compared_by_meaning(
    server: DnsServer, record_type: str, stored: str, expected: str
) -> None:
    """Case of names, the last dot, zeros of IPv6 and the pieces of a TXT record make no difference."""
    server.add("shop.test", record_type, stored)
    result = await ask(server, record_type=record_type, expect=[expected])
    assert (result.status, result.detail) == (Status.UP, "")


async def test_dns_alias_is_followed_to_its_records(server: DnsServer) -> None:
    """The records at the end of a CNAME are the answer."""
    server.add("shop.test", "CNAME", "host.test.")
    server.add("host.test", "A", "127.0.0.3")
    result = await ask(server, expect=["127.0.0.3"])
    assert result.status is Status.UP
    assert result.evidence.values["dns_answer_rrs"] == 2


@pytest.mark.parametrize(
    ("rcode", "reason"),
    [
        ("NXDOMAIN", Reason.DNS_NXDOMAIN),
        ("SERVFAIL", Reason.DNS_SERVER_FAILURE),
        ("REFUSED", Reason.DNS_SERVER_FAILURE),
    ],
)
async def test_dns_rcode_not_expected_is_down(server: DnsServer, rcode: str, reason: Reason) -> None:
    """An rcode is named as DNS people say it."""
    server.fail("shop.test", rcode)
    result = await ask(server)
    assert (result.status, result.reason) == (Status.DOWN, reason)
    assert f"rcode {rcode}, expected NOERROR" in result.detail


async def test_dns_expected_nxdomain_is_up_and_its_absence_down(server: DnsServer) -> None:
    """That a name must not exist can be watched too."""
    assert (await ask(server, rcode="NXDOMAIN")).status is Status.UP
    server.add("shop.test", "A", "127.0.0.1")
    result = await ask(server, rcode="NXDOMAIN")
    assert result.reason is Reason.DNS_ANSWER_MISMATCH


async def test_dns_no_records_of_the_type_is_down_unless_only_absence_was_asked(server: DnsServer) -> None:
    """An empty answer is never taken for a right one in silence."""
    server.add("shop.test", "TXT", '"x"')
    result = await ask(server)
    assert (result.reason, result.detail.endswith("expected a record, got none")) == (
        Reason.DNS_ANSWER_MISMATCH,
        True,
    )
    assert (await ask(server, expect_none=["127.0.0.9"])).status is Status.UP


async def test_dns_soa_keeps_the_serial(server: DnsServer) -> None:
    """The zone's serial is a figure, as in blackbox_exporter."""
    server.add("shop.test", "SOA", "ns.shop.test. admin.shop.test. 2026112201 3600 600 86400 300")
    assert (await ask(server, record_type="SOA")).evidence.values["dns_serial"] == 2026112201


async def test_dns_over_tcp_is_up(server: DnsServer) -> None:
    """The transport can be chosen."""
    server.add("shop.test", "A", "127.0.0.1")
    server.sabotage("shop.test", silence)  # over UDP only
    assert (await ask(server, transport="tcp")).status is Status.UP


async def test_dns_long_answer_is_fetched_over_tcp(server: DnsServer) -> None:
    """A truncated UDP answer is no failure; many values are shown in a bounded line."""
    server.add("shop.test", "A", *(f"127.0.{n}.1" for n in range(200)))
    result = await ask(server, expect=["127.0.0.1"])
    assert result.evidence.values["dns_answer_rrs"] == 200
    assert "and 192 more" in result.detail
    assert len(result.detail) < 500


async def test_dns_huge_answer_is_refused_before_it_is_read(server: DnsServer) -> None:
    """An answer that would hold the event loop for a third of a second costs nothing."""
    server.add("shop.test", "A", *(f"127.1.{n // 250}.{n % 250 + 1}" for n in range(4000)))
    result = await ask(server, transport="tcp", timeout_s=10)
    assert result.reason is Reason.DNS_SERVER_FAILURE
    assert "more than 500 records" in result.detail


async def test_dns_first_datagram_lost_is_still_up(server: DnsServer) -> None:
    """UDP may lose a datagram; that is no outage."""
    server.add("shop.test", "A", "127.0.0.1")
    seen = 0

    def lose_first(answer: Any) -> list[bytes]:
        nonlocal seen
        seen += 1
        return [] if seen == 1 else [answer.to_wire()]

    server.sabotage("shop.test", lose_first)
    assert (await ask(server)).status is Status.UP
    assert seen == 2


async def test_dns_silent_server_is_a_timeout(server: DnsServer) -> None:
    """A resolver that is dead is named."""
    server.sabotage("shop.test", silence)
    result = await ask(server, timeout_s=0.3)
    assert (result.reason, result.failed_phase) == (Reason.DNS_TIMEOUT, Phase.DNS)
    assert result.duration_s < 0.6


async def test_dns_closed_port_is_named_at_once() -> None:
    """A closed port is heard of in milliseconds, not at the deadline."""
    with refused_port() as port:
        result = await ask(f"127.0.0.1:{port}")
    assert (result.reason, result.duration_s < 0.5) == (Reason.DNS_SERVER_FAILURE, True)
    assert "refused" in result.detail.lower()


async def test_dns_garbage_is_a_server_failure(server: DnsServer) -> None:
    """Bytes that are no DNS are the server's fault, not ours."""
    server.sabotage("shop.test", garbage)
    assert (await ask(server)).reason is Reason.DNS_SERVER_FAILURE


async def test_dns_answer_to_another_question_is_a_server_failure(server: DnsServer) -> None:
    """A forged answer with a wrong id proves nothing."""
    server.add("shop.test", "A", "127.0.0.1")

    def forged(answer: Any) -> list[bytes]:
        wire: bytes = answer.to_wire()
        return [struct.pack("!H", answer.id ^ 1) + wire[2:]]

    server.sabotage("shop.test", forged)
    assert (await ask(server)).reason is Reason.DNS_SERVER_FAILURE


@pytest.mark.parametrize("sent", [b"", b"\xff\xff", b"\xff\xff" + b"x" * 5000, b"\x00\x02hi"])
async def test_dns_broken_tcp_answer_is_a_server_failure(sent: bytes) -> None:
    """A stream that ends or lies about its length is bounded and named."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(512)
        writer.write(sent)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as running:
        port = running.sockets[0].getsockname()[1]
        result = await ask(f"127.0.0.1:{port}", transport="tcp")
    assert (result.status, result.reason) == (Status.DOWN, Reason.DNS_SERVER_FAILURE)


async def test_dns_slow_answer_is_degraded(server: DnsServer) -> None:
    """An answer over its limit counts, but is not down."""
    server.add("shop.test", "A", "127.0.0.1")
    server.delay_s = 0.1
    result = await ask(server, max_response_s=0.05)
    assert (result.status, result.reason) == (Status.DEGRADED, Reason.SLOW_RESPONSE)


async def test_dns_reverse_name_of_an_address_is_asked(server: DnsServer) -> None:
    """PTR takes an address and asks for its reverse name."""
    server.add("5.0.0.127.in-addr.arpa", "PTR", "shop.test.")
    result = await ask(server, query_name="127.0.0.5", record_type="PTR", expect=["shop.test"])
    assert result.status is Status.UP


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"resolver": "dns.google"}, "write 192.0.2.1"),
        ({"resolver": "127.0.0.1:99999"}, "write 192.0.2.1"),
        ({"expect": ["no address"]}, "is no value of a A record"),
        ({"record_type": "MX", "expect": ["mx.shop.test"]}, "is no value of a MX record"),
        ({"rcode": "NOPE"}, "NXDOMAIN"),
        ({"expekt": []}, "Extra inputs"),
    ],
)
def test_dns_options_wrong_say_how_to_mend_them(options: dict[str, Any], words: str) -> None:
    """A mistake is met when the configuration is read, with the way out."""
    with pytest.raises(ValidationError, match=words):
        DnsOptions(**options)


async def test_dns_probe_leaves_no_socket_open(server: DnsServer) -> None:
    """A probe that fails leaks nothing."""
    server.sabotage("shop.test", silence)
    with socket.socket() as before:
        lowest = before.fileno()
    for _ in range(5):
        await ask(server, timeout_s=0.05)
    await asyncio.sleep(0.05)
    with socket.socket() as after:
        assert after.fileno() <= lowest + 1
