"""Builds the web server from the table of routes, and runs it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from aiohttp import web

from sentry.web.access import Sessions, Throttle
from sentry.web.assets import asset
from sentry.web.description import describe
from sentry.web.gates import GUESSES, ROUTES, SESSIONS, admission, answers
from sentry.web.heartbeats import CALLS, REFUSALS
from sentry.web.history import Histories
from sentry.web.pages import HISTORIES
from sentry.web.rendering import ENVIRONMENT, STYLE, WORDS, environment
from sentry.web.route import Access, Route
from sentry.web.routes import HEARTBEATS, INTERFACE, MAINTENANCE, OPERATION, PAGES, PROMETHEUS
from sentry.web.sources import OPTIONS, SOURCES, Sources, WebOptions
from sentry.web.targets import TARGETS, Targets
from sentry.web.words import Words

MAX_REQUEST_BYTES = 64 * 1024
IDLE_TIMEOUT_S = 60.0
"""A connection that sends nothing for so long is closed."""

SHUTDOWN_TIMEOUT_S = 5.0


async def description(request: web.Request) -> web.Response:
    """The OpenAPI description of everything served here."""
    return web.json_response(_described(request.app[SOURCES].agent.health().version))


DESCRIBED = Route("GET", "/api/v1/openapi.json", description, "This description.", "description", access=Access.TOKEN)


def all_routes() -> tuple[Route, ...]:
    """Returns every row of the table, in the order of the description."""
    return (*PROMETHEUS, *OPERATION, *HEARTBEATS, *INTERFACE, *MAINTENANCE, DESCRIBED, *PAGES)


@cache
def _described(version: str) -> dict[str, Any]:
    """Made when it is first asked for: the schemas of all models take a tenth of a second."""
    return describe(all_routes(), version=version)


def build_app(sources: Sources, options: WebOptions) -> web.Application:
    """Builds the application; `access.require_token` has been asked before whether it may listen at all.

    Args:
        sources: what the handlers read from and act upon.
        options: names, language and token.
    """
    app = web.Application(middlewares=[answers, admission], client_max_size=MAX_REQUEST_BYTES)
    routes = all_routes()
    app[SOURCES], app[OPTIONS] = sources, options
    app[ROUTES] = {route.handler: route for route in routes}
    app[SESSIONS] = Sessions(options.token or "", sources.clock)
    app[GUESSES] = Throttle(sources.clock, burst=10, per_s=0.2)
    app[CALLS] = Throttle(sources.clock, burst=10, per_s=1.0)
    app[REFUSALS] = Throttle(sources.clock, burst=20, per_s=1.0)
    words = Words(options.language, options.zone)
    app[WORDS], app[ENVIRONMENT], app[STYLE] = words, environment(words), asset("style.css").tag
    app[HISTORIES] = Histories(sources)
    app[TARGETS] = Targets(sources)
    for route in routes:
        if route.method == "GET":
            app.router.add_get(route.path, route.handler, allow_head=True)
        else:
            app.router.add_route(route.method, route.path, route.handler)
    return app


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serves until the block ends.

    Args:
        app: what `build_app` returned.
        host: address to listen on; empty means every address.
        port: port to listen on; 0 takes a free one.

    Yields:
        The port in use.

    Raises:
        OSError: the address is taken or may not be used.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=IDLE_TIMEOUT_S,
        shutdown_timeout=SHUTDOWN_TIMEOUT_S,
        handle_signals=False,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host or None, port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
