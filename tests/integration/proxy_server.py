"""A real HTTP proxy on loopback: tunnels by CONNECT, forwards requests in absolute form, asks for credentials."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from tests.integration.hostile_servers import LOOPBACK, Exchange, HostileServer, page, serving

TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"


@asynccontextmanager
async def proxying(*, authorization: str | None = None, tunnel: bytes = TUNNEL) -> AsyncIterator[HostileServer]:
    """Runs a proxy that finds every name on loopback.

    Args:
        authorization: value that Proxy-Authorization must have.
        tunnel: its answer to CONNECT once the server behind is connected.
    """

    async def behave(exchange: Exchange) -> None:
        if authorization is not None and exchange.header("Proxy-Authorization") != authorization:
            await exchange.send(page(b"who are you?", status=407, headers=("Proxy-Authenticate: Basic realm=x",)))
        elif exchange.head.startswith(b"CONNECT "):
            await _tunnel(exchange, tunnel)
        else:
            await _forward(exchange)

    async with serving(behave) as server:
        yield server


async def _tunnel(exchange: Exchange, established: bytes) -> None:
    try:
        reader, writer = await asyncio.open_connection(LOOPBACK, int(exchange.path.rpartition(":")[2]))
    except OSError:
        await exchange.send(page(b"no way", status=502, headers=("X-Squid-Error: ERR_CONNECT_FAIL 111",)))
        return
    await exchange.send(established)
    await _relay(exchange, reader, writer)


async def _forward(exchange: Exchange) -> None:
    """Turns the absolute form into the origin's, makes Host of it and keeps what is meant for the proxy."""
    address = urlsplit(exchange.path)
    lines = exchange.head.decode("latin-1").split("\r\n")[1:]
    kept = [line for line in lines if not line.lower().startswith(("proxy-", "host:"))]
    method, path = exchange.head.split(b" ", 1)[0].decode(), f"{address.path}{'?' if address.query else ''}"
    head = "\r\n".join([f"{method} {path}{address.query} HTTP/1.1", f"Host: {address.netloc}", *kept])
    reader, writer = await asyncio.open_connection(LOOPBACK, address.port or 80)
    writer.write(head.encode("latin-1"))
    await _relay(exchange, reader, writer)


async def _relay(exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copies both ways until either side has closed."""
    ways = [asyncio.create_task(_copy(exchange.reader, writer)), asyncio.create_task(_copy(reader, exchange.writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        await _hang_up(reader, writer)


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Closes after the server behind, whose socket would else be open still when the test is over."""
    with suppress(OSError, TimeoutError):
        writer.write_eof()
        async with asyncio.timeout(0.5):
            while await reader.read(65_536):
                pass
    writer.close()


async def _copy(source: asyncio.StreamReader, goal: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65_536):
            goal.write(data)
            await goal.drain()
