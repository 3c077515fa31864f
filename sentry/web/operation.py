"""How the agent is, and reading its configuration again."""

from http import HTTPStatus

from aiohttp import web
from pydantic import BaseModel, Field

from sentry.domain.errors import ConfigurationError
from sentry.web.problems import Problem
from sentry.web.sources import SOURCES


class HealthDocument(BaseModel):
    """How the agent is."""

    ok: bool = Field(description="False where the watch is stalled; the status is then 503.")
    version: str
    last_tick_age_s: float | None = Field(description="Seconds since the wheel last turned.")
    store_ok: bool
    config_ok: bool = Field(description="False where the last reading failed and an earlier configuration is in use.")
    network_ok: bool | None = Field(description="The agent's own network; null where nothing watches it.")


class ReloadDocument(BaseModel):
    """What a reload came to."""

    reloaded: bool
    sites: int
    checks: int


async def health(request: web.Request) -> web.Response:
    """200 while the watch runs, 503 when it is stalled. A dead store or a bad configuration does not stop it."""
    now = request.app[SOURCES].agent.health()
    document = HealthDocument(
        ok=not now.stalled,
        version=now.version,
        last_tick_age_s=now.last_tick_age_s,
        store_ok=now.store_ok,
        config_ok=now.config_ok,
        network_ok=now.network_ok,
    )
    status = HTTPStatus.SERVICE_UNAVAILABLE if now.stalled else HTTPStatus.OK
    return web.json_response(text=document.model_dump_json(), status=status)


async def reload(request: web.Request) -> web.Response:
    """Reads the configuration again; with problems, 400 names every one and the standing configuration stays."""
    sources = request.app[SOURCES]
    try:
        await sources.reload()
    except ConfigurationError as error:
        problems = [
            {"file": found.file, "line": found.line, "path": found.path, "message": found.message}
            for found in error.problems
        ]
        what = f"the configuration has {len(problems)} problem(s); the one in use was kept"
        raise Problem(HTTPStatus.BAD_REQUEST, what, problems=problems) from error
    document = ReloadDocument(reloaded=True, sites=len(sources.sites()), checks=len(sources.watch.views()))
    return web.json_response(text=document.model_dump_json())
