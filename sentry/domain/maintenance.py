"""Maintenance windows: when work is announced, and which of its minutes the contract takes out of the account.

Whatever is said of a window is a revision that is added to its history. A minute is judged by the revisions that
were known when it began, so nothing that is written later changes what a minute has counted as:

- Planned work that was announced `notice_h` hours before it begins is taken out of the account.
- Work that was announced later counts as it was seen, and so does each minute after the end of a window.
- A longer window: what was announced before stays; the minutes that are new need notice of their own.
- A shorter or cancelled window: the minutes that were given back count as they are seen.
- An emergency (a disinfection, a leak) is never taken out: it is announced, approved, and counts as it was seen.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from sentry.domain.model import StrictModel
from sentry.domain.recurrence import RecurrenceRule, parse_rule
from sentry.domain.site import Key, ZoneName
from sentry.domain.wall_time import EPOCH, instant_of

LONGEST_MIN = 7 * 24 * 60
"""A week: what is longer is no maintenance, and needs another agreement."""

LOOKED_FOR = timedelta(days=3_660)
"""A recurring window that does not take place within ten years is a mistake."""

_MINUTE = timedelta(minutes=1)


class WorkKind(StrEnum):
    """Why there is a window."""

    PLANNED = "planned"
    EMERGENCY = "emergency"


def _wall_time(value: datetime) -> datetime:
    if value.tzinfo is not None:
        raise ValueError("is a local time; leave out Z or +01:00, and name the zone in 'zone'")
    if value.second or value.microsecond:
        raise ValueError("is a time to the minute, e.g. 2026-12-01T02:00")
    if not 1971 <= value.year <= 9997:  # noqa: PLR2004  # years in which every zone has an instant for it
        raise ValueError("is in no year from 1971 to 9997")
    return value


def _rule(text: str) -> str:
    parse_rule(text)
    return text


WallTime = Annotated[datetime, AfterValidator(_wall_time)]


class MaintenanceWindow(StrictModel):
    """Work that is announced: when, at which sites, and why."""

    reason: str = Field(
        min_length=1, max_length=500, description="What is done, in words for the client; pages and reports show it."
    )
    starts_at: WallTime = Field(
        description="Local date and time at which it begins, e.g. 2026-12-01T02:00; of a recurring window, the first."
    )
    ends_at: WallTime | None = Field(None, description="Local date and time of its end; or give `duration_min`.")
    duration_min: int | None = Field(
        None, ge=1, le=LONGEST_MIN, description="How long it lasts, minutes of real time, also when clocks change."
    )
    rrule: Annotated[str, AfterValidator(_rule)] | None = Field(
        None, description="When it comes again, as RFC 5545 writes it, e.g. FREQ=WEEKLY;BYDAY=TU; once when absent."
    )
    except_dates: tuple[date, ...] = Field(
        (), max_length=500, description="Local dates on which a recurring window does not take place."
    )
    zone: ZoneName | None = Field(None, description="Zone of these times; the agency's when absent.")
    sites: tuple[Key, ...] = Field((), max_length=10_000, description="Keys of sites that it is about.")
    hosts: tuple[Key, ...] = Field((), max_length=1_000, description="Keys of `hosts`: every site on one of them.")
    clients: tuple[Key, ...] = Field((), max_length=10_000, description="Keys of `clients`: all of their sites.")
    all_sites: bool = Field(default=False, description="Every site.")
    kind: WorkKind = Field(
        WorkKind.PLANNED,
        description="planned, or emergency: an emergency counts as it was seen, whenever it was announced.",
    )
    cause: str | None = Field(None, min_length=1, max_length=500, description="What made an emergency necessary.")
    approver: str | None = Field(None, min_length=1, max_length=200, description="Who approved of an emergency.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.ends_at is None) == (self.duration_min is None):
            raise ValueError("give 'ends_at' or 'duration_min', one of them")
        if self.ends_at is not None and self.rrule is not None:
            raise ValueError("a recurring window needs 'duration_min' in place of 'ends_at'")
        if self.ends_at is not None and not timedelta() < self.ends_at - self.starts_at <= LONGEST_MIN * _MINUTE:
            raise ValueError("'ends_at' must be later than 'starts_at', by a week at most")
        if self.except_dates and self.rrule is None:
            raise ValueError("'except_dates' belongs to a recurring window; add 'rrule' or leave it out")
        if not (self.all_sites or self.sites or self.hosts or self.clients):
            raise ValueError("say what it is about: 'sites', 'hosts' or 'clients', or 'all_sites: true'")
        if self.kind is WorkKind.EMERGENCY and (self.cause is None or self.approver is None):
            raise ValueError("an emergency needs its 'cause' and its 'approver'")
        if next(self.occurrences(EPOCH, EPOCH.replace(year=self.starts_at.year) + LOOKED_FOR), None) is None:
            raise ValueError("there is no such time: the window would never take place")
        return self

    @property
    def rule(self) -> RecurrenceRule | None:
        """When it comes again."""
        return parse_rule(self.rrule) if self.rrule else None

    def is_about(self, *, site: str, host: str | None, client: str) -> bool:
        """Returns whether a site of these is meant."""
        return self.all_sites or site in self.sites or host in self.hosts or client in self.clients

    def occurrences(self, after: datetime, before: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Returns each time that the work takes place, as [begin, end) in UTC, in order of their begin.

        The begin is what the clock on the wall shows, the duration is real time. A begin that does not exist on the
        night on which clocks go forward is the first instant after the gap; one that comes twice is the first.

        Args:
            after: only what ends later than this.
            before: only what begins earlier than this.
        """
        zone, rule = ZoneInfo(self.zone or "UTC"), self.rule
        ends = rule.until if rule and isinstance(rule.until, datetime) else None
        for day in self._days(rule, (before + timedelta(days=2)).date()):
            begin = instant_of(datetime.combine(day, self.starts_at.time()), zone)
            if begin >= before or (ends and begin > ends):
                return
            end = self._end(begin, zone)
            if max(begin, after) < end:
                yield begin, end

    def _days(self, rule: RecurrenceRule | None, last: date) -> Iterator[date]:
        first = self.starts_at.date()
        if rule is None:
            yield first
            return
        yield from (day for day in rule.days(first, last) if day not in self.except_dates)

    def _end(self, begin: datetime, zone: ZoneInfo) -> datetime:
        if self.ends_at is not None:
            return instant_of(self.ends_at, zone)
        return begin + (self.duration_min or 0) * _MINUTE


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


class Calendar:
    """All announced work of all sites, as far as it can be foreseen.

    Attributes:
        before: what begins later is not in it.
    """

    def __init__(self, revisions: Iterable[Revision], before: datetime) -> None:
        self.before = before
        self._work: dict[str, tuple[Work, ...]] = {}
        alike: dict[tuple[tuple[str, datetime, int, float], ...], tuple[Work, ...]] = {}
        for site, changes in changes_by_site(revisions).items():
            # By identity: ten thousand sites of one window see the same plans, and are told apart by their notice.
            seen = tuple((one.window, one.at, id(one.plan), one.notice_h) for one in changes)
            if seen not in alike:
                alike[seen] = work_of(changes, before)
            self._work[site] = alike[seen]

    @property
    def sites(self) -> Iterable[str]:
        """The sites for which work is or was announced."""
        return self._work.keys()

    def of(self, site_key: str) -> tuple[Work, ...]:
        """Returns the announced work at a site, in order of time."""
        return self._work.get(site_key, ())


def excluded(pieces: Iterable[Work]) -> tuple[tuple[int, int], ...]:
    """Returns the minutes that are taken out of the account, as [start, end)."""
    return tuple((piece.start, piece.end) for piece in pieces if piece.judgement is Judgement.EXCLUDED)


def covering(pieces: Sequence[Work], minute: int) -> tuple[Work, ...]:
    """Returns the work that is announced for a minute.

    Args:
        pieces: in order of their start.
        minute: the minute.
    """
    begun = pieces[: bisect_right(pieces, minute, key=lambda piece: piece.start)]
    return tuple(piece for piece in begun if piece.end > minute)
