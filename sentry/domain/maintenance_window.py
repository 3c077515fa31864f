"""A maintenance window: when work takes place, once or again and again, at which sites, and why."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

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


def wall_time(value: object) -> datetime:
    """Reads a local date and time, to the minute.

    Raises:
        ValueError: it is none; the message says how to write one.
    """
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        read = None
    if not isinstance(read, datetime):
        raise ValueError("must be a local date and time like 2026-12-01T02:00")  # noqa: TRY004  # pydantic takes this
    _check_wall_time(read)
    return read


def _check_wall_time(value: datetime) -> None:
    if value.tzinfo is not None:
        raise ValueError("is a local time; leave out Z or +01:00, and name the zone in 'zone'")
    if value.second or value.microsecond:
        raise ValueError("is a time to the minute, e.g. 2026-12-01T02:00")
    if not 1971 <= value.year <= 9997:  # noqa: PLR2004  # years in which every zone has an instant for it
        raise ValueError("is in no year from 1971 to 9997")


def _rule(text: str) -> str:
    parse_rule(text)
    return text


WallTime = Annotated[datetime, BeforeValidator(wall_time, json_schema_input_type=str)]


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

    def ending(self, *, ends_at: str | None = None, duration_min: int | None = None) -> "MaintenanceWindow":
        """Returns the same window with another end, one of the two.

        Raises:
            ValueError: it cannot be; the message says why.
        """
        return window_of(self.model_dump() | {"ends_at": ends_at, "duration_min": duration_min})

    @property
    def rule(self) -> RecurrenceRule | None:
        """When it comes again."""
        return parse_rule(self.rrule) if self.rrule else None

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


def window_of(given: Mapping[str, object]) -> MaintenanceWindow:
    """Makes a window of what a person gave.

    Raises:
        ValueError: it cannot be used; the message names every mistake.
    """
    try:
        return MaintenanceWindow.model_validate(given)
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False)
        said = [(".".join(map(str, one["loc"])), _sentence(one["msg"])) for one in mistakes]
    raise ValueError("; ".join(f"{where}: {what}" if where else what for where, what in said))


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")
