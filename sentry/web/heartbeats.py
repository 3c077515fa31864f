"""Calls of watched jobs: `curl -fsS "http://agent/heartbeat/acme-shop/backup?token=…"` at the end of a backup."""

import hmac
from http import HTTPStatus

from aiohttp import web
from pydantic import BaseModel

from sentry.ports import Heartbeat
from sentry.web.access import Throttle, bearer, same_secret
from sentry.web.problems import Problem, not_found
from sentry.web.route import Parameter
from sentry.web.sources import SOURCES

MAX_BODY_BYTES = 16 * 1024
"""The tail of a job's log fits; more is refused so that nobody fills the store."""

TOKEN_HEADER = "X-Heartbeat-Token"  # noqa: S105  # the name of a header
TOKEN_QUERY = Parameter("token", "The check's token; better sent as `Authorization: Bearer`, which no log keeps.")
TOKEN_IN_HEADER = Parameter(TOKEN_HEADER, "The check's token.", "header")

CALLS = web.AppKey("heartbeat_calls", Throttle)
REFUSALS = web.AppKey("heartbeat_refusals", Throttle)

_ABSENT = hmac.new(b"", digestmod="sha256").hexdigest()


class HeartbeatDocument(BaseModel):
    """A call that was taken."""

    check: str
    ok: bool


async def succeeded(request: web.Request) -> web.Response:
    """The job says that it went well."""
    return await _record(request, ok=True)


async def failed(request: web.Request) -> web.Response:
    """The job says that it failed; what it sends along goes into the report."""
    return await _record(request, ok=False)


async def _record(request: web.Request, *, ok: bool) -> web.Response:
    sources = request.app[SOURCES]
    check_key = f"{request.match_info['site']}/{request.match_info['check']}"
    _authorize(request, check_key)
    wait_s = request.app[CALLS].wait_s(check_key)
    if wait_s:
        sources.telemetry.count("heartbeats_total", result="throttled")
        raise _too_many(wait_s)
    text = await _body(request)
    await sources.heartbeats.record(check_key, Heartbeat(at=sources.clock.now(), ok=ok, text=text))
    sources.telemetry.count("heartbeats_total", result="ok" if ok else "fail")
    return web.json_response(text=HeartbeatDocument(check=check_key, ok=ok).model_dump_json())


def _authorize(request: web.Request, check_key: str) -> None:
    """A check that is not there and a wrong token look the same, so that nobody learns what is watched."""
    sources = request.app[SOURCES]
    expected = sources.heartbeat_token(check_key)
    given = bearer(request) or request.headers.get(TOKEN_HEADER) or request.query.get("token") or ""
    matches = same_secret(given, expected or _ABSENT)
    if expected is not None and (matches or not expected):
        return
    sources.telemetry.count("heartbeats_total", result="refused")
    wait_s = request.app[REFUSALS].wait_s(request.remote or "")
    if wait_s:
        raise _too_many(wait_s)
    raise not_found("there is no heartbeat check of this name with this token")


async def _body(request: web.Request) -> str:
    """At most MAX_BODY_BYTES as text; what is no UTF-8 is replaced, most control characters are dropped."""
    too_large = Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body may have {MAX_BODY_BYTES} bytes at most")
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise too_large
    body = b""
    async for chunk in request.content.iter_chunked(MAX_BODY_BYTES):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise too_large
    text = body.decode(errors="replace")
    return "".join(char for char in text if char.isprintable() or char in "\n\t")


def _too_many(wait_s: float) -> Problem:
    headers = {"Retry-After": str(int(wait_s) + 1)}
    return Problem(HTTPStatus.TOO_MANY_REQUESTS, "too many calls; wait and try again", headers=headers)
