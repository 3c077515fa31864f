"""What is said of maintenance windows, and by whom: revisions that are added and never rewritten."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sentry.domain.maintenance_window import LOOKED_FOR, MaintenanceWindow


@dataclass(frozen=True, slots=True)
class Revision:
    """One thing that was said of a window; a window is all of them, and none is ever rewritten.

    Attributes:
        window: which one; its first revision announces it.
        sequence: 0 for the first.
        at: when it was said, aware UTC.
        author: by whom.
        plan: what holds from then on; None: it is cancelled.
        joined: sites that it is about from then on, with the notice that was agreed for each of them, hours.
        left: sites that it is no longer about.
    """

    window: str
    sequence: int
    at: datetime
    author: str
    plan: MaintenanceWindow | None
    joined: Mapping[str, float]
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """A site as windows choose it, and the notice that was agreed for it, hours."""

    site: str
    host: str | None
    client: str
    notice_h: float


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom windows can be about: every site that is configured, and the zone of what names none."""

    subjects: tuple[Subject, ...]
    zone: str

    def members(self, plan: MaintenanceWindow) -> dict[str, float]:
        """Returns the sites that a window is about, with the notice that was agreed for each of them, hours."""
        sites, hosts, clients = frozenset(plan.sites), frozenset(plan.hosts), frozenset(plan.clients)
        return {
            one.site: one.notice_h
            for one in self.subjects
            if plan.all_sites or one.site in sites or one.host in hosts or one.client in clients
        }


@dataclass(frozen=True, slots=True)
class AnnouncedWindow:
    """A window as it stands after its last revision.

    Attributes:
        plan: what holds, or held when it was cancelled.
        announced_at: when it was first spoken of; by `author`.
        changed_at: when its last revision was made; there are `sequence` of them after the first.
        cancelled: whether it does not take place any more.
        sites: whom it is about.
    """

    key: str
    plan: MaintenanceWindow
    announced_at: datetime
    author: str
    changed_at: datetime
    sequence: int
    cancelled: bool
    sites: frozenset[str]

    def state(self, now: datetime) -> "WindowState":
        """Returns where it stands; a recurring one is announced again after each time."""
        following = self.next_occurrence(now)
        if following is None:
            return WindowState.CANCELLED if self.cancelled else WindowState.OVER
        return WindowState.RUNNING if following[0] <= now else WindowState.ANNOUNCED

    def next_occurrence(self, now: datetime) -> tuple[datetime, datetime] | None:
        """Returns when it takes place next, or does now, as [begin, end); None where it never will."""
        return None if self.cancelled else next(self.plan.occurrences(now, now + LOOKED_FOR), None)


class WindowState(StrEnum):
    """Where a window stands."""

    ANNOUNCED = "announced"
    RUNNING = "running"
    OVER = "over"
    CANCELLED = "cancelled"


def windows_of(revisions: Iterable[Revision]) -> dict[str, AnnouncedWindow]:
    """Returns every window as it stands, by its key, in the order in which they were announced."""
    windows: dict[str, AnnouncedWindow] = {}
    for revision in revisions:
        known = windows.get(revision.window)
        plan = revision.plan or (known.plan if known else None)
        if plan is None:
            continue  # a window that was cancelled before it was announced says nothing
        sites = known.sites if known and not known.cancelled else frozenset()
        windows[revision.window] = AnnouncedWindow(
            key=revision.window,
            plan=plan,
            announced_at=known.announced_at if known else revision.at,
            author=known.author if known else revision.author,
            changed_at=revision.at,
            sequence=revision.sequence,
            cancelled=revision.plan is None,
            sites=(sites - set(revision.left)) | revision.joined.keys(),
        )
    return windows
