"""A small HTTP server whose answer each test writes itself."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.integration.servers.loopback import LOOPBACK


@dataclass(slots=True)
class Received:
    """One request."""

    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class HttpServer:
    """Where it listens, and what it was sent."""

    url: str = ""
    received: list[Received] = field(default_factory=list)


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(answer: Answer | int = 204) -> AsyncIterator[HttpServer]:
    """Runs a server that keeps each request and then answers with a status or as a function says."""
    server = HttpServer()

    async def handle(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        server.received.append(Received(headers, await request.read()))
        return web.Response(status=answer) if isinstance(answer, int) else await answer(request)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    server.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
