"""What is wrong with a proxy itself never counts against the site, and nothing of its credentials is kept."""

import pytest

from probes.environment import ProbeFailure
from sentry.domain.result import Phase, Reason, Status
from tests.fakes.resolver import TableResolver
from tests.integration.hostile_servers import (
    Behaviour,
    Exchange,
    after,
    answer,
    drip,
    full_backlog,
    hang_up,
    never,
    page,
    refused_port,
    reset,
    serving,
)
from tests.integration.probing import make_environment
from tests.integration.proxy_probing import (
    BASIC,
    CREDENTIALS,
    PASSWORD,
    assert_nothing_secret,
    assert_unknown,
    at_length,
    connect_answered,
    probe_through,
)
from tests.integration.proxy_server import TUNNEL, proxying


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_proxy_that_refuses_the_connection_is_no_fault_of_the_site(scheme: str) -> None:
    """Nobody listens at the proxy's port."""
    with refused_port() as port:
        result = await probe_through(port, f"{scheme}://shop.test/", credentials=CREDENTIALS)
    detail = f"the proxy proxy.test:{port} cannot be used: 127.0.0.1:{port} refused the connection"
    assert_unknown(result, detail)
    assert_nothing_secret(result)


async def test_proxy_that_does_not_take_the_connection_is_no_fault_of_the_site() -> None:
    """The deadline passes before the proxy is connected."""
    with full_backlog() as port:
        result = await probe_through(port, "https://shop.test/", timeout_s=0.3)
    assert_unknown(result, f"the proxy proxy.test:{port} does not take the connection within 0.3 s")


async def test_proxy_without_a_name_is_no_fault_of_the_site() -> None:
    """Its name does not exist, or is not answered in time."""
    gone = ProbeFailure(Reason.DNS_NXDOMAIN, "proxy.test does not exist", phase=Phase.DNS)
    missing = make_environment(resolver=TableResolver({"proxy.test": gone}))
    silent = make_environment(resolver=TableResolver({"proxy.test": None}))
    unknown = await probe_through(3128, "https://shop.test/", environment=missing)
    timed_out = await probe_through(3128, "https://shop.test/", environment=silent, timeout_s=0.2)
    detail = "the proxy proxy.test:3128 cannot be used: proxy.test does not exist"
    assert_unknown(unknown, detail, Phase.DNS)
    assert_unknown(timed_out, "the proxy proxy.test:3128 was not found by its name within 0.2 s", Phase.DNS)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("credentials", ["", "ana:wrong@"], ids=["none", "wrong"])
async def test_proxy_that_wants_other_credentials_is_no_fault_of_the_site(scheme: str, credentials: str) -> None:
    """A 407 is about us and the proxy, to CONNECT and to a request alike, and whatever statuses are accepted."""
    async with proxying(authorization=BASIC) as proxy:
        url = f"{scheme}://shop.test/"
        result = await probe_through(proxy.port, url, credentials=credentials, accepted_status=[200, 407])
    assert result.detail.startswith(f"the proxy proxy.test:{proxy.port} answers 407")
    assert result.detail.endswith(": it wants other credentials than those in its address")
    assert_unknown(result, result.detail, Phase.CONNECT if scheme == "https" else Phase.PROCESSING)


async def test_proxy_401_of_the_site_behind_it_is_the_sites() -> None:
    """Only tinyproxy, which signs its pages, says 401 for itself."""
    async with serving(answer(page(status=401, headers=("Server: nginx",)))) as site, proxying() as proxy:
        result = await probe_through(proxy.port, site.url("shop.test"))
    assert (result.status, result.reason) == (Status.DOWN, Reason.HTTP_CLIENT_ERROR)


async def test_proxy_407_with_a_body_without_end_stays_the_verdict() -> None:
    """The page with which a proxy refuses is not waited for."""
    endless = page(b"who are you?", status=407, length=10_000)
    async with serving(drip(endless, every_s=10, size=len(endless))) as proxy:
        result = await probe_through(proxy.port, "http://shop.test/", timeout_s=1)
    assert (result.status, result.reason) == (Status.UNKNOWN, Reason.AGENT_NETWORK)
    assert result.duration_s < 0.8


@pytest.mark.parametrize("status", [400, 403, 404, 405, 429, 500, 501, 302])
async def test_proxy_that_makes_no_tunnel_is_no_fault_of_the_site(status: int) -> None:
    """Refusals by the proxy's own rules, redirects and whatever else is no tunnel."""
    result, proxy = await connect_answered(answer(page(b"no", status=status)))
    words = f"the proxy proxy.test:{proxy.port} answers {status} Status: it makes no tunnel to shop.test:443"
    assert_unknown(result, words)


@pytest.mark.parametrize(
    ("behave", "detail"),
    [
        (hang_up, "gives no proper answer to CONNECT: it closes the connection before the end of one"),
        (answer(b"HTTP/1.1 200 OK\r\nVia: x\r\n"), "gives no proper answer to CONNECT: it closes the connection…"),
        (answer(b"SSH-2.0-OpenSSH_9.2\r\n"), "gives no proper answer to CONNECT: the response cannot be read as…"),
        (answer(b"HTTP/1.1 200 OK\r\n" + b"X-Pad: y\r\n" * 201 + b"\r\n"), "gives no proper answer to CONNECT: th…"),
        (at_length(b"HTTP/1.1 200 OK\r\nX-Pad: " + b"y" * 200_000), "gives no proper answer to CONNECT: …"),
        (at_length(b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000), "gives no proper answer to CONNECT: …"),
        (answer(TUNNEL + b"hello"), "sends data of its own into the tunnel"),
        (answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), "sends data of its own into the tunnel"),
        (answer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + TUNNEL), "sends data of its own into the tunnel"),
        (answer(b"HTTP/1.1 200 OK\r\n" + BASIC.encode() + b"\r\n\r\n"), "gives no proper answer to CONNECT: …"),
        (reset, "cannot be used: 127.0.0.1:…"),
    ],
    ids=[
        "nothing",
        "half",
        "ssh",
        "many-headers",
        "endless-header",
        "endless-interim",
        "data",
        "body",
        "two",
        "echo",
        "reset",
    ],
)
async def test_proxy_that_talks_nonsense_is_no_fault_of_the_site(behave: Behaviour, detail: str) -> None:
    """What is no answer to CONNECT is the proxy's own trouble, and bounded."""
    result, proxy = await connect_answered(behave, credentials=CREDENTIALS)
    said = result.detail.removeprefix(f"the proxy proxy.test:{proxy.port} ")
    assert said == detail or (detail.endswith("…") and said.startswith(detail[:-1]))
    assert_unknown(result, result.detail)
    assert_nothing_secret(result)


async def endless_headers(exchange: Exchange) -> None:
    """Sends header upon header for as long as anybody reads."""
    await exchange.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        await exchange.send(b"a:\n" * 5_000)


async def test_proxy_with_endless_headers_ends_soon() -> None:
    """The bound of a head ends it, not the deadline."""
    result, _ = await connect_answered(endless_headers)
    assert (result.status, result.reason) == (Status.UNKNOWN, Reason.AGENT_NETWORK)
    assert "headers" in result.detail
    assert result.duration_s < 2


async def test_proxy_silent_about_connect_is_a_connect_timeout() -> None:
    """Nobody can know whether the proxy hangs or waits for the site; the detail says what is known."""
    result, proxy = await connect_answered(never, timeout_s=0.3)
    verdict = (result.status, result.reason, result.failed_phase)
    assert verdict == (Status.DOWN, Reason.CONNECT_TIMEOUT, Phase.CONNECT)
    words = f"the proxy proxy.test:{proxy.port} has not answered CONNECT shop.test:443"
    assert result.detail == f"no answer to the connection attempt within 0.3 s ({words})"
    assert result.phases[Phase.CONNECT] > 0.25


async def test_proxy_answer_that_does_not_end_is_no_fault_of_the_site() -> None:
    """Who has begun to answer is there, and hangs by itself."""
    result, proxy = await connect_answered(drip(TUNNEL, every_s=0.1), timeout_s=0.35)
    assert_unknown(result, f"the proxy proxy.test:{proxy.port} does not end its answer to CONNECT within 0.35 s")


async def test_proxy_slow_to_connect_counts_to_the_phase_connect() -> None:
    """The time that the tunnel took is part of connect."""
    result, _ = await connect_answered(after(0.2, page(status=502)))
    assert result.phases[Phase.CONNECT] > 0.18


async def echo(exchange: Exchange) -> None:
    """Sends the request back as a page, in a header and as the reason phrase."""
    token = exchange.header("Proxy-Authorization") or ""
    lines = (
        f"HTTP/1.1 503 {'x' * 100}{token}",
        f"X-Squid-Error: {'x' * 100}{token}",
        f"X-Echo: {token}",
        "Connection: close",
    )
    await exchange.send("\r\n".join([*lines, "", exchange.head.decode("latin-1"), PASSWORD]).encode())


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_proxy_that_echoes_its_credentials_gives_nothing_away(scheme: str) -> None:
    """Whatever a proxy repeats, what is kept of it holds no secret."""
    async with serving(echo) as proxy:
        result = await probe_through(proxy.port, f"{scheme}://shop.test/", credentials=CREDENTIALS)
    assert result.status is Status.DOWN
    assert_nothing_secret(result)
