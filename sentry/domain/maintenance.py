"""Maintenance: the work that is announced for a site, and which of its minutes the contract takes out of the account.

Whatever is said of a window is a revision that is added to its history. A minute is judged by the revisions that
were known when it began, so nothing that is written later changes what a minute has counted as:

- Planned work that was announced `notice_h` hours before it begins is taken out of the account.
- Work that was announced later counts as it was seen, and so does each minute after the end of a window.
- A longer window: what was announced before stays; the minutes that are new need notice of their own.
- A shorter or cancelled window: the minutes that were given back count as they are seen.
- An emergency (a disinfection, a leak) is never taken out: it is announced, approved, and counts as it was seen.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sentry.domain.announcement import Revision
from sentry.domain.maintenance_window import MaintenanceWindow, WorkKind
from sentry.domain.wall_time import EPOCH

_MINUTE = timedelta(minutes=1)


class Judgement(StrEnum):
    """How the minutes of a window count."""

    EXCLUDED = "excluded"
    ANNOUNCED_LATE = "announced_late"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class Work:
    """Minutes [start, end) of announced work at one site, all of one announcement.

    Attributes:
        begin: the first minute of what was announced together, of which this may be a part.
        window: of which window.
        announced_at: when these minutes were announced, aware UTC.
        notice_h: how much earlier than `begin` that had to be.
    """

    start: int
    end: int
    begin: int
    window: str
    announced_at: datetime
    notice_h: float
    reason: str
    kind: WorkKind = WorkKind.PLANNED

    @property
    def judgement(self) -> Judgement:
        """How these minutes count."""
        if self.kind is WorkKind.EMERGENCY:
            return Judgement.EMERGENCY
        in_time = self.announced_at + timedelta(hours=self.notice_h) <= EPOCH + self.begin * _MINUTE
        return Judgement.EXCLUDED if in_time else Judgement.ANNOUNCED_LATE


@dataclass(frozen=True, slots=True)
class Change:
    """A revision of one window as one site sees it: `plan` is None where the window is not (any more) about it."""

    window: str
    at: datetime
    plan: MaintenanceWindow | None
    notice_h: float


def changes_by_site(revisions: Iterable[Revision]) -> dict[str, tuple[Change, ...]]:
    """Sorts the histories of all windows by the sites that they are or were about.

    Args:
        revisions: in the order in which they were said, of any number of windows.
    """
    windows: dict[str, _Members] = {}
    changes: dict[str, list[Change]] = {}
    for revision in revisions:
        members = windows.setdefault(revision.window, _Members())
        for site, change in members.changed(revision):
            changes.setdefault(site, []).append(change)
    return {site: tuple(own) for site, own in changes.items()}


class _Members:
    """The sites that a window is about, while its revisions are gone through."""

    def __init__(self) -> None:
        self._plan: MaintenanceWindow | None = None
        self._notices: dict[str, float] = {}

    def changed(self, revision: Revision) -> Iterator[tuple[str, Change]]:
        """Returns what a revision changes, by site; nothing for a site for which all stays as it was."""
        for site in revision.left:
            if self._notices.pop(site, None) is not None:
                yield site, Change(revision.window, revision.at, None, 0)
        joined = {site: notice for site, notice in revision.joined.items() if site not in self._notices}
        told = joined if revision.plan == self._plan else self._notices | joined
        self._notices |= joined
        for site, notice in told.items():
            yield site, Change(revision.window, revision.at, revision.plan, notice)
        self._plan = revision.plan
        if revision.plan is None:
            self._notices.clear()


def work_of(changes: Sequence[Change], before: datetime) -> tuple[Work, ...]:
    """Returns all announced work at one site, in order of time; pieces of different windows may overlap.

    Args:
        changes: of the site's windows, in the order in which they were said.
        before: work that begins later is left out.
    """
    by_window: dict[str, list[Change]] = {}
    for change in changes:
        by_window.setdefault(change.window, []).append(change)
    pieces = [piece for own in by_window.values() for piece in _work_of_window(own, before)]
    return tuple(sorted(pieces, key=lambda piece: (piece.start, piece.end, piece.window)))


def _work_of_window(changes: Sequence[Change], before: datetime) -> list[Work]:
    over: list[Work] = []
    to_come: list[Work] = []
    for change in changes:
        cut = minute_from(change.at)
        over += _clipped(to_come, 0, cut)
        to_come = list(_announced(change, _clipped(to_come, cut, None), cut, before))
    return over + to_come


def _announced(change: Change, known: Sequence[Work], cut: int, before: datetime) -> Iterator[Work]:
    """What is to come after a change: minutes that were announced before keep the instant at which they were."""
    plan = change.plan
    if plan is None:
        return
    reached = cut
    for begin, end in plan.occurrences(change.at, before):
        start, stop = max(minute_from(begin), reached), (end - EPOCH) // _MINUTE
        for piece in _clipped(known, start, stop):
            if piece.kind is plan.kind:
                yield from _new(change, plan, max(reached, start), piece.start)
                yield replace(piece, reason=plan.reason)
                reached = piece.end
        yield from _new(change, plan, max(reached, start), stop)
        reached = max(reached, stop)


def _new(change: Change, plan: MaintenanceWindow, start: int, end: int) -> Iterator[Work]:
    if start < end:
        yield Work(start, end, start, change.window, change.at, change.notice_h, plan.reason, plan.kind)


def _clipped(pieces: Iterable[Work], start: int, end: int | None) -> list[Work]:
    """Cuts pieces to the minutes [start, end)."""
    cut = [
        replace(piece, start=max(piece.start, start), end=piece.end if end is None else min(piece.end, end))
        for piece in pieces
    ]
    return [piece for piece in cut if piece.start < piece.end]


def minute_from(instant: datetime) -> int:
    """Returns the first whole minute that does not begin before an instant."""
    return -((EPOCH - instant) // _MINUTE)


_SiteWork = tuple[tuple[Work, ...], tuple[tuple[int, int], ...]]
_NOTHING: _SiteWork = ((), ())


class Calendar:
    """All announced work of all sites, as far as it can be foreseen.

    Attributes:
        before: what begins later is not in it.
    """

    def __init__(self, revisions: Iterable[Revision], before: datetime) -> None:
        self.before = before
        self._work: dict[str, _SiteWork] = {}
        alike: dict[tuple[tuple[str, datetime, int, float], ...], _SiteWork] = {}
        for site, changes in changes_by_site(revisions).items():
            # By identity: ten thousand sites of one window see the same plans, and are told apart by their notice.
            seen = tuple((one.window, one.at, id(one.plan), one.notice_h) for one in changes)
            if seen not in alike:
                work = work_of(changes, before)
                alike[seen] = work, excluded(work)
            self._work[site] = alike[seen]

    @property
    def sites(self) -> Iterable[str]:
        """The sites for which work is or was announced."""
        return self._work.keys()

    def of(self, site_key: str) -> tuple[Work, ...]:
        """Returns the announced work at a site, in order of time."""
        return self._work.get(site_key, _NOTHING)[0]

    def excluded(self, site_key: str) -> tuple[tuple[int, int], ...]:
        """Returns what of it is taken out of the site's account, as [start, end) minutes."""
        return self._work.get(site_key, _NOTHING)[1]


def excluded(pieces: Iterable[Work]) -> tuple[tuple[int, int], ...]:
    """Returns the minutes that are taken out of the account, as [start, end)."""
    return tuple((piece.start, piece.end) for piece in pieces if piece.judgement is Judgement.EXCLUDED)


def is_quiet(pieces: Sequence[Work], failed_at: int, now: int) -> bool:
    """Returns whether nobody is woken by a failure: it began in announced work, and that still goes on.

    Args:
        pieces: the work at the site, in order of its start.
        failed_at: the minute in which it failed first.
        now: the minute that runs.
    """
    return bool(covering(pieces, failed_at) and covering(pieces, now))


def covering(pieces: Sequence[Work], minute: int) -> tuple[Work, ...]:
    """Returns the work that is announced for a minute.

    Args:
        pieces: in order of their start.
        minute: the minute.
    """
    begun = pieces[: bisect_right(pieces, minute, key=lambda piece: piece.start)]
    return tuple(piece for piece in begun if piece.end > minute)
