"""Good answers of every make, from real servers: framing, codings, redirects, credentials, evidence."""

import asyncio
import gzip
import json
import zlib
from base64 import b64encode
from pathlib import Path

import brotli  # type: ignore[import-untyped]  # it ships no annotations
import pytest

from sentry.domain.result import Phase, ProbeResult, Reason, Status
from tests.fakes.resolver import TableResolver
from tests.integration.authority import Authority
from tests.integration.hostile_servers import Behaviour, Exchange, answer, drip, never, page, serving
from tests.integration.probing import gauges, make_environment, probe_once

TEXT = b"Bienvenidos al Carrito " * 400


async def body_seen(behave: Behaviour, **options: object) -> tuple[ProbeResult, str]:
    """Probes once; returns the result and the head of the body."""
    async with serving(behave) as server:
        result = await probe_once(server.url(), options=options)
    assert result.status is Status.UP, result.detail
    assert result.evidence.http is not None
    return result, result.evidence.http.body_head


# ── framing ──────────────────────────────────────────────────────────────────────────────────────────────────────

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    b'4;name="value"\r\nhola\r\n6\r\n mundo\r\n0\r\nX-Sum: 1\r\n\r\n'
)


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (CHUNKED, "hola mundo"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end"),
        (b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nuntil the end", "until the end"),
        (b"HTTP/1.1 200 OK\nContent-Length: 4\n\nhola", "hola"),
        (b"HTTP/1.1 200\r\nContent-Length: 4\r\n\r\nhola", "hola"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhola\r\n0\r\n\r\n", "hola"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + page(b"hola"), "hola"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" * 3 + page(b"hola"), "hola"),
        (page(b"hola") + b"HTTP/1.1 500 Smuggled\r\n\r\n", "hola"),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", ""),
        (page(b""), ""),
    ],
    ids=["chunked", "eof", "http10", "bare-lf", "no-phrase", "both", "100", "103", "surplus", "204", "empty"],
)
async def test_http_framing_is_understood_whole_and_byte_by_byte(response: bytes, body: str) -> None:
    """Each way to delimit a body is read, in one piece and one byte at a time."""
    _, whole = await body_seen(answer(response))
    _, dripped = await body_seen(drip(response))
    assert (whole, dripped) == (body, body)


async def test_http_head_answer_has_no_body_whatever_its_length_says() -> None:
    """HEAD ends with the headers, even while the connection stays open."""

    async def head_only(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
        await never(exchange)

    result, body = await body_seen(head_only, method="HEAD")
    assert body == ""
    assert result.duration_s < 2
    assert gauges(result)["http_content_length"] == 99_999_999


# ── codings ──────────────────────────────────────────────────────────────────────────────────────────────────────


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "encoded"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:5000]) + gzip.compress(TEXT[5000:])),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
        ("br", brotli.compress(TEXT)),
        ("gzip, br", brotli.compress(gzip.compress(TEXT))),
        ("UTF-8", TEXT),
        ("identity", TEXT),
    ],
    ids=["gzip", "x-gzip", "two-members", "zlib", "raw-deflate", "br", "both", "unknown", "identity"],
)
async def test_http_content_codings_are_undone(coding: str, encoded: bytes) -> None:
    """The body is searched and counted decoded; both sizes are kept."""
    response = page(encoded, headers=(f"Content-Encoding: {coding}",))
    for behave in (answer(response), drip(response, size=37)):
        result, _ = await body_seen(behave, expect_text="Carrito", expect_regex=r"Carrito $")
        http = result.evidence.http
        assert http is not None
        assert (http.body_bytes, http.uncompressed_bytes) == (len(encoded), len(TEXT))
        assert gauges(result)["http_content_length"] == len(encoded)
        assert gauges(result)["http_uncompressed_body_length"] == len(TEXT)


async def test_http_declared_charset_is_honoured_in_search_and_evidence() -> None:
    """Latin-1 declared in the header, and in the page alone, are both read as such."""
    word = "Añadir a la cesta: 5 €"
    by_header = page(word.encode("cp1252"), headers=("Content-Type: text/html; charset=ISO-8859-1",))
    by_meta = page(b'<meta charset="windows-1252">' + word.encode("cp1252"), headers=("Content-Type: text/html",))
    for response in (by_header, by_meta):
        _, body = await body_seen(answer(response), expect_text=word, expect_regex="Añad.r")
        assert body.endswith(word)


async def test_http_body_head_is_bounded_and_harmless() -> None:
    """At most 16 KiB are kept, escape sequences and direction marks replaced, no character cut in two."""
    nasty = "\x1b[2Jñ\u202etxt\x00\r\n\t".encode()
    result, body = await body_seen(answer(page(nasty + "ñ".encode() * 20_000)))
    assert body.startswith("\ufffd[2Jñ\ufffdtxt\ufffd\r\n\tñ")
    assert len(body.encode()) <= 16_384 + 3 * 3
    assert not body.endswith("\ufffd")
    assert result.evidence.http is not None
    assert result.evidence.http.uncompressed_bytes == len(nasty) + 40_000


# ── request ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_http_request_is_what_the_options_say() -> None:
    """Method, path, headers, body and credentials go out as written, nothing twice."""
    seen: list[bytes] = []

    async def keep(exchange: Exchange) -> None:
        seen.append(await exchange.body())
        await exchange.send(page())

    async with serving(keep) as server:
        await probe_once(
            server.url(path="/shop/"),
            options={
                "url": "api/order?x=1",
                "method": "POST",
                "headers": {"X-Trace": "ñ", "accept": "text/plain"},
                "body_json": {"cart": ["té"]},
                "username": "ana",
                "password": "s3cr3t!",
                "host_header": "shop.example",
            },
        )
    head = server.requests[0].decode()
    lines = head.strip().split("\r\n")
    assert lines[0] == "POST /shop/api/order?x=1 HTTP/1.1"
    assert sorted(line.partition(":")[0].lower() for line in lines[1:]) == [
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-trace",
    ]
    assert "Host: shop.example" in lines
    assert f"Authorization: Basic {b64encode(b'ana:s3cr3t!').decode()}" in lines
    assert "User-Agent: online-sentry/test" in lines
    assert "Connection: close" in lines
    assert json.loads(seen[0]) == {"cart": ["té"]}


async def test_http_each_hop_has_its_own_connection_and_phases_add_up() -> None:
    """Two hops are two connections; dns to transfer are summed over both."""

    async def behave(exchange: Exchange) -> None:
        await asyncio.sleep(0.1)
        last = exchange.path == "/final"
        await exchange.send(page() if last else page(status=302, headers=("Location: /final",)))

    resolver = TableResolver()
    async with serving(behave) as server:
        result = await probe_once(server.url(), environment=make_environment(resolver=resolver))
    assert result.status is Status.UP
    assert server.connections == 2
    assert len(resolver.asked) == 2
    assert result.phases[Phase.PROCESSING] >= 0.2
    assert set(result.phases) == {Phase.DNS, Phase.CONNECT, Phase.PROCESSING, Phase.TRANSFER}
    assert sum(result.phases.values()) <= result.duration_s
    assert gauges(result)["http_redirects"] == 1


async def test_http_credentials_go_to_their_own_origin_only(tmp_path: Path) -> None:
    """Another host gets neither Authorization nor own headers nor the client's Host; the same origin gets them."""
    options = {
        "bearer_token": "very-secret-token",
        "headers": {"X-Api-Key": "another-secret", "Accept-Language": "es"},
    }
    async with serving(answer(page())) as stranger:
        away = page(status=302, headers=(f"Location: {stranger.url('elsewhere.test')}",))
        here = page(status=302, headers=("Location: /inside",))

        async def behave(exchange: Exchange) -> None:
            await exchange.send(away if exchange.path == "/inside" else here)

        async with serving(behave) as server:
            result = await probe_once(server.url(), options=options)
    assert result.status is Status.UP
    assert all(b"very-secret-token" in head and b"another-secret" in head for head in server.requests)
    assert len(server.requests) == 2
    assert b"secret" not in stranger.requests[0]
    assert b"Accept-Language: es" in stranger.requests[0]
    assert f"Host: elsewhere.test:{stranger.port}".encode() in stranger.requests[0]


async def test_http_redirected_post_follows_the_rules_of_its_status() -> None:
    """303 asks again with GET and no body; 307 repeats the body at home and refuses to take it elsewhere."""
    bodies: list[tuple[str, bytes]] = []

    def redirecting(status: int, location: str) -> Behaviour:
        async def behave(exchange: Exchange) -> None:
            bodies.append((exchange.head.split(b" ")[0].decode(), await exchange.body()))
            first = exchange.path == "/"
            await exchange.send(page(status=status, headers=(f"Location: {location}",)) if first else page())

        return behave

    post = {"method": "POST", "body": "a=1"}
    await body_seen(redirecting(303, "/done"), **post)
    await body_seen(redirecting(307, "/done"), **post)
    async with serving(redirecting(308, "http://elsewhere.test:1/")) as server:
        refused = await probe_once(server.url(), options=post)
    assert bodies == [("POST", b"a=1"), ("GET", b""), ("POST", b"a=1"), ("POST", b"a=1"), ("POST", b"a=1")]
    assert refused.reason is Reason.REDIRECT_INVALID
    assert refused.detail == "status 308 would carry the request's body to another origin, elsewhere.test:1"


async def test_http_cookie_wall_is_passed_and_no_loop() -> None:
    """A shop that sets a cookie and redirects to the same page until it comes back is up."""

    async def behave(exchange: Exchange) -> None:
        if exchange.header("Cookie") == "seen=1":
            await exchange.send(page(b"Carrito"))
        else:
            await exchange.send(page(status=302, headers=("Set-Cookie: seen=1; Path=/; HttpOnly", "Location: /")))

    result, body = await body_seen(behave)
    assert body == "Carrito"
    assert gauges(result)["http_redirects"] == 1


async def test_http_redirect_that_is_accepted_or_not_followed_is_the_answer() -> None:
    """A named redirect status is good in itself; with follow_redirects false an unnamed one is unexpected."""
    behave = answer(page(status=301, headers=("Location: https://elsewhere.test/",)))
    result, _ = await body_seen(behave, accepted_status=[301], expect_headers={"Location": "elsewhere"})
    assert result.evidence.http is not None
    assert result.evidence.http.hops[0].location == "https://elsewhere.test/"
    async with serving(behave) as server:
        unnamed = await probe_once(server.url(), options={"follow_redirects": False})
    assert unnamed.reason is Reason.HTTP_UNEXPECTED_STATUS
    assert unnamed.detail == "status 301, accepted 200-299"


async def test_http_connect_to_asks_the_named_server_for_the_site() -> None:
    """connect_to replaces what is resolved, not the Host header."""
    resolver = TableResolver({"shop.test": ()})
    async with serving(answer(page())) as server:
        result = await probe_once(
            server.url("shop.test"),
            environment=make_environment(resolver=resolver),
            options={"connect_to": "origin.test"},
        )
    assert result.status is Status.UP
    assert resolver.asked == [("origin.test", None)]
    assert f"Host: shop.test:{server.port}".encode() in server.requests[0]


async def test_http_ip_version_is_asked_of_the_resolver_and_shown() -> None:
    """ip_version reaches the resolver; an IPv6 site is reached on [::1]."""
    resolver = TableResolver({"site.test": ("127.0.0.1", "::1")})
    async with serving(answer(page()), host="::1") as server:
        result = await probe_once(
            server.url(), environment=make_environment(resolver=resolver), options={"ip_version": 6}
        )
        literal = await probe_once(server.url("[::1]"))
    assert (result.status, literal.status) == (Status.UP, Status.UP)
    assert resolver.asked == [("site.test", 6)]
    assert result.evidence.address == f"[::1]:{server.port}"
    assert result.evidence.values["ip_protocol"] == 6


# ── evidence ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_http_evidence_hides_secrets_of_both_sides() -> None:
    """Cookies, tokens in addresses and our own echoed password are nowhere in the result."""

    async def echo(exchange: Exchange) -> None:
        if exchange.path.startswith("/in"):
            echoed = f"you sent {exchange.header('Authorization')} and {exchange.header('X-Token')}"
            headers = ("Set-Cookie: session=cookie-secret; HttpOnly", "X-Api-Key: key-secret", "Server: nginx")
            await exchange.send(page(echoed.encode(), headers=headers))
        else:
            location = "Location: /in?access_token=query-secret&page=2"
            await exchange.send(page(status=302, headers=(location, "Set-Cookie: hop=hop-secret")))

    async with serving(echo) as server:
        url = server.url().replace("http://", "http://ana:url-secret@")
        result = await probe_once(url, options={"headers": {"X-Token": "header-secret"}})
    assert result.status is Status.UP
    assert b"Basic " in server.requests[0]
    shown = repr(result)
    for secret in ("cookie-secret", "key-secret", "query-secret", "url-secret", "header-secret", "hop-secret"):
        assert secret not in shown
    assert b64encode(b"ana:url-secret").decode() not in shown
    http = result.evidence.http
    assert http is not None
    assert dict(http.headers)["Set-Cookie"] == "session=[redacted]; HttpOnly"
    assert dict(http.headers)["Server"] == "nginx"
    assert http.body_head == "you sent Basic [redacted] and [redacted]"
    assert http.hops[0].location == "/in?access_token=[redacted]&page=2"


async def test_http_gauges_have_the_names_of_blackbox_exporter(tmp_path: Path) -> None:
    """Over TLS every gauge that dashboards read is there with its value."""
    root = Authority.root()
    leaf = root.intermediate().leaf("site.test", days=(-1, 30))
    response = page(b"hola", headers=("Last-Modified: Mon, 02 Nov 2026 09:00:00 GMT",))
    async with serving(answer(response), tls=leaf.server_context()) as server:
        result = await probe_once(server.url(), ca_file=root.write(tmp_path / "ca.pem"))
    ends = leaf.certificate.not_valid_after_utc.timestamp()
    expected = {
        "failed_addresses": 0,
        "http_status_code": 200,
        "http_content_length": 4,
        "http_uncompressed_body_length": 4,
        "http_redirects": 0,
        "http_ssl": 1,
        "http_version": 1.1,
        "http_last_modified_timestamp_seconds": 1793610000,
        "failed_due_to_regex": 0,
        "ssl_earliest_cert_expiry": ends,
        "ssl_last_chain_expiry_timestamp_seconds": ends,
        "ip_protocol": 4,
    }
    assert {name: value for name, value in gauges(result).items() if name in expected} == expected
    assert set(result.phases) == set(Phase)
    assert result.evidence.tls is not None
    assert result.evidence.tls.verified


async def test_http_certificate_ending_soon_is_degraded_where_asked(tmp_path: Path) -> None:
    """min_days_left makes an http check look at the days of the certificate, too."""
    root = Authority.root()
    context = root.intermediate().leaf("site.test", days=(-80, 5.01)).server_context()
    async with serving(answer(page()), tls=context) as server:
        ca_file = root.write(tmp_path / "ca.pem")
        result = await probe_once(server.url(), ca_file=ca_file, options={"min_days_left": 14})
    assert (result.status, result.reason) == (Status.DEGRADED, Reason.TLS_EXPIRES_SOON)
    assert "expires in 5 days" in result.detail


async def test_http_log_tells_each_step(tmp_path: Path) -> None:
    """The log of --explain has a line a step, in order."""
    root = Authority.root()
    context = root.intermediate().leaf("site.test").server_context()
    async with serving(answer(page(b"Carrito")), tls=context) as server:
        ca_file = root.write(tmp_path / "ca.pem")
        result = await probe_once(server.url(), ca_file=ca_file, options={"expect_text": "Carrito"})
    beginnings = [
        "resolved site.test to 127.0.0.1 in ",
        f"connected to 127.0.0.1:{server.port} in ",
        "TLSv1.3 with TLS_",
        "certificate 0: CN=site.test,",
        "certificate 1: CN=Test Intermediate,",
        "GET /: first byte after ",
        "HTTP/1.1 200, 1 header",
        f"https://site.test:{server.port}/ answers 200",
        "body read in ",
        "checks passed: accepted_status, expect_text",
    ]
    assert len(result.evidence.log) == len(beginnings)
    for line, beginning in zip(result.evidence.log, beginnings, strict=True):
        assert line.startswith(beginning)


# ── what a probe costs the site ──────────────────────────────────────────────────────────────────────────────────


async def test_http_probe_counts_its_requests_and_all_bytes_that_came(tmp_path: Path) -> None:
    """Head, body and every redirect are counted as they came over the wire; TLS adds its own."""
    response = page(b"x" * 50_000)
    authority = Authority.root("Root")

    async def moved_once(exchange: Exchange) -> None:
        moved = page(status=302, headers=("Location: /there",))
        await exchange.send(moved if exchange.number == 1 else response)

    async with serving(moved_once) as server:
        plain = await probe_once(server.url())
    async with serving(answer(response), tls=authority.leaf("site.test").server_context()) as server:
        secured = await probe_once(server.url(), ca_file=authority.write(tmp_path / "ca.pem"))
    assert plain.requests == 2
    assert plain.received_bytes == len(page(status=302, headers=("Location: /there",))) + len(response)
    assert secured.requests == 1
    assert len(response) < secured.received_bytes < len(response) + 10_000
