"""What every request passes: bounded time, safe headers, known hosts, the token, and errors as documents."""

import asyncio
from http import HTTPStatus
from urllib.parse import quote

import structlog
from aiohttp import hdrs, web

from sentry.domain.errors import StoreUnavailable
from sentry.web.access import (
    COOKIE,
    Sessions,
    Throttle,
    bearer,
    calendar_key,
    is_cross_site,
    is_known_host,
    same_secret,
)
from sentry.web.problems import Problem
from sentry.web.rendering import render
from sentry.web.route import Access, Handler, Route
from sentry.web.sources import OPTIONS, SOURCES

_log = structlog.get_logger()

REQUEST_TIMEOUT_S = 30.0
"""Also bounds how slowly a body may come."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

SESSIONS: web.AppKey[Sessions] = web.AppKey("sessions", Sessions)
GUESSES: web.AppKey[Throttle] = web.AppKey("guesses", Throttle)
ROUTES: web.AppKey[dict[Handler, Route]] = web.AppKey("routes", dict)

_SAFE_METHODS = frozenset({"GET", "HEAD"})


@web.middleware
async def answers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Bounds the time, turns errors into documents or pages, and adds the headers."""
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            response = await handler(request)
    except web.HTTPException as error:
        response = await _reply(request, error)
    except StoreUnavailable:
        what = "the store does not answer; the watch goes on, try again in a moment"
        response = await _reply(
            request, Problem(HTTPStatus.SERVICE_UNAVAILABLE, what, headers={hdrs.RETRY_AFTER: "10"})
        )
    except TimeoutError:
        response = await _reply(
            request, Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the answer took too long; it was given up")
        )
    except Exception:  # noqa: BLE001  # a fault of one handler is logged and answered; the server goes on
        _log.exception("web_request_failed", path=request.path)
        response = await _reply(
            request, Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of the agent; its log says more")
        )
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
    _count(request, response.status)
    return response


@web.middleware
async def admission(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets in who may come in."""
    route = route_of(request)
    if route is not None and (route.access is Access.TOKEN or _lacks_calendar_key(request, route)):
        _check_origin(request)
        if request.app[OPTIONS].token is None:
            _check_host(request)
        elif not is_signed_in(request):
            raise _refusal(request, route)
    return await handler(request)


def _lacks_calendar_key(request: web.Request, route: Route) -> bool:
    """Whether a calendar is asked for without the key of its client; the agent's token then lets in, as anywhere."""
    token = request.app[OPTIONS].token
    if route.access is not Access.CALENDAR:
        return False
    key = calendar_key(token, request.query.get("client", ""))
    return token is None or not request.query.get("client") or not same_secret(request.query.get("key", ""), key)


def route_of(request: web.Request) -> Route | None:
    """Returns the row of the table that a request takes, None where no row fits."""
    resource = request.match_info.route.resource
    if request.match_info.http_exception is not None or resource is None:
        return None
    return request.app[ROUTES].get(request.match_info.handler)


def is_signed_in(request: web.Request) -> bool:
    """Whether a request shows the token, or a cookie that stands for it."""
    token = request.app[OPTIONS].token
    if token is None:
        return True
    given = bearer(request)
    if given is not None:
        return same_secret(given, token)
    return request.app[SESSIONS].accepts(request.cookies.get(COOKIE, ""))


def wants_page(request: web.Request) -> bool:
    """Whether a browser asks on behalf of a person."""
    return "text/html" in request.headers.get(hdrs.ACCEPT, "")


def _check_origin(request: web.Request) -> None:
    if request.method not in _SAFE_METHODS and is_cross_site(request):
        raise Problem(HTTPStatus.FORBIDDEN, "a page of another site may not ask for this")


def _check_host(request: web.Request) -> None:
    if not is_known_host(request.headers.get(hdrs.HOST), request.app[OPTIONS].hosts):
        what = "this host name is not known here; call 127.0.0.1 or localhost, or set web.base_url to the name in use"
        raise Problem(HTTPStatus.MISDIRECTED_REQUEST, what)


def _refusal(request: web.Request, route: Route) -> web.HTTPException:
    if route.media_type == "text/html" and request.method in _SAFE_METHODS and wants_page(request):
        return web.HTTPSeeOther(f"/sign-in?next={quote(request.path_qs, safe='')}")
    wait_s = request.app[GUESSES].wait_s(request.remote or "") if bearer(request) is not None else 0
    if wait_s:
        return Problem(
            HTTPStatus.TOO_MANY_REQUESTS, "too many wrong tokens", headers={"Retry-After": str(int(wait_s) + 1)}
        )
    what = "send the agent's token (web.token_file) as 'Authorization: Bearer …'"
    return Problem(HTTPStatus.UNAUTHORIZED, what, headers={hdrs.WWW_AUTHENTICATE: 'Bearer realm="online-sentry"'})


async def _reply(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    """The answer for an error: a page for people, a document for machines; redirects as they are."""
    if error.status_code < HTTPStatus.BAD_REQUEST:
        return web.Response(status=error.status_code, headers=error.headers)
    problem = error if isinstance(error, Problem) else _problem_of(error)
    if wants_page(request) and not request.path.startswith("/api/"):
        status = HTTPStatus(problem.status_code)
        facts = {"status": status.value, "title": status.phrase, "detail": problem.detail}
        page = await render(request, "problem.html", facts, status=status)
        page.headers.update({name: problem.headers[name] for name in _KEPT_HEADERS if name in problem.headers})
        return page
    return web.Response(status=problem.status_code, headers=problem.headers, body=problem.body)


def _problem_of(error: web.HTTPException) -> Problem:
    status = HTTPStatus(error.status_code)
    headers = {"Allow": error.headers[hdrs.ALLOW]} if hdrs.ALLOW in error.headers else None
    return Problem(status, _DETAILS.get(status, status.phrase), headers=headers)


_KEPT_HEADERS = (hdrs.RETRY_AFTER, hdrs.ALLOW, hdrs.WWW_AUTHENTICATE)

_DETAILS = {
    HTTPStatus.NOT_FOUND: "there is nothing at this address; /api/v1/openapi.json lists every address",
    HTTPStatus.METHOD_NOT_ALLOWED: "this address takes another method; the Allow header names it",
}


def _count(request: web.Request, status: int) -> None:
    route = route_of(request)
    path = route.path if route else "other"
    request.app[SOURCES].telemetry.count("web_requests_total", route=path, code=str(status))
