"""Records what real servers send into tests/data/responses/recorded: `python -m tests.fuzz.record`."""

import asyncio
import gzip
import http.server
import socket
import tempfile
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import brotli  # type: ignore[import-untyped]  # it ships no annotations
from aiohttp import web

from tests.fuzz.corpus import RECORDED
from tests.integration.servers.loopback import LOOPBACK, free_port
from tests.integration.servers.nginx import Nginx, Page, Vhost

ITEMS = "".join(f'<li class="menu-item menu-item-{n}"><a href="/entrada-{n}/">Año {n}</a></li>' for n in range(40))
BLOG = (
    '<!DOCTYPE html><html lang="es-ES"><head><meta charset="UTF-8"><title>Panadería Núñez</title>'
    '<meta name="generator" content="WordPress 6.8.3"><link rel="stylesheet" href="/wp-includes/css/a.css"></head>'
    f'<body class="home blog wp-custom-logo"><ul id="menu">{ITEMS}</ul></body></html>'
)
BLOG_HEADERS = {
    "X-Powered-By": "PHP/8.3.11",
    "Link": '<https://shop.test/wp-json/>; rel="https://api.w.org/"',
    "X-Pingback": "https://shop.test/xmlrpc.php",
    "Vary": "Accept-Encoding, Cookie",
    "Cache-Control": "no-cache, must-revalidate, max-age=0",
    "Last-Modified": "Mon, 02 Nov 2026 08:00:00 GMT",
}
NGINX = {
    "page": ("/", ""),
    "page-gzip-chunked": ("/", "Accept-Encoding: gzip"),
    "blog": ("/blog", ""),
    "blog-gzip-chunked": ("/blog", "Accept-Encoding: gzip"),
    "range": ("/blog", "Range: bytes=0-99"),
    "not-modified": ("/", "If-Modified-Since: Fri, 31 Dec 2032 00:00:00 GMT"),
    "moved": ("/moved", ""),
    "gone": ("/gone", ""),
    "down": ("/down", ""),
    "empty": ("/empty", ""),
    "missing-gzip": ("/missing", "Accept-Encoding: gzip"),
}
AIOHTTP = {
    "blog-gzip": ("/blog", "Accept-Encoding: gzip"),
    "blog-deflate": ("/blog", "Accept-Encoding: deflate"),
    "stream": ("/stream", ""),
    "stream-gzip": ("/stream", "Accept-Encoding: gzip"),
    "stream-deflate": ("/stream", "Accept-Encoding: deflate"),
    "json": ("/json", ""),
    "cookies": ("/cookies", ""),
    "no-content": ("/no-content", ""),
    "br": ("/coded/br", ""),
    "raw-deflate": ("/coded/raw-deflate", ""),
    "gzip-br": ("/coded/gzip-br", ""),
    "gzip-members": ("/coded/gzip-members", ""),
}
PYTHON = {"page": ("/", ""), "missing": ("/missing", "")}
"""By name: the path that is asked for, and a request header."""


def main() -> None:
    """Records all of it anew; what servers put in by themselves (dates, tags) changes with each recording."""
    RECORDED.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made, _nginx(Path(made) / "nginx") as port:
        _keep("nginx", NGINX, port)
    with _python() as port:
        _keep("python", PYTHON, port)
    asyncio.run(_record_aiohttp())


@contextmanager
def _nginx(folder: Path) -> Iterator[int]:
    pages = {
        "/": Page(BLOG, headers={"Strict-Transport-Security": "max-age=31536000"}),
        "/blog": Page(BLOG, headers=BLOG_HEADERS),
        "/moved": Page(status=301, redirect="https://shop.test/blog"),
        "/gone": Page("<html>weg</html>", status=410),
        "/down": Page("<html>Error establishing a database connection</html>", status=503),
        "/empty": Page("", content_type="text/plain"),
    }
    nginx = Nginx(folder, [Vhost("shop", pages)])
    _with_gzip(folder / "nginx.conf")
    with nginx:
        yield nginx.port("shop")


def _with_gzip(configuration: Path) -> None:
    text = configuration.read_text()
    configuration.write_text(
        text.replace("http {\n", "http {\n  gzip on; gzip_min_length 10; if_modified_since before;\n", 1)
    )


@contextmanager
def _python() -> Iterator[int]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "index.html").write_text(BLOG)
        handler = partial(http.server.SimpleHTTPRequestHandler, directory=folder)
        server = http.server.ThreadingHTTPServer((LOOPBACK, 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
        server.server_close()


async def _record_aiohttp() -> None:
    runner = web.AppRunner(_application())
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, LOOPBACK, port).start()
    await asyncio.to_thread(_keep, "aiohttp", AIOHTTP, port)
    await runner.cleanup()


def _application() -> web.Application:
    application = web.Application()
    application.add_routes(
        [
            web.get("/blog", _blog),
            web.get("/stream", _stream),
            web.get("/json", _json),
            web.get("/cookies", _cookies),
            web.get("/no-content", _no_content),
            web.get("/coded/{coding}", _coded),
        ]
    )
    return application


async def _blog(_request: web.Request) -> web.Response:
    response = web.Response(text=BLOG, content_type="text/html", headers=BLOG_HEADERS)
    response.enable_compression()
    return response


async def _stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/html; charset=utf-8"})
    response.enable_chunked_encoding()
    response.enable_compression()
    await response.prepare(request)
    for at in range(0, len(BLOG), 700):
        await response.write(BLOG[at : at + 700].encode())
    return response


async def _json(_request: web.Request) -> web.Response:
    return web.json_response({"items": [{"ok": True, "name": "ñ"}], "total": 1})


async def _cookies(_request: web.Request) -> web.Response:
    response = web.Response(status=302, headers={"Location": "/blog?seen=1"})
    response.set_cookie("woocommerce_cart_hash", "0f343b0931126a20", max_age=3600, httponly=True)
    response.set_cookie("wp_lang", "es_ES", domain="shop.test", secure=True)
    return response


async def _no_content(_request: web.Request) -> web.Response:
    return web.Response(status=204)


async def _coded(request: web.Request) -> web.Response:
    coding = request.match_info["coding"]
    raw = zlib.compressobj(wbits=-15)
    page = BLOG.encode()
    bodies = {
        "br": ("br", brotli.compress(page)),
        "raw-deflate": ("deflate", raw.compress(page) + raw.flush()),
        "gzip-br": ("gzip, br", brotli.compress(gzip.compress(page))),
        "gzip-members": ("gzip", gzip.compress(page[:1000]) + gzip.compress(page[1000:])),
    }
    named, body = bodies[coding]
    return web.Response(body=body, headers={"Content-Encoding": named, "Content-Type": "text/html; charset=utf-8"})


def _keep(server: str, requests: Mapping[str, tuple[str, str]], port: int) -> None:
    for name, (path, header) in requests.items():
        lines = [
            f"GET {path} HTTP/1.1",
            "Host: shop.test",
            *([header] if header else []),
            "Connection: close",
            "",
            "",
        ]
        with socket.create_connection((LOOPBACK, port), timeout=5) as connection:
            connection.sendall("\r\n".join(lines).encode())
            answer = b"".join(iter(partial(connection.recv, 65_536), b""))
        (RECORDED / f"{server}-{name}.bin").write_bytes(answer)


if __name__ == "__main__":
    main()
