"""Behaviours that no well-kept server has: bytes as they are written here, on a real socket."""

import asyncio
import gzip
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import brotli  # type: ignore[import-untyped]  # it ships no annotations

from sentry.domain.result import Reason
from tests.integration.hostile_servers import (
    LOOPBACK,
    Exchange,
    drip,
    endless_redirects,
    full_backlog,
    hang_up,
    never,
    page,
    redirect_loop,
    refused_port,
    reset,
    serving_raw,
)
from tests.integration.parity.row import HOST, Asking, Row, Stage, raw

HTML = "<html><title>Panadería Núñez</title>¡Hola!</html>".encode()
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
TEXT = "Núñez"


def coded(coding: str, body: bytes) -> bytes:
    """Returns a page with a Content-Encoding."""
    return page(body, headers=(f"Content-Encoding: {coding}",))


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n", head: bytes = CHUNKED) -> bytes:
    """Returns a page in chunks."""
    return head + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + end


def raw_deflate(body: bytes) -> bytes:
    """Returns deflate without the zlib header that the standard asks for and many servers leave out."""
    packing = zlib.compressobj(wbits=-15)
    return packing.compress(body) + packing.flush()


def in_pieces(*pieces: bytes, pause_s: float = 0.02) -> Asking:
    """Asks a server that sends these pieces in packets of their own."""

    async def behave(exchange: Exchange) -> None:
        for piece in pieces:
            await exchange.send(piece)
            await asyncio.sleep(pause_s)

    return raw(behave)


def then_silence(sent: bytes) -> Asking:
    """Asks a server that sends this and never anything more."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(sent)
        await never(exchange)

    return raw(behave)


def then_reset(sent: bytes) -> Asking:
    """Asks a server that sends this and resets the connection."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(sent)
        await asyncio.sleep(0.1)  # a reset overtakes what is still under way
        exchange.reset()

    return raw(behave)


def then_half_close(sent: bytes) -> Asking:
    """Asks a server that sends this, closes its side and goes on listening."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(sent)
        exchange.writer.write_eof()
        await never(exchange)

    return raw(behave)


@asynccontextmanager
async def _refused(_stage: Stage) -> AsyncIterator[str]:
    with refused_port() as port:
        yield f"http://{HOST}:{port}/"


@asynccontextmanager
async def _unanswered(_stage: Stage) -> AsyncIterator[str]:
    with full_backlog() as port:
        yield f"http://{HOST}:{port}/"


@asynccontextmanager
async def _reset_on_accept(_stage: Stage) -> AsyncIterator[str]:
    async def behave(exchange: Exchange) -> None:
        opened: socket.socket = exchange.writer.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        exchange.writer.transport.abort()

    async with serving_raw(behave) as port:
        yield f"http://{HOST}:{port}/"


@asynccontextmanager
async def _silent_tls(_stage: Stage) -> AsyncIterator[str]:
    async with serving_raw(never) as port:
        yield f"https://{HOST}:{port}/"


@asynccontextmanager
async def _redirected_to_refused(_stage: Stage) -> AsyncIterator[str]:
    with refused_port() as port:
        moved = page(status=301, headers=(f"Location: http://{LOOPBACK}:{port}/",))
        async with raw(moved).scene(_stage) as url:
            yield url


BODIES: Sequence[Row] = (
    raw(page(HTML))("a plain page", text=TEXT),
    raw(page(HTML))("a page without the text", Reason.BODY_TEXT_MISSING, text="Gómez"),
    raw(OK + b"\r\n" + HTML)("a body that ends with the connection", text=TEXT),
    raw(b"HTTP/1.0 200 OK\r\n\r\n" + HTML)("HTTP/1.0, a body that ends with the connection", text=TEXT),
    raw(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")("HTTP/1.0 with a length", text="hello"),
    raw(page(b""))("an empty body"),
    raw(OK + b"Content-Length: 0\r\nContent-Encoding: gzip\r\n\r\n")("an empty body called gzip"),
    raw(chunked(HTML[:10], HTML[10:]))("chunks", text=TEXT),
    raw(chunked(HTML, end=b"0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n"))("chunks with trailers", text=TEXT),
    raw(CHUNKED + b"5;name=value;other\r\nhello\r\n0\r\n\r\n")("chunks with extensions", text="hello"),
    raw(CHUNKED + b"0005\r\nhello\r\n0A\r\n0123456789\r\n000\r\n\r\n")("chunk sizes with zeros and capitals"),
    raw(chunked(*[bytes([65 + n % 26]) for n in range(500)]))("500 chunks of a byte"),
    in_pieces(*[chunked(HTML)[at : at + 7] for at in range(0, 120, 7)])("chunks cut into packets", text=TEXT),
    raw(drip(page(HTML, headers=("X-A: b",)), every_s=0.001))("a response byte by byte", text=TEXT),
    in_pieces(OK[:9], OK[9:] + b"Content-Le", b"ngth: 5\r", b"\n\r", b"\nhel", b"lo")("headers cut within words"),
    raw(coded("gzip", gzip.compress(HTML)))("gzip", text=TEXT),
    raw(coded("x-gzip", gzip.compress(HTML)))("x-gzip", text=TEXT).but(
        Reason.BODY_TEXT_MISSING, "aiohttp knows the old name of gzip no more; RFC 9110, 8.4.1.3 asks for it"
    ),
    raw(coded("deflate", zlib.compress(HTML)))("deflate", text=TEXT),
    raw(coded("deflate", raw_deflate(HTML)))("deflate without its header", text=TEXT),
    raw(coded("br", brotli.compress(HTML)))("br", text=TEXT),
    raw(coded("GZIP", gzip.compress(HTML)))("a coding in capitals", text=TEXT),
    raw(coded("gzip", gzip.compress(HTML[:9]) + gzip.compress(HTML[9:])))("gzip of two members", text=TEXT),
    raw(coded("gzip, br", brotli.compress(gzip.compress(HTML))))("br upon gzip", text=TEXT).but(
        Reason.BODY_TEXT_MISSING, "aiohttp undoes one coding only; browsers undo all"
    ),
    raw(coded("identity", HTML))("identity", text=TEXT),
    raw(coded("zstd", HTML))("a coding that nobody asked for", text=TEXT).but(
        Reason.HTTP_PROTOCOL, "aiohttp refuses codings it does not know; a check of the text says more"
    ),
    raw(coded("gzip", HTML))("a plain body called gzip", Reason.HTTP_PROTOCOL, text=TEXT),
    raw(coded("br", HTML))("a plain body called br", Reason.HTTP_PROTOCOL, text=TEXT),
    raw(coded("deflate", HTML))("a plain body called deflate", Reason.HTTP_PROTOCOL, text=TEXT),
    raw(coded("gzip", gzip.compress(HTML)[:-12]))("gzip cut off", Reason.HTTP_PROTOCOL, text=TEXT).but(
        None, "aiohttp does not see that the end is missing"
    ),
    raw(coded("br", brotli.compress(HTML)[:-6]))("br cut off", Reason.HTTP_PROTOCOL, text=TEXT).but(
        None, "aiohttp does not see that the end is missing"
    ),
    raw(coded("gzip", gzip.compress(HTML)[:-8] + bytes(8)))("gzip with a wrong checksum", Reason.HTTP_PROTOCOL),
    raw(coded("gzip", gzip.compress(HTML) + b"trailing"))("bytes behind the end of gzip", text=TEXT).but(
        Reason.HTTP_PROTOCOL, "browsers show such a page, so it is up"
    ),
    raw(chunked(gzip.compress(HTML), head=OK + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"))(
        "gzip in chunks", text=TEXT
    ),
    raw(page(HTML, length=len(HTML) + 10))("a body shorter than its length", Reason.HTTP_PROTOCOL, text=TEXT),
    raw(chunked(HTML, end=b""))("no last chunk", Reason.HTTP_PROTOCOL),
    raw(CHUNKED + b"64\r\nhello")("a chunk cut off", Reason.HTTP_PROTOCOL),
    raw(CHUNKED + b"5\r\nhello\r\nzz\r\n")("a chunk size that is no number", Reason.HTTP_PROTOCOL),
    raw(CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n")("a chunk size below zero", Reason.HTTP_PROTOCOL),
    raw(CHUNKED + b"fffffffffffffffff\r\nhello")("a chunk size beyond 64 bits", Reason.HTTP_PROTOCOL),
    raw(page(b"x" * 3000))("a body above the limit by its length", Reason.BODY_TOO_LARGE, max_body_bytes=1000),
    raw(OK + b"\r\n" + b"x" * 3000)("a body above the limit without one", Reason.BODY_TOO_LARGE, max_body_bytes=1000),
    raw(chunked(b"x" * 900, b"x" * 900))("chunks above the limit", Reason.BODY_TOO_LARGE, max_body_bytes=1000),
    raw(coded("gzip", gzip.compress(bytes(300_000))))(
        "gzip that unfolds", Reason.BODY_TOO_LARGE, max_body_bytes=9999
    ),
    raw(page("Núñez".encode("latin-1"), headers=("Content-Type: text/html; charset=iso-8859-1",)))(
        "a body in ISO 8859-1", text=TEXT
    ),
    raw(page("Núñez".encode("utf-16-le"), headers=("Content-Type: text/html; charset=utf-16le",)))(
        "a body in UTF-16", text=TEXT
    ),
    raw(page("日本語".encode("shift_jis"), headers=("Content-Type: text/html; charset=Shift_JIS",)))(
        "a body in Shift JIS", text="日本"
    ),
    then_half_close(page(HTML))("a page, then only its side is closed", text=TEXT),
    then_silence(page(HTML))("a page, then silence on an open connection", text=TEXT),
)

HEADS: Sequence[Row] = (
    raw(b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok")("no reason phrase", text="ok"),
    raw(b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok")("an empty reason phrase", text="ok"),
    raw(b"HTTP/1.1 200 Todo est\xe1 bien \xc3\xb1\r\nContent-Length: 2\r\n\r\nok")("a reason phrase beyond ASCII"),
    raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nCONTENT-TYPE:text/html\r\n\r\nok")("names in any case, no space"),
    raw(b"HTTP/1.1 200 OK\r\nX-Long: a\r\n  folded\r\n\tthrice\r\nContent-Length: 2\r\n\r\nok")("folded headers"),
    raw(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok")("lines that end with LF alone"),
    raw(b"HTTP/1.1 200 OK\r\nX-Empty:\r\nX-Bytes: \xff\xfe\xc3\r\nContent-Length: 2\r\n\r\nok")("odd header values"),
    raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 90 + b"Content-Length: 2\r\n\r\nok")("90 headers of a name"),
    raw(b"HTTP/1.1 200 OK\r\nX-Long: " + b"y" * 7000 + b"\r\nContent-Length: 2\r\n\r\nok")("a header of 7,000 bytes"),
    raw(b"HTTP/1.1 100 Continue\r\n\r\n" + page(HTML))("100 before the answer", text=TEXT),
    raw(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" + page(HTML))("103 first", text=TEXT),
    in_pieces(b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 103 H\r\nA: b\r\n\r\n", page(HTML))("102, then 103"),
    raw(OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello")("a length twice", Reason.HTTP_PROTOCOL),
    raw(OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello")("two lengths", Reason.HTTP_PROTOCOL),
    raw(OK + b"Content-Length: -5\r\n\r\nhello")("a length below zero", Reason.HTTP_PROTOCOL),
    raw(OK + b"Content-Length: five\r\n\r\nhello")("a length that is no number", Reason.HTTP_PROTOCOL),
    raw(OK + b"Content-Length: 99999999999999999999\r\n\r\nhello")("a length beyond 64 bits", Reason.HTTP_PROTOCOL),
    raw(b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok")("NUL in a header", Reason.HTTP_PROTOCOL),
    raw(b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n")("a header without a colon", Reason.HTTP_PROTOCOL),
    raw(b"HTTP/1.1 abc OK\r\n\r\n")("a status that is no number", Reason.HTTP_PROTOCOL),
    raw(b"HTTP/1.1 20 OK\r\n\r\n")("a status of two digits", Reason.HTTP_PROTOCOL),
    raw(b"HTTP/3.7 200 OK\r\nContent-Length: 0\r\n\r\n")("a version that is none", Reason.HTTP_PROTOCOL),
    raw(HTML)("HTTP/0.9: a page without a header", Reason.HTTP_PROTOCOL),
    raw(b"SSH-2.0-OpenSSH_9.2p1\r\n")("another protocol", Reason.HTTP_PROTOCOL),
    raw(bytes(range(256)))("garbage", Reason.HTTP_PROTOCOL),
    raw(b"HTTP/1.1 200 OK\r\nContent-Le")("headers cut off", Reason.HTTP_PROTOCOL),
    raw(b"HTTP/1.1 100 Continue\r\n\r\n")("100 and nothing more", Reason.HTTP_PROTOCOL),
    raw(page(HTML, headers=("Transfer-Encoding: identity",)))("Transfer-Encoding: identity", text=TEXT).but(
        Reason.HTTP_PROTOCOL, "browsers show such a page, so it is up"
    ),
    raw(chunked(HTML, head=OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"))(
        "a length beside chunks"
    ).but(Reason.HTTP_PROTOCOL, "one response to a connection cannot be smuggled, and browsers show the page"),
)

STATUSES: Sequence[Row] = (
    raw(page(status=203))("203"),
    raw(OK.replace(b"200", b"204") + b"\r\n")("204"),
    raw(OK.replace(b"200", b"204") + b"Content-Length: 0\r\n\r\n")("204 with a length"),
    raw(page(HTML, status=206))("206", text=TEXT),
    raw(page(status=299))("299"),
    raw(page(status=300))("300 without a Location", Reason.HTTP_UNEXPECTED_STATUS),
    raw(page(status=302))("302 without a Location", Reason.HTTP_UNEXPECTED_STATUS),
    raw(OK.replace(b"200", b"304") + b"Content-Length: 500\r\n\r\n")("304", Reason.HTTP_UNEXPECTED_STATUS),
    raw(OK.replace(b"200", b"304") + b"\r\n")("304, which is good here", accepted=(304, 304)),
    raw(page(status=400))("400", Reason.HTTP_CLIENT_ERROR),
    raw(page(status=418))("418", Reason.HTTP_CLIENT_ERROR),
    raw(page(HTML, status=404))("404 with a page", Reason.HTTP_CLIENT_ERROR, text=TEXT),
    raw(page(HTML, status=404))("404, which is good here", text=TEXT, accepted=(404, 404)),
    raw(page(HTML, status=500, length=900))("500 with half a body", Reason.HTTP_SERVER_ERROR),
    raw(page(status=503))("503", Reason.HTTP_SERVER_ERROR),
    raw(page(status=599))("599", Reason.HTTP_SERVER_ERROR),
    raw(page(status=600))("600", Reason.HTTP_UNEXPECTED_STATUS),
    raw(page(status=999))("999", Reason.HTTP_UNEXPECTED_STATUS),
)

ENDS: Sequence[Row] = (
    Asking(_refused, "raw")("nobody listens", Reason.CONNECT_REFUSED),
    Asking(_unanswered, "raw")("no answer to the connection", Reason.CONNECT_TIMEOUT, timeout_s=0.8),
    Asking(_reset_on_accept, "raw")("a reset before the request", Reason.CONNECTION_RESET),
    Asking(_silent_tls, "raw")("no answer to the handshake", Reason.TLS_TIMEOUT, timeout_s=0.8),
    raw(hang_up)("the end instead of an answer", Reason.HTTP_PROTOCOL),
    raw(reset)("a reset instead of an answer", Reason.CONNECTION_RESET),
    then_reset(b"HTTP/1.1 200 OK\r\nContent-")("a reset within the headers", Reason.CONNECTION_RESET),
    then_reset(page(HTML, length=5000))("a reset within the body", Reason.CONNECTION_RESET),
    then_reset(chunked(HTML, end=b""))("a reset between chunks", Reason.CONNECTION_RESET),
    raw(never)("silence", Reason.PROCESSING_TIMEOUT, timeout_s=0.8),
    then_silence(b"HTTP/1.1 200 OK\r\n")("silence within the headers", Reason.TRANSFER_TIMEOUT, timeout_s=0.8).but(
        Reason.PROCESSING_TIMEOUT, "aiohttp does not tell when the first byte came"
    ),
    then_silence(page(HTML, length=5000))("silence within the body", Reason.TRANSFER_TIMEOUT, timeout_s=0.8),
    then_silence(chunked(HTML, end=b""))("silence between chunks", Reason.TRANSFER_TIMEOUT, timeout_s=0.8),
    then_silence(page(HTML, status=503, length=5000))(
        "silence after half of an error page", Reason.HTTP_SERVER_ERROR, timeout_s=0.8
    ),
    in_pieces(page(b"", length=3000), *[b"x"] * 3000)("a byte every 20 ms", Reason.TRANSFER_TIMEOUT, timeout_s=0.8),
    raw(redirect_loop)("redirects in a circle", Reason.REDIRECT_LOOP),
    raw(endless_redirects)("redirects without end", Reason.REDIRECT_TOO_MANY),
    raw(endless_redirects)("one redirect too many", Reason.REDIRECT_TOO_MANY, max_redirects=1),
    raw(endless_redirects)("a redirect that is not followed", accepted=(302, 302), follow_redirects=False),
    raw(page(status=302, headers=("Location: ftp://site.test/",)))("a redirect to ftp", Reason.REDIRECT_INVALID),
    raw(page(status=302, headers=("Location: http://[::1/",)))("a redirect to no address", Reason.REDIRECT_INVALID),
    Asking(_redirected_to_refused, "raw")("a redirect to where nobody listens", Reason.CONNECT_REFUSED),
)

ROWS = (*BODIES, *HEADS, *STATUSES, *ENDS)
