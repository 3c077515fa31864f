"""Templates of the pages: escaped by default, in the words of the agency, rendered beside the event loop."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from aiohttp import hdrs, web
from jinja2 import Environment, FunctionLoader, StrictUndefined

from sentry.web.sources import OPTIONS, SOURCES
from sentry.web.words import Words

ENVIRONMENT: web.AppKey[Environment] = web.AppKey("environment", Environment)
WORDS: web.AppKey[Words] = web.AppKey("words", Words)
STYLE: web.AppKey[str] = web.AppKey("style", str)


def environment(words: Words) -> Environment:
    """Builds the templates' environment for one language."""
    made = Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_callables(words.text, words.plural, newstyle=True)  # type: ignore[attr-defined]  # the i18n extension adds it
    made.globals["words"] = words
    return made


def _source(name: str) -> str:
    return (files("sentry.web") / "templates" / name).read_text(encoding="utf-8")


async def render(
    request: web.Request, template: str, facts: Mapping[str, Any], *, status: HTTPStatus = HTTPStatus.OK
) -> web.Response:
    """Returns a page.

    Args:
        request: for whom.
        template: file name within templates/.
        facts: what the template shows.
        status: of the answer.
    """
    options, sources = request.app[OPTIONS], request.app[SOURCES]
    page = request.app[ENVIRONMENT].get_template(template)
    common = {
        "agency": options.agency,
        "language": options.language.value,
        "now": sources.clock.now(),
        "agent": sources.agent.health(),
        "has_token": options.token is not None,
        "style": request.app[STYLE],
        "path": request.path,
    }
    text = await asyncio.to_thread(page.render, {**common, **facts})
    headers = {hdrs.CONTENT_TYPE: "text/html; charset=utf-8"}
    return web.Response(text=text, status=status.value, headers=headers)
