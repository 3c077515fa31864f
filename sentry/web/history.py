"""What pages show of the past: the last hour and a half and the month of a site, remembered for a short while."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sentry.domain.errors import StoreUnavailable
from sentry.domain.ledger import CheckRuns, Run, merge, overlay
from sentry.domain.month import minute_of
from sentry.domain.watched_site import WatchedSite
from sentry.domain.weight import Weight
from sentry.services.reckoning import SiteMonth
from sentry.web.sources import Sources

RECENT_MINUTES = 90
KEEP_S = 30.0
MAX_KEPT = 4000
_AT_ONCE = 8
_LAG_MINUTES = 3


@dataclass(frozen=True, slots=True)
class SiteHistory:
    """The past of one site; `month` is None where the store does not answer.

    Attributes:
        recent: what the minutes [start, end) were.
    """

    month: SiteMonth | None
    recent: tuple[Run, ...]
    start: int
    end: int


class Histories:
    """Reads the past of sites, a few at a time, and keeps it for half a minute so that a page may be reloaded."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._kept: dict[str, tuple[float, WatchedSite, SiteHistory]] = {}
        self._few = asyncio.Semaphore(_AT_ONCE)

    async def of_sites(self, sites: Sequence[WatchedSite]) -> list[SiteHistory]:
        """Returns the past of each site, in the order given."""
        return list(await asyncio.gather(*(self.of_site(site) for site in sites)))

    async def of_site(self, site: WatchedSite) -> SiteHistory:
        """Returns the past of a site; without the store, an empty one."""
        now = self._sources.clock.monotonic()
        kept = self._kept.get(site.key)
        if kept is not None and now - kept[0] < KEEP_S and kept[1] == site:
            return kept[2]
        async with self._few:
            try:
                history = await self._read(site)
            except StoreUnavailable:
                return self._nothing()
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[site.key] = (now, site, history)
        return history

    async def _read(self, site: WatchedSite) -> SiteHistory:
        month = await self._sources.months.of_month(site)
        end = minute_of(self._sources.clock.now()) + 1
        start = end - RECENT_MINUTES
        runs = await self._sources.ledger.runs(site.key, start - _LAG_MINUTES, end)
        layers = [
            CheckRuns(check.key, tuple(own), start - _LAG_MINUTES, end, check.weight is Weight.DEGRADES)
            for check in site.checks
            if check.weight is not Weight.OBSERVED and (own := runs.get(check.key))
        ]
        written = max((layer.runs[-1].end for layer in layers), default=end)
        if end - written <= _LAG_MINUTES:  # the newest minutes are not written yet, which says nothing of the site
            end, start = written, written - RECENT_MINUTES
        recent = overlay(merge(layers, start, end), site.maintenance)
        return SiteHistory(month, recent, start, end)

    def _nothing(self) -> SiteHistory:
        end = minute_of(self._sources.clock.now()) + 1
        return SiteHistory(None, (), end - RECENT_MINUTES, end)
