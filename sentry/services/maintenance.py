"""Maintenance: windows that the configuration or people announce, and the calendar that follows from them."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from sentry.domain.announcement import AnnouncedWindow, Revision, Scope, windows_of
from sentry.domain.errors import NotFound, StoreConflict, StoreUnavailable, TransitionRefused
from sentry.domain.maintenance import Calendar
from sentry.domain.maintenance_window import LOOKED_FOR, MaintenanceWindow
from sentry.domain.wall_time import EPOCH
from sentry.ports import Clock, MaintenanceBook

CONFIGURED = "configuration/"
"""What the keys of windows begin with that the configuration announces; those of people are numbers."""

FORESEEN = timedelta(days=100)
"""How far a calendar reaches; it is made anew when what is left of it is shorter than the longest month."""

LEFT_AT_LEAST = timedelta(days=45)
ATTEMPTS = 5

Build = Callable[[], Iterable[Revision]]


class Maintenance:
    """Adds to what was said of windows, and knows what follows from it.

    Attributes:
        calendar: the work at every site; as of the last `refresh`.
        windows: every window by its key, in the order in which they were announced; as of the last `refresh`.
    """

    def __init__(self, book: MaintenanceBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._read = 0
        self._saying = asyncio.Lock()
        self.calendar = Calendar((), EPOCH)
        self.windows: Mapping[str, AnnouncedWindow] = {}

    async def refresh(self) -> bool:
        """Reads what was said since, also by other processes; returns whether the calendar is another one now.

        Raises:
            StoreUnavailable: what was known stays.
        """
        if await self._book.count() == self._read and self._clock.now() + LEFT_AT_LEAST < self.calendar.before:
            return False
        revisions = await self._book.revisions()
        before = self._clock.now() + FORESEEN
        # Beside the loop: a window of ten thousand sites takes a while.
        self.calendar = await asyncio.to_thread(Calendar, revisions, before)
        self.windows = windows_of(revisions)
        self._read = len(revisions)
        return True

    async def announce(self, plan: MaintenanceWindow, author: str, scope: Scope) -> AnnouncedWindow:
        """Announces a window.

        Raises:
            NotFound: it is about no site that there is.
            TransitionRefused: it is over.
        """
        plan = _in_zone(plan, scope)
        unknown = sorted(set(plan.sites) - {one.site for one in scope.subjects})
        members = scope.members(plan)
        if unknown or not members:
            raise NotFound(f"there is no such site: {', '.join(unknown[:20]) or 'nothing of what is named has one'}")
        self._require_future(plan)
        key = ""

        def build() -> Iterator[Revision]:
            nonlocal key
            key = str(1 + max((int(one) for one in self.windows if one.isdigit()), default=0))
            yield Revision(key, 0, self._clock.now(), author, plan, members)

        await self._say(build)
        return self.windows[key]

    async def change(
        self, key: str, author: str, changed: Callable[[MaintenanceWindow], MaintenanceWindow]
    ) -> AnnouncedWindow:
        """Changes a window of people; what is over of it stays as it was.

        Raises:
            NotFound: there is no such window.
            TransitionRefused: it is over, cancelled, or of the configuration; or what it becomes would be over.
        """

        def build() -> Iterator[Revision]:
            window = self._own(key)
            plan = changed(window.plan)
            self._require_future(plan)
            yield self._next(window, author, plan)

        await self._say(build)
        return self.windows[key]

    async def cancel(self, key: str, author: str) -> AnnouncedWindow:
        """Cancels a window of people; what is over of it stays as it was.

        Raises:
            NotFound: there is no such window.
            TransitionRefused: it is over, cancelled, or of the configuration.
        """
        await self._say(lambda: [self._next(self._own(key), author, None)])
        return self.windows[key]

    async def follow(self, configured: Mapping[str, MaintenanceWindow], scope: Scope) -> None:
        """Announces what the configuration says from now on, and tells windows of sites that came or went.

        Args:
            configured: the configuration's windows by their keys.
            scope: the sites that are configured.
        """
        plans = {f"{CONFIGURED}{key}": _in_zone(plan, scope) for key, plan in configured.items()}
        await self._say(lambda: self._followed(plans, scope))

    def _followed(self, plans: Mapping[str, MaintenanceWindow], scope: Scope) -> Iterator[Revision]:
        now = self._clock.now()
        for key, plan in plans.items():
            known = self.windows.get(key)
            if known is None:
                yield Revision(key, 0, now, "configuration", plan, scope.members(plan))
            elif known.cancelled or known.plan != plan:
                yield self._next(known, "configuration", plan, scope)
        for window in self.windows.values():
            if window.cancelled or (window.key in plans and plans[window.key] != window.plan):
                continue
            if window.key.startswith(CONFIGURED) and window.key not in plans:
                yield self._next(window, "configuration", None)
            elif window.next_occurrence(now) and window.sites != scope.members(window.plan).keys():
                yield self._next(window, "configuration", window.plan, scope)

    def _next(
        self, window: AnnouncedWindow, author: str, plan: MaintenanceWindow | None, scope: Scope | None = None
    ) -> Revision:
        """What is said next of a window; its sites stay who they are where no scope is given."""
        members = scope.members(plan) if scope and plan else {}
        standing = frozenset[str]() if window.cancelled else window.sites
        return Revision(
            window=window.key,
            sequence=window.sequence + 1,
            at=max(self._clock.now(), window.changed_at),  # a clock that was set back does not reorder what was said
            author=author,
            plan=plan,
            joined={site: notice for site, notice in members.items() if site not in standing},
            left=tuple(sorted(standing - members.keys())) if scope else (),
        )

    async def _say(self, build: Build) -> None:
        async with self._saying:
            for _ in range(ATTEMPTS):
                await self.refresh()
                try:
                    await self._book.add(list(build()))
                except StoreConflict:
                    continue  # another process spoke first: look at what it said, and say it again
                await self.refresh()
                return
        raise StoreUnavailable("the maintenance windows are being changed by others; try again")

    def _own(self, key: str) -> AnnouncedWindow:
        window = self.windows.get(key)
        if window is None:
            raise NotFound(f"there is no maintenance window '{key[:80]}'; `maintenance list` shows those there are")
        if key.startswith(CONFIGURED):
            raise TransitionRefused(f"the configuration announces {key}; change it there and reload")
        if window.cancelled:
            raise TransitionRefused(f"maintenance window {key} is cancelled already")
        self._require_future(window.plan)
        return window

    def _require_future(self, plan: MaintenanceWindow) -> None:
        now: datetime = self._clock.now()
        if next(plan.occurrences(now, now + LOOKED_FOR), None) is None:
            raise TransitionRefused("this window is over, and what is past is not announced or changed any more")


def _in_zone(plan: MaintenanceWindow, scope: Scope) -> MaintenanceWindow:
    """Keeps with the window the zone that is meant now, so that another one of the agency does not move it."""
    return plan if plan.zone else plan.model_copy(update={"zone": scope.zone})
