"""Budgets: what each site has spent of its month, and why."""

import asyncio
from collections.abc import Hashable, Mapping, Sequence

from sentry.domain.budget import BURN_WINDOWS
from sentry.domain.counting import CountedInterval
from sentry.domain.month import Month, minute_of, month_of
from sentry.domain.watched_site import WatchedSite
from sentry.ports import Clock, LedgerReader, SiteHistory
from sentry.services.reckoning import (
    SETTLE_MINUTES,
    SiteMonth,
    Standing,
    burn_begins,
    burn_of,
    first_minute,
    intervals_of,
    reckon,
    reckoned_from,
    standing_of,
)

RUNS_ON_THE_LOOP = 2_000
"""A month of more runs than this (a site that flaps every few minutes) is reckoned beside the event loop: 45,000 of
them take half a second."""

LAPSES_MINUTES = max(BURN_WINDOWS.values()) + SETTLE_MINUTES + 24 * 60
"""How far back a lapse can still move a figure: the longest window, before minutes that are a day's interval late."""


class Budgets:
    """Reckons budgets from the ledger; writes nothing."""

    def __init__(self, ledger: LedgerReader, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def month_now(self, site: WatchedSite) -> Month:
        """Returns the month that runs at a site now."""
        return month_of(minute_of(self._clock.now()), site.zone)

    async def of_month(self, site: WatchedSite, month: Month | None = None) -> SiteMonth:
        """Reckons the budget of a site.

        Args:
            site: the site.
            month: a calendar month in the site's zone; the running one when absent.
        """
        month = month or self.month_now(site)
        now = minute_of(self._clock.now())
        history = await self._history(site, reckoned_from(site, month, now), month.minutes(site.zone)[1])
        if _is_long(history):
            return await asyncio.to_thread(reckon, site, month, history, now)
        return reckon(site, month, history, now)

    async def _history(self, site: WatchedSite, start: int, end: int) -> SiteHistory:
        return SiteHistory(
            runs=await self._ledger.runs(site.key, start, end),
            first_seen=await self._ledger.first_seen(site.key),
            uncounted=await self._ledger.uncounted(site.key),
            attributed=await self._ledger.attributed(site.key, start, end),
        )

    async def lapses(self) -> Mapping[str, Hashable]:
        """Returns a mark for each site whose newest minutes down or in maintenance still move a burn rate."""
        return await self._ledger.lapses(minute_of(self._clock.now()) - LAPSES_MINUTES)

    async def histories(self, sites: Sequence[WatchedSite]) -> Mapping[str, SiteHistory]:
        """Reads at once, by site key, what `standing` needs of some sites.

        Args:
            sites: a few dozen at most.
        """
        now = minute_of(self._clock.now())
        first = min(first_minute(site, now) for site in sites)
        end = max(month_of(now, site.zone).minutes(site.zone)[1] for site in sites)
        return await self._ledger.histories([site.key for site in sites], first, end)

    async def standing(self, site: WatchedSite, history: SiteHistory) -> Standing:
        """Reckons how a site stands now.

        Args:
            site: the site.
            history: as `histories` has just read it.
        """
        now = minute_of(self._clock.now())
        if _is_long(history):
            return await asyncio.to_thread(standing_of, site, history, now)
        return standing_of(site, history, now)

    async def explain(self, site: WatchedSite, month: Month | None = None) -> Sequence[CountedInterval]:
        """Returns every interval of the month with how it counted, by which rule, and which checks decided it."""
        return intervals_of(await self.of_month(site, month))

    async def burn_rates(self, site: WatchedSite) -> Mapping[str, float]:
        """Returns the burn rate over each window of `BURN_WINDOWS`; windows may reach into the month before."""
        now = minute_of(self._clock.now())
        return burn_of(site, await self._history(site, burn_begins(site, now), now), now).rates


def _is_long(history: SiteHistory) -> bool:
    return sum(len(own) for own in history.runs.values()) > RUNS_ON_THE_LOOP
