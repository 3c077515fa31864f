"""Each failure of the http probe from a real server: reason, phase and detail."""

import errno
import gzip
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sentry.domain.result import Phase, ProbeResult, Reason, Status
from tests.fakes.resolver import TableResolver
from tests.integration.authority import Authority, Identity, self_signed
from tests.integration.hostile_servers import (
    Behaviour,
    after,
    answer,
    blocking_tls,
    by_path,
    drip,
    endless_redirects,
    full_backlog,
    gzip_bomb,
    hang_up,
    never,
    page,
    redirect_loop,
    refused_port,
    reset,
    serving,
    serving_raw,
)
from tests.integration.probing import gauges, make_environment, probe_once

ROOT = Authority.root("Trusted Root")
INTERMEDIATE = ROOT.intermediate("Trusted Intermediate")


async def probe_behaviour(behave: Behaviour, **options: object) -> ProbeResult:
    """Probes a plain server once."""
    async with serving(behave) as server:
        return await probe_once(server.url(), options=options)


def assert_down(result: ProbeResult, reason: Reason, phase: Phase, detail: str) -> None:
    """The verdict, whole: an ending `…` of the detail stands for anything."""
    assert (result.status, result.reason, result.failed_phase) == (Status.DOWN, reason, phase), result.detail
    if detail.endswith("…"):
        assert result.detail.startswith(detail[:-1])
    else:
        assert result.detail == detail


# ── connect ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_http_nobody_listening_is_refused() -> None:
    """A closed port refuses; no phase after connect was reached."""
    with refused_port() as port:
        result = await probe_once(f"http://site.test:{port}/")
    assert_down(result, Reason.CONNECT_REFUSED, Phase.CONNECT, f"127.0.0.1:{port} refused the connection")
    assert set(result.phases) == {Phase.DNS, Phase.CONNECT}
    assert gauges(result)["http_status_code"] == 0


async def test_http_dropped_syn_is_a_connect_timeout() -> None:
    """A full queue drops the attempt; the deadline blames the phase connect, whose time is kept."""
    with full_backlog() as port:
        result = await probe_once(f"http://site.test:{port}/", options={"timeout_s": 0.2})
    detail = "no answer to the connection attempt within 0.2 s"
    assert_down(result, Reason.CONNECT_TIMEOUT, Phase.CONNECT, detail)
    assert result.phases[Phase.CONNECT] > 0.15


async def test_http_reset_instead_of_an_answer_is_a_reset() -> None:
    """An RST after the request is a reset in the phase processing."""
    result = await probe_behaviour(reset)
    assert result.evidence.address is not None
    detail = f"{result.evidence.address} reset the connection"
    assert_down(result, Reason.CONNECTION_RESET, Phase.PROCESSING, detail)


async def test_http_no_descriptors_left_is_the_agents_fault() -> None:
    """When this process can open no socket, nothing is said of the site."""
    with no_free_descriptors():
        result = await probe_once("http://site.test:9/")
    assert (result.status, result.reason) == (Status.UNKNOWN, Reason.AGENT_RESOURCES)
    assert result.failed_phase is Phase.CONNECT
    assert result.detail == f"the agent's own machine: {os.strerror(errno.EMFILE)}"


@contextmanager
def no_free_descriptors() -> Iterator[None]:
    """Lowers the limit of open files to what is open now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as highest:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(highest.fileno(), soft), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


NO_ROUTE = "ff0e::1"
"""Linux lets no TCP connection to a multicast address out: ENETUNREACH at once, as on a machine without IPv6."""


async def test_http_first_family_without_a_route_turns_to_the_other() -> None:
    """On a machine without IPv6 an AAAA record in front must not make the site unknown."""
    environment = make_environment(resolver=TableResolver({"site.test": (NO_ROUTE, "127.0.0.1")}))
    async with serving(answer(page())) as server:
        result = await probe_once(server.url(), environment=environment)
        alone = await probe_once(server.url(), environment=environment, options={"ip_version": 6})
    assert result.status is Status.UP
    assert result.evidence.addresses == (NO_ROUTE, "127.0.0.1")
    assert result.evidence.address == f"127.0.0.1:{server.port}"
    assert (alone.status, alone.reason, alone.failed_phase) == (Status.UNKNOWN, Reason.AGENT_NETWORK, Phase.CONNECT)
    assert alone.detail.startswith(f"this machine has no route to [{NO_ROUTE}]:{server.port}")


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    return ROOT.write(tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("identity", "complete", "reason", "detail"),
    [
        (
            INTERMEDIATE.leaf("shop.test", days=(-90, -3.01)),
            True,
            Reason.TLS_EXPIRED,
            "certificate of shop.test exp…",
        ),
        (
            INTERMEDIATE.leaf("shop.test", days=(1, 9)),
            True,
            Reason.TLS_NOT_YET_VALID,
            "certificate of shop.test bec…",
        ),
        (
            INTERMEDIATE.leaf("www.test"),
            True,
            Reason.TLS_WRONG_HOST,
            "the certificate is not for shop.test; it name…",
        ),
        (self_signed("shop.test"), True, Reason.TLS_SELF_SIGNED, "the certificate of shop.test is self-signed"),
        (
            INTERMEDIATE.leaf("shop.test"),
            False,
            Reason.TLS_MISSING_INTERMEDIATE,
            "the server does not send the inte…",
        ),
        (
            Authority.root("Stranger").leaf("shop.test"),
            True,
            Reason.TLS_UNTRUSTED,
            "CN=Stranger,O=Online Sentry tests…",
        ),
    ],
    ids=["expired", "not-yet-valid", "wrong-host", "self-signed", "missing-intermediate", "untrusted"],
)
async def test_http_refused_certificate_is_named_and_kept(
    identity: Identity, complete: bool, reason: Reason, detail: str, ca_file: Path
) -> None:
    """Over https the certificate's trouble is the verdict in the phase TLS, and the chain is evidence."""
    context = identity.server_context(with_intermediates=complete)
    async with serving(answer(page()), tls=context) as server:
        result = await probe_once(server.url("shop.test"), ca_file=ca_file)
        trusting = await probe_once(server.url("shop.test"), ca_file=ca_file, options={"verify_tls": False})
    assert_down(result, reason, Phase.TLS, detail)
    assert result.evidence.tls is not None
    assert result.evidence.tls.chain[0].fingerprint_sha256 == identity.fingerprint
    assert not result.evidence.tls.verified
    assert "ssl_earliest_cert_expiry" in gauges(result)
    assert trusting.status is Status.UP
    assert server.requests
    assert len(server.requests) == 1, "nothing is asked over a connection whose certificate was refused"


async def test_http_client_certificate_required_is_named(ca_file: Path, tmp_path: Path) -> None:
    """Without the certificate that the server asks for it is down in TLS; with it, up."""
    context = INTERMEDIATE.leaf("shop.test").server_context(clients_of=ROOT)
    own = ROOT.leaf("agent.test").write(tmp_path / "own.pem")
    with blocking_tls(context) as port:
        url = f"https://shop.test:{port}/"
        without = await probe_once(url, ca_file=ca_file)
        shown = await probe_once(url, ca_file=ca_file, options={"client_cert_file": own})
    detail = "the server requires a client certificate"
    assert_down(without, Reason.TLS_HANDSHAKE, Phase.TLS, detail)
    assert shown.status is Status.UP


async def test_http_answer_in_plain_text_on_a_tls_port_is_a_handshake_failure() -> None:
    """Https spoken to an http port is named so."""
    async with serving_raw(answer(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        result = await probe_once(f"https://site.test:{port}/")
    assert_down(result, Reason.TLS_HANDSHAKE, Phase.TLS, "what answers on this port is not TLS")


# ── status ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "reason"),
    [(404, Reason.HTTP_CLIENT_ERROR), (503, Reason.HTTP_SERVER_ERROR), (304, Reason.HTTP_UNEXPECTED_STATUS)],
)
async def test_http_bad_status_is_down_with_the_body_as_evidence(status: int, reason: Reason) -> None:
    """The class of the status decides the reason; the error page is kept."""
    result = await probe_behaviour(answer(page(b"<h1>Sorry</h1>", status=status)))
    assert_down(result, reason, Phase.PROCESSING, f"status {status}, accepted 200-299")
    assert result.evidence.http is not None
    assert result.evidence.http.status == status
    assert result.evidence.http.body_head == ("" if status == 304 else "<h1>Sorry</h1>")
    assert gauges(result)["http_status_code"] == status


async def test_http_bad_status_stays_the_verdict_when_its_body_never_ends() -> None:
    """A 502 whose body hangs is a 502 and no time-out; what came of the body is kept."""
    body = page(b"Bad gateway", status=502, length=5000)
    result = await probe_behaviour(drip(body, every_s=10, size=len(body)), timeout_s=0.3)
    assert_down(result, Reason.HTTP_SERVER_ERROR, Phase.PROCESSING, "status 502, accepted 200-299")
    assert result.evidence.http is not None
    assert result.evidence.http.body_head == "Bad gateway"
    cut = await probe_behaviour(answer(body))
    assert_down(cut, Reason.HTTP_SERVER_ERROR, Phase.PROCESSING, "status 502, accepted 200-299")


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_http_no_first_byte_is_a_processing_timeout() -> None:
    """A server that thinks for ever is timed out in processing."""
    result = await probe_behaviour(never, timeout_s=0.2)
    assert_down(result, Reason.PROCESSING_TIMEOUT, Phase.PROCESSING, "no first byte of a response within 0.2 s")
    assert result.phases[Phase.PROCESSING] > 0.15


async def test_http_slow_body_is_a_transfer_timeout_that_says_how_far_it_came() -> None:
    """A body that drips is timed out in transfer, with the bytes so far."""
    async with serving(drip(page(b"x" * 4000), every_s=0.15, size=500)) as server:
        result = await probe_once(server.url(), options={"timeout_s": 0.4})
    assert_down(result, Reason.TRANSFER_TIMEOUT, Phase.TRANSFER, "the response did not end within 0.4 s (…")
    assert result.detail.endswith("bytes of the body read)")
    assert result.evidence.http is not None
    assert 400 < result.evidence.http.body_bytes < 4000


async def test_http_slow_answer_is_degraded() -> None:
    """A response above max_response_s is up but degraded, and says where the time went."""
    result = await probe_behaviour(after(0.25, page()), max_response_s=0.2)
    assert (result.status, result.reason, result.failed_phase) == (Status.DEGRADED, Reason.SLOW_RESPONSE, None)
    assert result.detail.startswith("took 0.2")
    assert ", allowed 0.2 s (processing 0.2" in result.detail


# ── body ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "reason", "detail"),
    [
        ({"expect_text": "Carrito"}, Reason.BODY_TEXT_MISSING, "text 'Carrito' is not in the body (30,112 bytes)"),
        ({"expect_text": ["Tienda", "Pagar"]}, Reason.BODY_TEXT_MISSING, "text 'Pagar' is not in the body (30,112 …"),
        ({"forbid_text": "Tienda"}, Reason.BODY_TEXT_FORBIDDEN, "forbidden text 'Tienda' is in the body (30,112 by…"),
        ({"expect_regex": "Carr.to"}, Reason.BODY_TEXT_MISSING, "/Carr.to/ is not found in the body (30,112 bytes)"),
        ({"forbid_regex": ["(?i)TI.NDA"]}, Reason.BODY_TEXT_FORBIDDEN, "forbidden /(?i)TI.NDA/ is found in the bod…"),
        ({"expect_json": {"$.ok": True}}, Reason.BODY_JSON_MISMATCH, "the body is no JSON: Expecting value…"),
    ],
)
async def test_http_body_without_what_is_demanded_is_down(
    options: dict[str, object], reason: Reason, detail: str
) -> None:
    """The demand that is not met is named with the size of the body, in the phase transfer."""
    body = b"Tienda".ljust(30_112)
    result = await probe_behaviour(answer(page(body)), **options)
    assert_down(result, reason, Phase.TRANSFER, detail)
    assert gauges(result)["failed_due_to_regex"] == float(reason is not Reason.BODY_JSON_MISMATCH)


async def test_http_json_value_that_differs_is_named_with_its_path() -> None:
    """A JSON value is compared at its path, a missing path is told from a wrong value."""
    behave = answer(page(b'{"status": {"items": [{"ok": false}]}}'))
    wrong = await probe_behaviour(behave, expect_json={"$.status.items[0].ok": True})
    absent = await probe_behaviour(behave, expect_json={"$.status.items[1].ok": True})
    good = await probe_behaviour(behave, expect_json={"$.status.items[-1]": {"ok": False}})
    detail = "$.status.items[0].ok is false, expected true"
    assert_down(wrong, Reason.BODY_JSON_MISMATCH, Phase.TRANSFER, detail)
    assert absent.detail == "$.status.items[1] is not in the body's JSON"
    assert good.status is Status.UP


async def test_http_header_demands_are_checked() -> None:
    """A header that is missing, different or forbidden is a header mismatch."""
    behave = answer(page(headers=("X-Cache: MISS", "Server: nginx")))
    missing = await probe_behaviour(behave, expect_headers={"Strict-Transport-Security": ""})
    differs = await probe_behaviour(behave, expect_headers={"x-cache": "HIT"})
    forbidden = await probe_behaviour(behave, forbid_headers={"server": "nginx"})
    detail = "header Strict-Transport-Security is not there"
    assert_down(missing, Reason.HTTP_HEADER_MISMATCH, Phase.PROCESSING, detail)
    assert differs.detail == "header x-cache does not contain 'HIT'"
    assert forbidden.detail == "header server contains 'nginx'"


async def test_http_large_body_is_stopped_at_its_length_or_at_the_bound() -> None:
    """An announced length above the bound is refused at once, a body without a length when it passes the bound."""
    announced = await probe_behaviour(answer(page(b"x" * 2000)), max_body_bytes=1000)
    silent = await probe_behaviour(answer(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 2000), max_body_bytes=1000)
    detail = "Content-Length is 2,000 bytes, allowed 1,000"
    assert_down(announced, Reason.BODY_TOO_LARGE, Phase.TRANSFER, detail)
    assert_down(silent, Reason.BODY_TOO_LARGE, Phase.TRANSFER, "the body is larger than 1,000 bytes")


async def test_http_decompression_bomb_is_stopped_at_the_bound() -> None:
    """20 MB of zeros in 20 KB are not unfolded beyond the bound."""
    result = await probe_behaviour(gzip_bomb(20_000_000), max_body_bytes=1_000_000)
    detail = "the decompressed body is larger than 1,000,000 bytes"
    assert_down(result, Reason.BODY_TOO_LARGE, Phase.TRANSFER, detail)
    assert result.evidence.http is not None
    assert result.evidence.http.uncompressed_bytes <= 1_000_001


async def test_http_pattern_that_backtracks_for_ever_is_interrupted_and_unknown() -> None:
    """A body made to hang the pattern costs a bounded time, and nothing is claimed of the site."""
    result = await probe_behaviour(answer(page(b"a" * 5000 + b"!")), expect_regex="(a+)+$")
    assert (result.status, result.reason) == (Status.UNKNOWN, Reason.AGENT_RESOURCES)
    assert result.detail == "the agent gave /(a+)+$/ up after 0.1 s on this body; write it simpler"
    assert result.duration_s < 2


# ── redirects ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_http_endless_redirects_are_too_many() -> None:
    """Redirects to ever new places end at max_redirects, every hop kept."""
    result = await probe_behaviour(endless_redirects, max_redirects=3)
    assert_down(result, Reason.REDIRECT_TOO_MANY, Phase.PROCESSING, "more than 3 redirects")
    assert result.evidence.http is not None
    assert [hop.location for hop in result.evidence.http.hops] == ["/hop-1", "/hop-2", "/hop-3", "/hop-4"]
    assert gauges(result)["http_redirects"] == 3


async def test_http_redirect_loop_is_seen_at_its_second_round() -> None:
    """A circle is called a loop and not followed until the bound."""
    async with serving(redirect_loop) as server:
        result = await probe_once(server.url())
    detail = f"redirects come back to http://site.test:{server.port}/ after 2 hops"
    assert_down(result, Reason.REDIRECT_LOOP, Phase.PROCESSING, detail)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("location", "detail"),
    [
        ("ftp://files.test/", "status 302 leads to 'ftp://files.test/', which is no web address: …"),
        ("http://", "status 302 leads to 'http://', which is no web address: …"),
        ("http://site.test:99999/", "status 302 leads to 'http://site.test:99999/', which is no web address: …"),
        ("javascript:alert(1)", "status 302 leads to 'javascript:alert(1)', which is no web address: …"),
    ],
)
async def test_http_redirect_to_no_web_address_is_invalid(location: str, detail: str) -> None:
    """A Location with another scheme or no host is named."""
    result = await probe_behaviour(answer(page(status=302, headers=(f"Location: {location}",))))
    assert_down(result, Reason.REDIRECT_INVALID, Phase.PROCESSING, detail)


async def test_http_redirect_from_https_to_http_is_refused_where_asked(ca_file: Path) -> None:
    """With allow_downgrade false a step down to plain http is a failure."""
    async with serving(answer(page())) as plain:
        behave = answer(page(status=301, headers=(f"Location: {plain.url()}",)))
        async with serving(behave, tls=INTERMEDIATE.leaf("shop.test").server_context()) as server:
            refused = await probe_once(server.url("shop.test"), ca_file=ca_file, options={"allow_downgrade": False})
            followed = await probe_once(server.url("shop.test"), ca_file=ca_file)
    detail = f"a redirect leads from https to http://site.test:{plain.port}/"
    assert_down(refused, Reason.REDIRECT_INVALID, Phase.PROCESSING, detail)
    assert followed.status is Status.UP


# ── protocol ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("response", "phase", "detail"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Phase.PROCESSING, "the response cannot be read as HTTP: …"),
        (b"HTTP/1.1 OK\r\n\r\n", Phase.PROCESSING, "the response cannot be read as HTTP: …"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", Phase.PROCESSING, "the server closed within the headers, after 27 bytes"),
        (b"", Phase.PROCESSING, "the server closed the connection without an answer"),
        (page(b"half", length=1000), Phase.TRANSFER, "the server closed after 4 of 1,000 bytes of the body"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            Phase.TRANSFER,
            "the server closed before the last chunk, after 4 bytes",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n",
            Phase.PROCESSING,
            "the chunks cannot be read as HTTP: …",
        ),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
            Phase.PROCESSING,
            "the server switches protocols without being asked",
        ),
        (
            page(gzip.compress(b"hello" * 100)[:-9], headers=("Content-Encoding: gzip",)),
            Phase.TRANSFER,
            "the gzip body is cut off",
        ),
        (page(b"no gzip", headers=("Content-Encoding: gzip",)), Phase.TRANSFER, "the gzip body is damaged: …"),
        (page(b"no br!", headers=("Content-Encoding: br",)), Phase.TRANSFER, "the br body is …"),
    ],
    ids=[
        "ssh",
        "status-line",
        "headers-cut",
        "nothing",
        "body-cut",
        "chunks-cut",
        "bad-chunk",
        "upgrade",
        "gzip-cut",
        "gzip-damaged",
        "br-damaged",
    ],
)
async def test_http_broken_protocol_is_named(response: bytes, phase: Phase, detail: str) -> None:
    """What is no HTTP, or ends too early, says how."""
    result = await probe_behaviour(answer(response) if response else hang_up)
    assert_down(result, Reason.HTTP_PROTOCOL, phase, detail)


async def test_http_header_section_is_bounded_in_bytes_and_number() -> None:
    """Endless headers are cut off: one that never ends, and very many."""
    long = await probe_behaviour(answer(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000))
    many = await probe_behaviour(answer(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n"))
    assert_down(long, Reason.HTTP_PROTOCOL, Phase.PROCESSING, "…")
    assert "have no end" in long.detail
    assert_down(many, Reason.HTTP_PROTOCOL, Phase.PROCESSING, "there are more than 200 headers")


async def test_http_path_of_the_check_decides_what_is_asked() -> None:
    """A check with a path asks for it, and its failure names the path in the evidence."""
    async with serving(by_path(index=page(), cart=page(b"empty", status=500))) as server:
        home = await probe_once(server.url())
        cart = await probe_once(server.url(), options={"url": "/cart"})
    assert home.status is Status.UP
    assert_down(cart, Reason.HTTP_SERVER_ERROR, Phase.PROCESSING, "status 500, accepted 200-299")
    assert cart.evidence.http is not None
    assert cart.evidence.http.hops[-1].url == f"http://site.test:{server.port}/cart"
