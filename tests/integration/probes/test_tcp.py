"""The tcp check against real servers of many manners."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from probes.environment import ProbeFailure
from probes.tcp import TcpProbe
from probes.tcp_options import TcpOptions
from sentry.domain.result import Phase, ProbeResult, Reason, Status
from tests.fakes.probing import make_environment, probed
from tests.fakes.resolver import TableResolver
from tests.integration.authority import Authority, self_signed
from tests.integration.hostile_servers import Exchange, full_backlog, never, refused_port, reset, serving_raw

Behaviour = Callable[[Exchange], Awaitable[None]]


async def probe(port: int, *, ca_file: Path | None = None, **options: Any) -> ProbeResult:
    options = {"timeout_s": 0.5, **options}
    environment = make_environment(ca_file=ca_file)
    return await probed(TcpProbe, TcpOptions(port=port, **options), environment=environment, url="http://shop.test/")


async def probe_server(behave: Behaviour, **options: Any) -> ProbeResult:
    async with serving_raw(behave) as port:
        return await probe(port, **options)


def says(*pieces: bytes, every_s: float = 0.0, then_close: bool = True) -> Behaviour:
    async def behave(exchange: Exchange) -> None:
        for piece in pieces:
            await exchange.send(piece)
            await asyncio.sleep(every_s)
        if not then_close:
            await asyncio.sleep(30)

    return behave


async def echo(exchange: Exchange) -> None:
    while data := await exchange.reader.read(1024):
        await exchange.send(data)


async def test_tcp_open_port_is_up() -> None:
    """To connect is enough where nothing is expected."""
    result = await probe_server(never)
    assert (result.status, result.detail) == (Status.UP, "")
    assert set(result.phases) == {Phase.DNS, Phase.CONNECT}
    assert result.evidence.values["ip_protocol"] == 4


@pytest.mark.promise("002-06")
async def test_tcp_nobody_listens_is_refused() -> None:
    """A closed port is named."""
    with refused_port() as port:
        result = await probe(port)
    assert (result.status, result.reason, result.failed_phase) == (
        Status.DOWN,
        Reason.CONNECT_REFUSED,
        Phase.CONNECT,
    )


async def test_tcp_no_answer_to_syn_is_a_connect_timeout() -> None:
    """A server that drops packets meets the deadline in the connect phase."""
    with full_backlog() as port:
        result = await probe(port, timeout_s=0.3)
    assert (result.reason, result.failed_phase) == (Reason.CONNECT_TIMEOUT, Phase.CONNECT)


async def test_tcp_name_not_found_fails_in_dns() -> None:
    """The lookup is a phase of its own."""
    gone = ProbeFailure(Reason.DNS_NXDOMAIN, "gone.test: no such name", phase=Phase.DNS)
    environment = make_environment(resolver=TableResolver({"gone.test": gone}))
    result = await probed(TcpProbe, TcpOptions(host="gone.test", port=25), environment=environment)
    assert (result.reason, result.failed_phase) == (Reason.DNS_NXDOMAIN, Phase.DNS)


async def test_tcp_banner_as_expected_is_up() -> None:
    """A service that speaks first is known by its banner."""
    result = await probe_server(says(b"220 mail.shop.test ESMTP\r\n"), expect_regex=r"^220 \S+ ESMTP")
    assert result.status is Status.UP
    assert result.evidence.values["failed_due_to_regex"] == 0
    assert "got '220 mail.shop.test ESMTP'" in result.evidence.log
    assert Phase.PROCESSING in result.phases


async def test_tcp_text_sent_and_expected_back_is_up() -> None:
    """One exchange: send, then expect."""
    assert (await probe_server(echo, send="PING\r\n", expect_text="PING\r\n")).status is Status.UP


async def test_tcp_reply_in_pieces_is_put_together() -> None:
    """TCP has no messages: an answer may come byte by byte."""
    pieces = [bytes([byte]) for byte in b"+PONG\r\n"]
    assert (await probe_server(says(*pieces, every_s=0.01), expect_text="+PONG")).status is Status.UP


async def test_tcp_other_reply_and_close_is_a_mismatch_with_both_sides() -> None:
    """The line shows what was expected and what came, harmless and bounded."""
    result = await probe_server(says(b"-ERR \x1b[31m" + b"x" * 5000 + b"\r\n"), expect_text="+PONG")
    assert (result.status, result.reason, result.failed_phase) == (
        Status.DOWN,
        Reason.REPLY_MISMATCH,
        Phase.PROCESSING,
    )
    assert result.detail.startswith("expected '+PONG' before the peer closed, got '-ERR")
    assert "\x1b" not in result.detail
    assert len(result.detail) < 500
    assert result.evidence.values["failed_due_to_regex"] == 1


async def test_tcp_other_reply_and_silence_is_a_mismatch_at_the_deadline() -> None:
    """A wrong answer stays a wrong answer when the peer keeps the line open."""
    result = await probe_server(says(b"554 no\r\n", then_close=False), expect_text="220")
    assert (result.reason, result.detail) == (
        Reason.REPLY_MISMATCH,
        "expected '220' before the deadline, got '554 no'",
    )


async def test_tcp_silence_is_a_reply_timeout() -> None:
    """A service that accepts and says nothing is told from one that says something else."""
    result = await probe_server(never, expect_text="220")
    assert (result.reason, result.failed_phase) == (Reason.REPLY_TIMEOUT, Phase.PROCESSING)
    assert result.duration_s < 1


async def test_tcp_reset_while_waiting_is_a_reset() -> None:
    """A broken connection is named."""
    result = await probe_server(reset, send="x", expect_text="220")
    assert result.reason is Reason.CONNECTION_RESET


async def test_tcp_endless_stream_is_cut_at_its_bound() -> None:
    """A peer that never stops sending costs no more than the bound."""

    async def flood(exchange: Exchange) -> None:
        while True:
            await exchange.send(b"x" * 65_536)

    result = await probe_server(flood, expect_text="220", max_reply_bytes=10_000, timeout_s=5)
    assert (result.reason, result.duration_s < 2) == (Reason.REPLY_MISMATCH, True)
    assert "greatest length" in result.detail


async def test_tcp_expression_that_never_ends_accuses_the_agent() -> None:
    """A pattern made for hours of work is stopped, and it is the configuration's fault."""
    result = await probe_server(says(b"a" * 40 + b"!", then_close=False), expect_regex="(a+)+$", timeout_s=5)
    assert (result.status, result.reason) == (Status.UNKNOWN, Reason.AGENT_ERROR)
    assert "make it simpler" in result.detail


async def test_tcp_conversation_of_several_turns_is_up() -> None:
    """Steps are taken in order; lines that came together are all seen."""

    async def pop3(exchange: Exchange) -> None:
        await exchange.send(b"+OK ready\r\n+HINT more\r\n")
        assert await exchange.reader.readline() == b"CAPA\r\n"
        await exchange.send(b"USER\r\n.\r\n")

    steps = [
        {"expect_text": "+OK"},
        {"expect_text": "+HINT", "send": "CAPA\r\n"},
        {"expect_regex": r"(?m)^USER\s*$"},
    ]
    result = await probe_server(pop3, steps=steps)
    assert (result.status, result.detail) == (Status.UP, "")


@pytest.fixture
async def authority(tmp_path: Path) -> Authority:
    made = Authority.root()
    made.write(tmp_path / "ca.pem")
    return made


@pytest.fixture
async def smtp_port(authority: Authority) -> AsyncIterator[int]:
    context = authority.leaf("shop.test").server_context()

    async def smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        assert await reader.readline() == b"STARTTLS\r\n"
        writer.write(b"220 go ahead\r\n")
        await writer.drain()
        await writer.start_tls(context)
        assert await reader.readline() == b"NOOP\r\n"
        writer.write(b"250 ok\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(smtp, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_tcp_start_tls_within_a_conversation_verifies_the_chain(smtp_port: int, tmp_path: Path) -> None:
    """Mail servers turn to TLS in mid-conversation; their certificates are watched like any other."""
    steps = [
        {"expect_text": "220", "send": "STARTTLS\r\n"},
        {"expect_text": "220", "start_tls": True},
        {"send": "NOOP\r\n"},
        {"expect_text": "250"},
    ]
    result = await probe(smtp_port, ca_file=tmp_path / "ca.pem", steps=steps, timeout_s=3)
    assert (result.status, result.detail) == (Status.UP, "")
    assert result.evidence.tls is not None
    assert result.evidence.tls.chain[0].names == ("shop.test",)


@pytest.mark.parametrize(
    ("days", "status", "reason"),
    [((-30, -3), Status.DOWN, Reason.TLS_EXPIRED), ((-30, 5), Status.DEGRADED, Reason.TLS_EXPIRES_SOON)],
)
async def test_tcp_over_tls_judges_the_certificate(
    authority: Authority, tmp_path: Path, days: tuple[float, float], status: Status, reason: Reason
) -> None:
    """TLS from the first byte: expired is down, soon to expire is degraded."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\r\n")
        await writer.drain()
        writer.close()

    context = authority.leaf("shop.test", days=days).server_context()
    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        result = await probe(port, ca_file=tmp_path / "ca.pem", tls=True, expect_text="hello", timeout_s=3)
    assert (result.status, result.reason) == (status, reason)


async def test_tcp_over_tls_self_signed_is_down_with_its_chain() -> None:
    """The chain is kept although it was refused."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    context = self_signed("shop.test").server_context()
    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context) as server:
        result = await probe(server.sockets[0].getsockname()[1], tls=True, timeout_s=3)
    assert (result.reason, result.failed_phase) == (Reason.TLS_SELF_SIGNED, Phase.TLS)
    assert result.evidence.tls is not None
    assert len(result.evidence.tls.chain) == 1


async def test_tcp_slow_service_is_degraded() -> None:
    """A right answer over the limit counts, but is not down."""

    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(0.1)
        await exchange.send(b"220")

    result = await probe_server(slow, expect_text="220", max_response_s=0.05)
    assert (result.status, result.reason) == (Status.DEGRADED, Reason.SLOW_RESPONSE)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Field required"),
        ({"port": 25, "expect_regex": "("}, "is no regular expression"),
        ({"port": 25, "steps": [{}]}, "a step is empty"),
        ({"port": 25, "send": "x", "steps": [{"send": "y"}]}, "write them as a step"),
        ({"port": 25, "tls": True, "steps": [{"start_tls": True}]}, "only once"),
    ],
)
def test_tcp_options_wrong_say_how_to_mend_them(options: dict[str, Any], words: str) -> None:
    """A mistake is met when the configuration is read, with the way out."""
    with pytest.raises(ValidationError, match=words):
        TcpOptions.model_validate(options)
