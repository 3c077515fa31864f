"""What Prometheus reads: the page, one target's last values, and the list of targets."""

import asyncio
import json

from aiohttp import hdrs, web

from sentry.services.watch import CheckView
from sentry.web.problems import bad_request, not_found
from sentry.web.route import Parameter, read_text
from sentry.web.sources import SOURCES, Sources
from sentry.web.targets import TARGETS
from sentry.web.turns import pieces

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

TARGET = Parameter("target", "URL, site key, check key or `instance` label of what is watched.", required=True)
MODULE = Parameter("module", "Name or kind of the check, where the target has several; its first check when absent.")


async def metrics(request: web.Request) -> web.Response:
    """The whole page, compressed where the caller takes that, and made as fast as the caller reads it."""
    gzipped = "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "")
    body = request.app[SOURCES].metrics.stream(gzipped=gzipped)
    headers = {hdrs.CONTENT_TYPE: CONTENT_TYPE, hdrs.VARY: hdrs.ACCEPT_ENCODING}
    if gzipped:
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    return web.Response(body=body, headers=headers)


async def probe(request: web.Request) -> web.Response:
    """The last scheduled sample of a target in blackbox_exporter's form; never probes, so it reaches nothing new."""
    sources = request.app[SOURCES]
    target, module = read_text(request, "target"), read_text(request, "module")
    if not target:
        raise bad_request("target: write the URL or the key of a watched site, e.g. /probe?target=acme-shop")
    found = await request.app[TARGETS].find(target, module)
    page = sources.metrics.probe_page(found.check.key) if found else None
    if page is None:
        wanted = f"no check '{module}' of '{target}'" if module else f"'{target}'"
        raise not_found(f"{wanted} is not watched here; /sd lists what is. This address never probes on demand.")
    return web.Response(body=page, headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})


async def service_discovery(request: web.Request) -> web.Response:
    """One target group per check, for `http_sd_configs`; relabel them as for blackbox_exporter."""
    sources = request.app[SOURCES]
    written: list[str] = []
    for piece in pieces(sources.watch.views()):
        written += [json.dumps(_target_group(sources, view)) for view in piece]
        await asyncio.sleep(0)
    return web.json_response(text=f"[{', '.join(written)}]")


def _target_group(sources: Sources, view: CheckView) -> dict[str, object]:
    check = view.check
    return {
        "targets": [sources.metrics.instance_of(check.key) or check.url],
        "labels": {
            "__param_module": check.name,
            "site": check.site_key,
            "client": check.client_key,
            "plan": check.plan_key,
            "check": check.name,
            "kind": check.kind,
        },
    }
