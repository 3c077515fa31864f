"""Where windows are announced and looked up: the service, with the sites that are configured now."""

import asyncio
from collections.abc import Collection, Mapping

from sentry.app.roster import Roster, scope_of
from sentry.domain.announcement import AnnouncedWindow
from sentry.domain.maintenance_window import MaintenanceWindow
from sentry.ports import Clock, MaintenanceBook
from sentry.reports.icalendar import icalendar
from sentry.services.maintenance import Maintenance
from sentry.settings import Settings


class MaintenanceDesk:
    """Takes what is said of windows, and puts it in force at every site at once."""

    def __init__(self, book: MaintenanceBook, roster: Roster, clock: Clock) -> None:
        self._maintenance = Maintenance(book, clock)
        self._roster = roster
        self._clock = clock
        self._scheduling = asyncio.Lock()

    @property
    def windows(self) -> Mapping[str, AnnouncedWindow]:
        """Every window by its key, in the order in which they were announced."""
        return self._maintenance.windows

    async def look(self) -> None:
        """Puts in force what was said since, also by other processes.

        Raises:
            StoreUnavailable: what was known stays in force.
        """
        await self._maintenance.refresh()
        await self.put_in_force()

    async def put_in_force(self) -> None:
        """Lets every site have the work that is known, also one that was configured a moment ago."""
        async with self._scheduling:
            await self._roster.schedule(self._maintenance.calendar)

    async def follow(self, settings: Settings) -> None:
        """Announces what a configuration says; `put_in_force` follows once the configuration itself is."""
        await self._maintenance.follow(settings.maintenance, scope_of(settings))

    async def announce(self, plan: MaintenanceWindow, by: str) -> AnnouncedWindow:
        """Announces a window.

        Raises:
            NotFound: it is about no site that there is.
            TransitionRefused: it is over.
        """
        window = await self._maintenance.announce(plan, by, scope_of(self._roster.settings))
        await self.put_in_force()
        return window

    async def end(
        self, key: str, by: str, *, ends_at: str | None = None, duration_min: int | None = None
    ) -> AnnouncedWindow:
        """Lets a window end at another time.

        Raises:
            ValueError: it cannot end so.
            NotFound: there is no such window.
            TransitionRefused: it is over, cancelled, or of the configuration; or it would be over.
        """
        window = await self._maintenance.change(
            key, by, lambda plan: plan.ending(ends_at=ends_at, duration_min=duration_min)
        )
        await self.put_in_force()
        return window

    async def cancel(self, key: str, by: str) -> AnnouncedWindow:
        """Cancels what is still to come of a window.

        Raises:
            NotFound: there is no such window.
            TransitionRefused: it is over, cancelled, or of the configuration.
        """
        window = await self._maintenance.cancel(key, by)
        await self.put_in_force()
        return window

    def calendar(self, sites: Collection[str] | None = None) -> str:
        """Returns the windows as iCalendar; only those of some sites where these are given."""
        return icalendar(self.windows.values(), self._clock.now(), self._roster.settings.agency.name, sites=sites)
