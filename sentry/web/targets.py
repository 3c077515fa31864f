"""Finds the check that a scraper means: Prometheus may ask for each of ten thousand targets every minute."""

import asyncio
from collections.abc import Sequence
from operator import is_

from aiohttp import web

from sentry.domain.weight import Weight
from sentry.services.watch import CheckView
from sentry.web.sources import Sources
from sentry.web.turns import pieces

FRESH_S = 1.0
"""For so long the list of targets is believed to be what it was; one that is not in it is looked for at once."""


class Targets:
    """The checks by every name that they can be asked for by."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._views: Sequence[CheckView] = ()
        self._by_name: dict[str, tuple[CheckView, ...]] = {}
        self._looked_at = float("-inf")

    async def find(self, target: str, module: str) -> CheckView | None:
        """Returns the check that a target and module mean, None where nothing such is watched.

        Args:
            target: key of a site or check, URL, or `instance` label.
            module: name or kind of the check; the first that decides where it is empty.
        """
        fresh = self._sources.clock.monotonic() - self._looked_at < FRESH_S
        found = _chosen(self._by_name.get(target, ()), module) if fresh else None
        if found is None:
            await self._refresh()
            found = _chosen(self._by_name.get(target, ()), module)
        return found

    async def _refresh(self) -> None:
        views, self._looked_at = self._sources.watch.views(), self._sources.clock.monotonic()
        if len(views) == len(self._views) and all(map(is_, views, self._views)):
            return
        by_name: dict[str, tuple[CheckView, ...]] = {}
        for piece in pieces(views):
            for view in piece:
                for name in self._names(view):
                    by_name[name] = (*by_name.get(name, ()), view)
            await asyncio.sleep(0)
        self._views, self._by_name = views, by_name

    def _names(self, view: CheckView) -> set[str]:
        instance = self._sources.metrics.instance_of(view.check.key) or ""
        url = instance.partition("#")[0]
        return {view.check.key, view.check.site_key, instance, url, url.rstrip("/")} - {""}


def _chosen(named: Sequence[CheckView], module: str) -> CheckView | None:
    if not module:
        deciding = (view for view in named if view.check.options.weight is Weight.DECIDES)
        return next(deciding, next(iter(named), None))
    by_name = next((view for view in named if view.check.name == module), None)
    return by_name or next((view for view in named if view.check.kind == module), None)


TARGETS: web.AppKey[Targets] = web.AppKey("targets", Targets)
