"""Signing in with the token, for browsers."""

from http import HTTPStatus

from aiohttp import hdrs, web

from sentry.web.access import COOKIE, SESSION_S, is_cross_site, local_path, same_secret
from sentry.web.gates import GUESSES, SESSIONS
from sentry.web.problems import Problem
from sentry.web.rendering import render
from sentry.web.sources import OPTIONS


async def form(request: web.Request) -> web.Response:
    """The form."""
    return await _form(request, local_path(request.query.get("next", "/")), wrong=False, status=HTTPStatus.OK)


async def sign_in(request: web.Request) -> web.Response:
    """Takes the token and gives a cookie that stands for it."""
    if is_cross_site(request):
        raise Problem(HTTPStatus.FORBIDDEN, "a page of another site may not sign anybody in")
    fields = await request.post()
    given, onward = fields.get("token"), fields.get("next")
    onward = local_path(onward) if isinstance(onward, str) else "/"
    expected = request.app[OPTIONS].token
    if expected is None:
        return _see_other(onward)
    if not isinstance(given, str) or not same_secret(given.strip(), expected):
        if request.app[GUESSES].wait_s(request.remote or ""):
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "too many wrong tokens; wait a minute")
        return await _form(request, onward, wrong=True, status=HTTPStatus.FORBIDDEN)
    response = _see_other(onward)
    response.set_cookie(
        COOKIE,
        request.app[SESSIONS].issue(),
        max_age=SESSION_S,
        path="/",
        httponly=True,
        samesite="Strict",
        secure=request.app[OPTIONS].secure_cookie or request.secure,
    )
    return response


async def sign_out(request: web.Request) -> web.Response:
    """Takes the cookie back."""
    if is_cross_site(request):
        raise Problem(HTTPStatus.FORBIDDEN, "a page of another site may not sign anybody out")
    response = _see_other("/sign-in")
    response.del_cookie(COOKIE, path="/")
    return response


def _see_other(path: str) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER.value, headers={hdrs.LOCATION: path})


async def _form(request: web.Request, onward: str, *, wrong: bool, status: HTTPStatus) -> web.Response:
    return await render(request, "sign_in.html", {"onward": onward, "wrong": wrong}, status=status)
