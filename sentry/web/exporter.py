"""What Prometheus reads: the page, one target's last values, and the list of targets."""

from collections.abc import Sequence

from aiohttp import hdrs, web

from sentry.services.watch import CheckView
from sentry.web.problems import bad_request, not_found
from sentry.web.route import Parameter, read_text
from sentry.web.sources import SOURCES, Sources

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
    found = find_check(sources, target, module)
    page = sources.metrics.probe_page(found.check.key) if found else None
    if page is None:
        wanted = f"no check '{module}' of '{target}'" if module else f"'{target}'"
        raise not_found(f"{wanted} is not watched here; /sd lists what is. This address never probes on demand.")
    return web.Response(body=page, headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})


async def service_discovery(request: web.Request) -> web.Response:
    """One target group per check, for `http_sd_configs`; relabel them as for blackbox_exporter."""
    sources = request.app[SOURCES]
    groups = [
        {
            "targets": [sources.metrics.instance_of(view.check.key) or view.check.url],
            "labels": {
                "__param_module": view.check.name,
                "site": view.check.site_key,
                "client": view.check.client_key,
                "plan": view.check.plan_key,
                "check": view.check.name,
                "kind": view.check.kind,
            },
        }
        for view in sources.watch.views()
    ]
    return web.json_response(groups)


def find_check(sources: Sources, target: str, module: str) -> CheckView | None:
    """Returns the check that a target and module mean, None where nothing such is watched."""
    named = [view for view in sources.watch.views() if target in _names(sources, view)]
    return _chosen(named, module)


def _names(sources: Sources, view: CheckView) -> set[str]:
    instance = sources.metrics.instance_of(view.check.key) or ""
    url = instance.partition("#")[0]
    return {view.check.key, view.check.site_key, instance, url, url.rstrip("/")} - {""}


def _chosen(named: Sequence[CheckView], module: str) -> CheckView | None:
    if not module:
        return next((view for view in named if view.check.options.counts), next(iter(named), None))
    by_name = next((view for view in named if view.check.name == module), None)
    return by_name or next((view for view in named if view.check.kind == module), None)
