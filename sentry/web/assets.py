"""The style sheet and the icons: read once, served with a tag of their content."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from aiohttp import hdrs, web

from sentry.web.problems import not_found

MEDIA_TYPES = {"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml", "icon-down.svg": "image/svg+xml"}
"""Every file that is served, and nothing else."""

MAX_AGE_S = 86_400


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    body: bytes
    tag: str


@cache
def asset(name: str) -> Asset:
    """Reads a file of the table, once."""
    body = (files("sentry.web") / "static" / name).read_bytes()
    return Asset(body, hashlib.sha256(body).hexdigest()[:16])


async def static(request: web.Request) -> web.Response:
    """A file of the pages."""
    name = request.match_info["name"]
    if name not in MEDIA_TYPES:
        raise not_found("there is no such file")
    found = asset(name)
    headers = {hdrs.CACHE_CONTROL: f"public, max-age={MAX_AGE_S}", hdrs.ETAG: f'"{found.tag}"'}
    if request.headers.get(hdrs.IF_NONE_MATCH) == f'"{found.tag}"':
        return web.Response(status=304, headers=headers)
    headers[hdrs.CONTENT_TYPE] = MEDIA_TYPES[name]
    return web.Response(body=found.body, headers=headers)
