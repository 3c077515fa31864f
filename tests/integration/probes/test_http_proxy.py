"""The http probe through real proxies: what comes of it, whose fault a failure is, and what stays secret."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from probes.tls_library import TlsChoice
from sentry.domain.result import Phase, ProbeResult, Reason, Status
from tests.fakes.resolver import TableResolver
from tests.integration.authority import Authority, Identity
from tests.integration.hostile_servers import (
    answer,
    blocking_tls,
    by_path,
    drip,
    never,
    page,
    refused_port,
    serving,
)
from tests.integration.probing import probe_once
from tests.integration.proxy_probing import (
    BASIC,
    CREDENTIALS,
    assert_nothing_secret,
    assert_unknown,
    connect_answered,
    outside,
    probe_through,
)
from tests.integration.proxy_server import proxying
from tests.integration.servers.tinyproxy import Tinyproxy

ROOT = Authority.root("Trusted Root")
INTERMEDIATE = ROOT.intermediate("Trusted Intermediate")
SHOP = INTERMEDIATE.leaf("shop.test")


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    return ROOT.write(tmp_path / "ca.pem")


# ── what works ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_proxy_plain_http_is_asked_in_absolute_form() -> None:
    """The proxy gets the whole address and its credentials; the site gets neither."""
    async with serving(answer(page(b"hello"))) as site, proxying(authorization=BASIC) as proxy:
        url = site.url("shop.test", "/cart?x=1")
        result = await probe_through(proxy.port, url, credentials=CREDENTIALS, expect_text="hello")
    assert result.status is Status.UP, result.detail
    assert set(result.phases) == {Phase.DNS, Phase.CONNECT, Phase.PROCESSING, Phase.TRANSFER}
    assert proxy.requests[0].startswith(f"GET {url} HTTP/1.1\r\nHost: shop.test:{site.port}\r\n".encode())
    assert f"Proxy-Authorization: {BASIC}\r\n".encode() in proxy.requests[0]
    assert site.requests[0].startswith(b"GET /cart?x=1 HTTP/1.1\r\n")
    assert result.evidence.address == f"127.0.0.1:{proxy.port}"
    assert f"going through the proxy proxy.test:{proxy.port}" in result.evidence.log
    assert_nothing_secret(result)


async def test_proxy_https_goes_through_a_tunnel_and_is_verified(ca_file: Path) -> None:
    """CONNECT names the site; behind it the certificate is the site's, and the proxy's credentials stay behind."""
    environment = outside(ca_file)
    async with (
        serving(answer(page(b"hello")), tls=SHOP.server_context()) as site,
        proxying(authorization=BASIC) as proxy,
    ):
        result = await probe_through(
            proxy.port, site.url("shop.test", "/cart"), credentials=CREDENTIALS, environment=environment
        )
    assert result.status is Status.UP, result.detail
    assert set(result.phases) == set(Phase)
    assert result.evidence.tls is not None
    assert result.evidence.tls.verified
    assert result.evidence.tls.chain[0].fingerprint_sha256 == SHOP.fingerprint
    where = f"shop.test:{site.port}"
    assert proxy.requests == [
        f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\nUser-Agent: online-sentry/test\r\n"
        f"Proxy-Authorization: {BASIC}\r\n\r\n".encode()
    ]
    assert site.requests[0].startswith(b"GET /cart HTTP/1.1\r\n")
    assert b"proxy" not in site.requests[0].lower()
    assert_nothing_secret(result)


async def test_proxy_resolves_the_sites_name_and_the_agent_does_not(ca_file: Path) -> None:
    """The agent's own resolver is asked for the proxy alone, also where a redirect leads on."""
    environment = outside(ca_file)
    async with serving(answer(page()), tls=SHOP.server_context()) as site, proxying() as proxy:
        moved = answer(page(status=301, headers=(f"Location: {site.url('shop.test', '/new')}",)))
        async with serving(moved) as old:
            result = await probe_through(proxy.port, old.url("old.test"), environment=environment)
    assert result.status is Status.UP, result.detail
    assert [head.split(b" ")[0] for head in proxy.requests] == [b"GET", b"CONNECT"]
    assert result.evidence.http is not None
    assert [hop.status for hop in result.evidence.http.hops] == [301, 200]
    assert isinstance(environment.resolver, TableResolver)
    assert {name for name, _ in environment.resolver.asked} == {"proxy.test"}


@pytest.mark.parametrize("choice", [TlsChoice("rtls"), TlsChoice("ssl", 3600)], ids=["rtls", "cache"])
async def test_proxy_short_ways_of_tls_work_through_the_tunnel(choice: TlsChoice, ca_file: Path) -> None:
    """The second probe takes the way that was proven by the first."""
    environment = replace(outside(ca_file), tls=choice)
    async with serving(answer(page()), tls=SHOP.server_context()) as site, proxying() as proxy:
        url = site.url("shop.test")
        results = [await probe_through(proxy.port, url, environment=environment) for _ in range(2)]
    assert [result.status for result in results] == [Status.UP, Status.UP]


async def test_proxy_client_certificate_is_shown_through_the_tunnel(ca_file: Path, tmp_path: Path) -> None:
    """A server that asks for one is down without it and up with it."""
    own = ROOT.leaf("agent.test").write(tmp_path / "own.pem")
    with blocking_tls(SHOP.server_context(clients_of=ROOT)) as port:
        async with proxying() as proxy:
            url, environment = f"https://shop.test:{port}/", outside(ca_file)
            without = await probe_through(proxy.port, url, environment=environment)
            shown = await probe_through(proxy.port, url, environment=environment, client_cert_file=own)
    assert (without.status, without.reason) == (Status.DOWN, Reason.TLS_HANDSHAKE)
    assert without.detail == "the server requires a client certificate"
    assert shown.status is Status.UP, shown.detail


async def test_proxy_overrides_of_host_and_name_keep_their_meaning(ca_file: Path) -> None:
    """The tunnel leads where connect_to says; Host and SNI are those that the user wrote, over plain http too."""
    environment = outside(ca_file)
    async with proxying() as proxy:
        async with serving(answer(page()), tls=SHOP.server_context()) as site:
            secured = await probe_through(
                proxy.port, site.url("www.test"), environment=environment, connect_to="origin.test",
                host_header="shop.test",
            )  # fmt: skip
        async with serving(answer(page())) as plain:
            in_the_clear = await probe_through(proxy.port, plain.url("www.test"), connect_to="orígen.test")
    assert (secured.status, in_the_clear.status) == (Status.UP, Status.UP), (secured.detail, in_the_clear.detail)
    assert proxy.requests[0].startswith(f"CONNECT origin.test:{site.port} HTTP/1.1\r\n".encode())
    assert b"\r\nHost: shop.test\r\n" in site.requests[0]
    assert proxy.requests[1].startswith(f"CONNECT xn--orgen-0sa.test:{plain.port} HTTP/1.1\r\n".encode())
    assert f"\r\nHost: www.test:{plain.port}\r\n".encode() in plain.requests[0]


async def test_proxy_answer_in_pieces_is_read() -> None:
    """One byte at a time, interim answers before it and a length that must not count (RFC 9110, 9.3.6)."""
    behind = b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.0 200 OK\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    result, _ = await connect_answered(drip(behind, every_s=0.001))
    assert (result.status, result.failed_phase) == (Status.DOWN, Phase.TLS), result.detail


# ── the site's fault ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("identity", "reason"),
    [
        (INTERMEDIATE.leaf("www.test"), Reason.TLS_WRONG_HOST),
        (INTERMEDIATE.leaf("shop.test", days=(-90, -3.01)), Reason.TLS_EXPIRED),
        (Authority.root("Stranger").leaf("shop.test"), Reason.TLS_UNTRUSTED),
    ],
    ids=["wrong-host", "expired", "untrusted"],
)
async def test_proxy_refused_certificate_is_the_sites_and_its_chain_is_read(
    identity: Identity, reason: Reason, ca_file: Path
) -> None:
    """The second look at the chain goes through a tunnel as well."""
    async with serving(answer(page()), tls=identity.server_context()) as site, proxying() as proxy:
        result = await probe_through(proxy.port, site.url("shop.test"), environment=outside(ca_file))
    assert (result.status, result.reason, result.failed_phase) == (Status.DOWN, reason, Phase.TLS)
    assert result.evidence.tls is not None
    assert result.evidence.tls.chain[0].fingerprint_sha256 == identity.fingerprint
    assert len(proxy.requests) == 2
    assert site.requests == []


async def test_proxy_that_cannot_reach_the_site_says_it_is_down() -> None:
    """A 502 to CONNECT speaks of the site; the proxy's own words are in the detail."""
    async with proxying() as proxy:
        with refused_port() as port:
            result = await probe_through(proxy.port, f"https://shop.test:{port}/")
    verdict = (result.status, result.reason, result.failed_phase)
    assert verdict == (Status.DOWN, Reason.CONNECT_UNREACHABLE, Phase.CONNECT)
    words = f"the proxy proxy.test:{proxy.port} answers 502 Status (ERR_CONNECT_FAIL 111): it cannot reach "
    assert result.detail == f"{words}shop.test:{port}"


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_proxy_gateway_status_to_connect_is_unreachable(status: int) -> None:
    """Each status with which a gateway speaks of what lies behind it."""
    result, _ = await connect_answered(answer(page(status=status)))
    assert (result.status, result.reason) == (Status.DOWN, Reason.CONNECT_UNREACHABLE)


async def test_proxy_bad_status_over_plain_http_is_an_ordinary_verdict() -> None:
    """Nobody can tell the proxy's 502 from the site's."""
    async with serving(answer(page(b"bad gateway", status=502))) as proxy:
        result = await probe_through(proxy.port, "http://shop.test/")
    assert (result.status, result.reason) == (Status.DOWN, Reason.HTTP_SERVER_ERROR)
    assert result.detail == "status 502, accepted 200-299"


async def test_proxy_site_that_is_slow_behind_it_is_timed_out_as_ever(ca_file: Path) -> None:
    """Once the tunnel stands, silence is the site's."""
    async with serving(never, tls=SHOP.server_context()) as site, proxying() as proxy:
        result = await probe_through(proxy.port, site.url("shop.test"), environment=outside(ca_file), timeout_s=0.5)
    verdict = (result.status, result.reason, result.failed_phase)
    assert verdict == (Status.DOWN, Reason.PROCESSING_TIMEOUT, Phase.PROCESSING)


# ── redirects ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:8080/",
        "http://localhost/",
        "http://a.localhost./",
        "http://169.254.169.254/",
        "http://[::1]/",
    ],
)
async def test_proxy_redirect_nearer_than_the_site_is_refused(location: str) -> None:
    """Literal addresses and localhost are seen without asking; the proxy never hears of them."""
    moved = page(status=302, headers=(f"Location: {location}",))
    async with serving(by_path(index=moved)) as site, proxying() as proxy:
        result = await probe_through(proxy.port, site.url("shop.test"))
    assert (result.status, result.reason) == (Status.DOWN, Reason.REDIRECT_INVALID)
    assert "allow_private_redirects would permit it" in result.detail
    assert len(proxy.requests) == 1


async def test_proxy_redirect_within_the_own_machine_is_followed_from_there() -> None:
    """A site named by its loopback address may name that machine; and the setting permits it to any."""
    async with serving(by_path(new=page())) as site, proxying() as proxy:
        moved = answer(page(status=302, headers=(f"Location: http://127.0.0.1:{site.port}/new",)))
        async with serving(moved) as old:
            near = await probe_through(proxy.port, old.url("127.0.0.1"))
            allowed = await probe_through(proxy.port, old.url("shop.test"), allow_private_redirects=True)
    assert (near.status, allowed.status) == (Status.UP, Status.UP), (near.detail, allowed.detail)


# ── a proxy of the real world ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def tinyproxy(tmp_path: Path) -> Iterator[Tinyproxy]:
    with Tinyproxy(tmp_path / "tinyproxy", user="ana", password="s3cret") as server:
        yield server


async def through_tinyproxy(server: Tinyproxy, url: str, ca_file: Path, *, password: str) -> ProbeResult:
    """Probes by names that tinyproxy itself can resolve."""
    proxy = f"http://ana:{password}@127.0.0.1:{server.port}"
    return await probe_once(url, ca_file=ca_file, options={"proxy": proxy})


@pytest.mark.integration
async def test_tinyproxy_http_and_https_and_what_it_refuses(tinyproxy: Tinyproxy, ca_file: Path) -> None:
    """A proxy of Debian's: both ways through it, the wrong password, and a site that is not there."""
    context = INTERMEDIATE.leaf("localhost").server_context()
    # Its TLS server closes by itself: tinyproxy may close some time after the probe has ended.
    async with serving(answer(page(b"plain"))) as plain:
        with blocking_tls(context) as port:
            urls = plain.url("localhost"), f"https://localhost:{port}/"
            good = [await through_tinyproxy(tinyproxy, url, ca_file, password="s3cret") for url in urls]
            bad = [await through_tinyproxy(tinyproxy, url, ca_file, password="other") for url in urls]
    assert [(one.status, one.detail) for one in good] == [(Status.UP, ""), (Status.UP, "")]
    words = f"the proxy 127.0.0.1:{tinyproxy.port} answers 401"
    assert_unknown(bad[0], f"{words}: it wants other credentials than those in its address", Phase.PROCESSING)
    assert_unknown(bad[1], f"{words} Unauthorized: it wants other credentials than those in its address")


@pytest.mark.integration
async def test_tinyproxy_site_that_is_not_there_is_down(tinyproxy: Tinyproxy, ca_file: Path) -> None:
    """It words that as a 500 of its own, which is known."""
    with refused_port() as port:
        result = await through_tinyproxy(tinyproxy, f"https://localhost:{port}/", ca_file, password="s3cret")
    assert (result.status, result.reason) == (Status.DOWN, Reason.CONNECT_UNREACHABLE), result.detail


@pytest.mark.integration
async def test_tinyproxy_frozen_times_out_and_thawed_works(tinyproxy: Tinyproxy, ca_file: Path) -> None:
    """While it hangs, nobody knows whose fault it is; the sockets are the kernel's and accept."""
    with blocking_tls(INTERMEDIATE.leaf("localhost").server_context()) as port:
        url = f"https://localhost:{port}/"
        tinyproxy.pause()
        options = {"proxy": f"http://ana:s3cret@127.0.0.1:{tinyproxy.port}", "timeout_s": 0.4}
        frozen = await probe_once(url, ca_file=ca_file, options=options)
        tinyproxy.resume()
        thawed = await through_tinyproxy(tinyproxy, url, ca_file, password="s3cret")
    assert frozen.reason is Reason.CONNECT_TIMEOUT
    assert thawed.status is Status.UP, thawed.detail
