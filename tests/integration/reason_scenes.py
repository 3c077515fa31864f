"""What stands there when a probe fails: names that lead nowhere, ports, servers and certificates of every kind."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from sentry.ports import Heartbeat
from tests.integration.authority import Authority, Identity
from tests.integration.dns_server import DnsServer, silence
from tests.integration.hostile_servers import (
    Behaviour,
    Exchange,
    answer,
    blocking_tls,
    full_backlog,
    page,
    refused_port,
    serving,
    serving_raw,
)
from tests.integration.reason_stage import NAME, Stage

ROOT = Authority.root("Trusted Root")
INTERMEDIATE = ROOT.intermediate("Trusted Intermediate")

SECRET = "3f1c-do-not-show"
HEADERS = ("Content-Type: text/html; charset=utf-8", f"Set-Cookie: session={SECRET}", "Server: Apache/2.4.62")
BODY = "<!doctype html><title>Tienda</title><h1>Bienvenido a la tienda, año 2026</h1>".encode()

Scene = Callable[[Stage], AbstractAsyncContextManager[str]]
"""Sets up what is to be probed and yields its address."""


def name(change: Callable[[DnsServer], None]) -> Scene:
    """A name, changed in both DNS servers."""

    @asynccontextmanager
    async def scene(stage: Stage) -> AsyncIterator[str]:
        for server in stage.dns:
            change(server)
        yield f"https://{NAME}/"

    return scene


def gone(server: DnsServer) -> None:
    server.remove(NAME)


def mail_only(server: DnsServer) -> None:
    server.remove(NAME)
    server.add(NAME, "MX", "10 mail.host.test.")


def failing(server: DnsServer) -> None:
    server.fail(NAME, "SERVFAIL")


def dead(server: DnsServer) -> None:
    server.sabotage(NAME, silence)


def healthy(server: DnsServer) -> None:
    """Changes nothing."""


def without_a_route(server: DnsServer) -> None:
    """Linux lets no TCP connection to a multicast address out: ENETUNREACH at once, as on a machine without IPv6."""
    server.remove(NAME)
    server.add(NAME, "AAAA", "ff0e::1")


def behind_a_cut_line(server: DnsServer) -> None:
    """An address for documentation (RFC 5737): only for a network in which a route says that it is unreachable."""
    server.add(NAME, "A", "203.0.113.1")


@asynccontextmanager
async def nobody_listening(stage: Stage) -> AsyncIterator[str]:
    """Two addresses, neither of which has anything on the port."""
    for server in stage.dns:
        server.add(NAME, "A", "127.0.0.1", "127.0.0.2")
    with refused_port() as port:
        yield f"http://{NAME}:{port}/"


@asynccontextmanager
async def dropped_packets(stage: Stage) -> AsyncIterator[str]:
    del stage
    with full_backlog() as port:
        yield f"http://{NAME}:{port}/"


def web(behave: Behaviour, identity: Callable[[], Identity] | None = None, *, complete: bool = True) -> Scene:
    """A web server, plain or behind a certificate."""

    @asynccontextmanager
    async def scene(stage: Stage) -> AsyncIterator[str]:
        del stage
        context = identity().server_context(with_intermediates=complete) if identity else None
        async with serving(behave, tls=context) as server:
            yield server.url(NAME)

    return scene


def shown(identity: Callable[[], Identity], *, complete: bool = True) -> Scene:
    """A good page behind a certificate."""
    return web(answer(page(BODY, headers=HEADERS)), identity, complete=complete)


def raw(behave: Behaviour, scheme: str = "https") -> Scene:
    """A port that does as it likes before anything was said."""

    @asynccontextmanager
    async def scene(stage: Stage) -> AsyncIterator[str]:
        del stage
        async with serving_raw(behave) as port:
            yield f"{scheme}://{NAME}:{port}/"

    return scene


async def reset_after_hello(exchange: Exchange) -> None:
    """Lets the client begin, so that the reset surely falls into the handshake."""
    await exchange.reader.read(1)
    exchange.reset()


@asynccontextmanager
async def wants_a_client_certificate(stage: Stage) -> AsyncIterator[str]:
    del stage
    with blocking_tls(INTERMEDIATE.leaf(NAME).server_context(clients_of=ROOT)) as port:
        yield f"https://{NAME}:{port}/"


@asynccontextmanager
async def reported_failure(stage: Stage) -> AsyncIterator[str]:
    """A job of the site called in and said that it failed."""
    await stage.store.heartbeats.record("tienda/heartbeat", Heartbeat(stage.clock.now(), ok=False, text="disk full"))
    yield f"https://{NAME}/"
