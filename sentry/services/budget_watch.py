"""The watch over budgets: gauges for machines each minute, one ticket per threshold for people."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from math import inf

from sentry.domain.month import minute_of
from sentry.domain.watched_site import WatchedSite
from sentry.ports import BudgetWording, Clock, Telemetry, TicketNote, TicketStore
from sentry.services.budget_rounds import BudgetRounds
from sentry.services.budgets import Budgets
from sentry.services.burn_alerts import BurnAlerts
from sentry.services.reckoning import SiteMonth, Standing

AT_ONCE = 20
"""Sites that are read from the ledger together."""

LOOKED_AT = 500
"""Sites that are looked at, whether they are due, before others have their turn: less than a millisecond."""


class BudgetWatch:
    """Looks at every site's budget each minute.

    A site is reckoned when its lapses changed, when a window moves through one of them, when its configuration or
    month changed, and every six hours; at all other times its figures are what they were, and nothing is done for it.
    """

    def __init__(
        self,
        budgets: Budgets,
        *,
        burn_alerts: BurnAlerts,
        tickets: TicketStore,
        telemetry: Telemetry,
        wording: BudgetWording,
        clock: Clock,
    ) -> None:
        self._budgets = budgets
        self._burn_alerts = burn_alerts
        self._tickets = tickets
        self._telemetry = telemetry
        self._wording = wording
        self._clock = clock
        self._rounds = BudgetRounds()
        self._filed: set[str] = set()

    async def check_thresholds(self, sites: Iterable[WatchedSite]) -> None:
        """Sets the gauges of every site and files a ticket for each threshold that its month has reached.

        A ticket has the key `budget:<site>:<YYYY-MM>:<threshold>`, so that a threshold is filed once however often
        this runs. A site that cannot be reckoned does not stop the others, and has its turn again the next time.

        Raises:
            ExceptionGroup: what went wrong, once all sites were tried.
            StoreUnavailable: the store does not answer at all.
        """
        watched = {site.key: site for site in sites}
        marks = await self._budgets.lapses()
        await self._burn_alerts.begin(watched.keys())
        await asyncio.sleep(0)
        self._rounds.begin(watched.keys(), marks, minute_of(self._clock.now()))
        await asyncio.sleep(0)
        errors: list[Exception] = []
        for some in _pieces(watched.values(), LOOKED_AT):
            for few in _pieces(self._rounds.due(some), AT_ONCE):
                failed = await self._unhurried(few)
                errors += failed
                if len(failed) == AT_ONCE:
                    break  # not one of them: it is not the sites that are at fault, and the rest can wait a minute
            await asyncio.sleep(0)
        if errors:
            raise ExceptionGroup("the budgets of some sites could not be reckoned", errors)

    async def _unhurried(self, sites: Sequence[WatchedSite]) -> list[Exception]:
        """Reckons some sites, and then rests as long as that took: there may be ten thousand of them to do."""
        began = self._clock.monotonic()
        errors = await self._look_at(sites)
        if len(sites) == AT_ONCE:
            await asyncio.sleep(self._clock.monotonic() - began)
        return errors

    async def _look_at(self, sites: Sequence[WatchedSite]) -> list[Exception]:
        try:
            histories = await self._budgets.histories(sites)
        except Exception as error:  # noqa: BLE001  # one site must not hide the others; all are raised in the end
            if len(sites) > 1:
                return [each for site in sites for each in await self._look_at([site])]
            error.add_note(f"budget of site {sites[0].key}")
            return [error]
        errors: list[Exception] = []
        for site in sites:
            try:
                standing = await self._budgets.standing(site, histories[site.key])
                await self._tell(standing)
                settled = await self._burn_alerts.look_at(standing)
            except Exception as error:  # noqa: BLE001  # as above
                error.add_note(f"budget of site {site.key}")
                errors.append(error)
                continue
            if settled:
                self._rounds.reckoned(site, standing.holds_until)
            await asyncio.sleep(0)
        return errors

    async def _tell(self, standing: Standing) -> None:
        if standing.previous is not None:
            await self._file(standing.previous)
        await self._file(standing.month)
        site, budget = standing.month.site.key, standing.month.budget
        if not standing.month.site.hosted:
            return  # nothing is promised, so there is no budget
        self._telemetry.gauge("slo_budget_remaining_seconds", float(budget.left * 60), site=site)
        self._telemetry.gauge("slo_budget_used_ratio", float(budget.used), site=site)
        for window, rate in standing.burn.rates.items():
            self._telemetry.gauge("slo_burn_rate", rate, site=site, window=window)
        for window, minute in standing.month.runs_out.items():
            at = inf if minute is None else minute * 60.0
            self._telemetry.gauge("slo_budget_exhausted_timestamp_seconds", at, site=site, window=window)

    async def _file(self, reckoned: SiteMonth) -> None:
        site = reckoned.site
        for threshold in reckoned.budget.crossed:
            key = f"budget:{site.key}:{reckoned.month}:{threshold}"
            if key in self._filed:
                continue
            title, text = self._wording.budget_ticket(site, reckoned.month, reckoned.budget, threshold)
            note = TicketNote(author="online-sentry", text=text, kind="budget")
            at = self._clock.now()
            await self._tickets.file(
                key=key, site_key=site.key, client_key=site.client_key, title=title, note=note, at=at
            )
            self._filed.add(key)


def _pieces(sites: Iterable[WatchedSite], size: int) -> Iterator[list[WatchedSite]]:
    rest = iter(sites)
    while piece := list(islice(rest, size)):
        yield piece
