"""Behaviours of servers as they stand on the internet: nginx, Python's http.server, aiohttp."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sentry.domain.result import Reason
from tests.integration.hostile_servers import (
    LOOPBACK,
    Behaviour,
    answer,
    blocking_tls,
    drip,
    hang_up,
    never,
    page,
    reset,
    serving,
)
from tests.integration.parity.row import HOST, Asking, Row, Stage, on

TEXT = "Núñez"
FAR_FUTURE = {"If-Modified-Since": "Fri, 31 Dec 2032 00:00:00 GMT"}
PLAIN: Sequence[Row] = (
    on("nginx", "/page.html")("a file", text=TEXT),
    on("nginx", "/")("an index", text=TEXT),
    on("nginx", "/gzip")("gzip in chunks", text=TEXT),
    on("nginx", "/gzip")("gzip, which is not asked for", text=TEXT, compression=False),
    on("nginx", "/rewritten")("a rewritten page", text="centeno"),
    on("nginx", "/latin")("a page in ISO 8859-1", text=TEXT),
    on("nginx", "/empty.html")("an empty file"),
    on("nginx", "/page.html")("HEAD", method="HEAD"),
    on("nginx", "/gzip")("HEAD of gzip", method="HEAD"),
    on("nginx", "/404")("HEAD of what is not there", Reason.HTTP_CLIENT_ERROR, method="HEAD"),
    on("nginx", "/page.html")("a range", headers={"Range": "bytes=0-99"}, text="<html>"),
    on("nginx", "/page.html")("a range beyond the end", Reason.HTTP_CLIENT_ERROR, headers={"Range": "bytes=99999-"}),
    on("nginx", "/page.html")("304", Reason.HTTP_UNEXPECTED_STATUS, headers=FAR_FUTURE),
    on("nginx", "/page.html")("OPTIONS", Reason.HTTP_CLIENT_ERROR, method="OPTIONS"),
    on("nginx", "/who")("an own header", headers={"X-Who": "Ana"}, text="Ana"),
    on("nginx", "/204")("204"),
    on("nginx", "/204")("HEAD of 204", method="HEAD"),
    *(on("nginx", f"/{status}")(str(status), Reason.HTTP_CLIENT_ERROR) for status in (400, 401, 403, 404, 410, 429)),
    *(on("nginx", f"/{status}")(str(status), Reason.HTTP_SERVER_ERROR) for status in (500, 502, 503, 504)),
    on("nginx", "/page.html")("405 for POST", Reason.HTTP_CLIENT_ERROR, method="POST", body="a=b"),
    on("nginx", "/page.html")("413", Reason.HTTP_CLIENT_ERROR, method="POST", body="x" * 100),
    on("nginx", f"/{'x' * 3000}")("414", Reason.HTTP_CLIENT_ERROR),
    on("nginx", "/page.html")("400 for a large header", Reason.HTTP_CLIENT_ERROR, headers={"X-Long": "x" * 3000}),
    on("nginx", "/big-headers")("24 KB of headers", text=TEXT),
    on("nginx", "/soft-404")("a missing page called 200", text=TEXT),
    on("nginx", "/own-error-page")("an error page of its own", Reason.HTTP_SERVER_ERROR, text=TEXT),
    on("nginx", "/hung-up")("the end without an answer", Reason.HTTP_PROTOCOL),
    on("nginx", "/bad-gateway")("a backend that is down", Reason.HTTP_SERVER_ERROR),
    on("nginx", "/gateway-timeout")("a backend that hangs, given up", Reason.HTTP_SERVER_ERROR),
    on("nginx", "/hanging")("a backend that hangs", Reason.PROCESSING_TIMEOUT, timeout_s=0.8),
    on("nginx", "/slow")("a slow page", Reason.TRANSFER_TIMEOUT, timeout_s=0.8),
    on("nginx", "/private")("no password", Reason.HTTP_CLIENT_ERROR),
    on("nginx", "/private")("a wrong password", Reason.HTTP_CLIENT_ERROR, user=("ana", "wrong")),
    on("nginx", "/private")("the password", user=("ana", "s3cret-pw"), text=TEXT),
    *(
        on("nginx", f"/moved-{status}")(f"{status} within the site", text=TEXT)
        for status in (301, 302, 303, 307, 308)
    ),
    on("nginx", "/moved-301")("301, which is good here", accepted=(301, 301), follow_redirects=False),
    on("nginx", "/moved-302")("302, not followed", Reason.HTTP_UNEXPECTED_STATUS, follow_redirects=False),
    on("nginx", "/moved-302")("HEAD of 302", method="HEAD"),
    on("nginx", "/chain")("three redirects of three kinds", text=TEXT),
    on("nginx", "/elsewhere")("a redirect to another name", text=TEXT),
    on("nginx", "/cut-by-query")("a redirect with a query and a fragment", text=TEXT),
    on("nginx", "/loop")("a redirect to itself", Reason.REDIRECT_LOOP),
    on("nginx", "/to-nowhere")("a redirect to what is missing", Reason.HTTP_CLIENT_ERROR),
    on("nginx", "/to-tls")("a redirect to https", text=TEXT),
    on("nginx", "/to-expired")("a redirect to an expired certificate", Reason.TLS_EXPIRED),
    on("nginx", "/page.html", scheme="https")("TLS to a plain port", Reason.TLS_HANDSHAKE),
    on("python", "/")("HTTP/1.0", text=TEXT),
    on("python", "/")("HEAD over HTTP/1.0", method="HEAD"),
    on("python", "/missing")("404 over HTTP/1.0", Reason.HTTP_CLIENT_ERROR),
    on("python", "/")("a method it does not have", Reason.HTTP_SERVER_ERROR, method="DELETE"),
    on("aiohttp", "/json")("JSON", text='"ok"'),
    on("aiohttp", "/stream")("gzip in chunks", text=TEXT),
    on("aiohttp", "/deflate")("deflate", text=TEXT),
    on("aiohttp", "/cookies")("a cookie that must come back", text="welcome back"),
    on("aiohttp", "/form")("POST", method="POST", body="a=b&c=d", text="7 bytes"),
    on("aiohttp", "/json")("405 with Allow", Reason.HTTP_CLIENT_ERROR, method="PATCH", body="{}"),
    on("aiohttp", "/broken")("500 of an application", Reason.HTTP_SERVER_ERROR),
)


def tls(server: str, path: str = "/", *, host: str = HOST) -> Asking:
    """Asks one of nginx's TLS sites."""
    return on(server, path, scheme="https", host=host)


def secured(behave: Behaviour) -> Asking:
    """Asks a TLS server that ends in a way that nginx does not."""

    @asynccontextmanager
    async def scene(stage: Stage) -> AsyncIterator[str]:
        async with serving(behave, tls=stage.identities["tls"].server_context()) as server:
            yield server.url(HOST)

    return Asking(scene, "tls")


@asynccontextmanager
async def _demanding(stage: Stage) -> AsyncIterator[str]:
    context = stage.identities["tls"].server_context()
    context.load_verify_locations(stage.ca_file)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # in 1.3 the refusal comes after the handshake
    with blocking_tls(context) as port:
        yield f"https://{HOST}:{port}/"


SECURED: Sequence[Row] = (
    tls("tls")("a chain with its intermediate", text=TEXT),
    tls("tls", "/missing")("404", Reason.HTTP_CLIENT_ERROR),
    tls("tls")("HEAD", method="HEAD"),
    tls("tls-1.2")("version 1.2 only", text=TEXT),
    tls("tls-1.3")("version 1.3 only", text=TEXT),
    tls("tls-1.1")("version 1.1 only", Reason.TLS_HANDSHAKE),
    tls("sni", host="a.test")("one of two sites on a port", text=TEXT),
    tls("sni", host="b.test")("the other of two sites on a port", text=TEXT),
    tls("sni", host="c.test")("a third name on that port", Reason.TLS_WRONG_HOST),
    tls("sni")("another name than the address's", server_name="b.test", text=TEXT),
    tls("tls", host=LOOPBACK)("by address", Reason.TLS_WRONG_HOST),
    tls("expired")("expired", Reason.TLS_EXPIRED),
    tls("not-yet-valid")("not yet valid", Reason.TLS_NOT_YET_VALID),
    tls("wrong-host")("of another host", Reason.TLS_WRONG_HOST),
    tls("self-signed")("self-signed", Reason.TLS_SELF_SIGNED),
    tls("missing-intermediate")("without its intermediate", Reason.TLS_MISSING_INTERMEDIATE),
    tls("unknown-root")("of an unknown root", Reason.TLS_UNTRUSTED),
    tls("expired")("expired, not verified", verify=False, text=TEXT),
    tls("self-signed")("self-signed, not verified", verify=False, text=TEXT),
    tls("no-such-site")("a name that the server rejects", Reason.TLS_HANDSHAKE),
    tls("client-certificate")("no client certificate", Reason.HTTP_CLIENT_ERROR),
    tls("client-certificate")("a client certificate", client="client", text=TEXT),
    tls("client-certificate")("a client certificate of a stranger", Reason.HTTP_CLIENT_ERROR, client="unknown-root"),
    Asking(_demanding, "tls")("a client certificate, demanded in the handshake", Reason.TLS_HANDSHAKE),
    on("tls")("plain HTTP to a TLS port", Reason.HTTP_CLIENT_ERROR),
    tls("tls", "/to-plain")("a redirect down to http", text=TEXT),
    secured(answer(b"HTTP/1.1 200 OK\r\n\r\n" + TEXT.encode()))("a body that ends with the connection", text=TEXT),
    secured(answer(page(b"ok", length=9)))("a body shorter than its length", Reason.HTTP_PROTOCOL),
    secured(hang_up)("the end instead of an answer", Reason.HTTP_PROTOCOL),
    secured(reset)("a reset instead of an answer", Reason.CONNECTION_RESET),
    secured(never)("silence", Reason.PROCESSING_TIMEOUT, timeout_s=0.8),
    secured(drip(page(TEXT.encode()), every_s=0.001))("a record for each byte", text=TEXT),
)

ROWS = (*PLAIN, *SECURED)
