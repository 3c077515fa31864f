"""Local days and months as spans of minutes: right over DST, skipped days and odd offsets, in every IANA zone.

A day (and so a month) begins at the first instant at which the local calendar shows its date. Each span ends where
the next begins, so days and months tile the time line without gap or overlap whatever a zone does to its clocks.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sentry.domain.wall_time import EPOCH, instant_of, local_second

FIRST_YEAR = 1970
LAST_YEAR = 9998
_ONE_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, without a zone."""

    year: int
    month: int

    def __str__(self) -> str:
        """Returns `YYYY-MM`."""
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def next(self) -> "Month":
        """The month after this one."""
        return Month(self.year + 1, 1) if self.month == 12 else Month(self.year, self.month + 1)  # noqa: PLR2004  # December

    @property
    def previous(self) -> "Month":
        """The month before this one."""
        return Month(self.year - 1, 12) if self.month == 1 else Month(self.year, self.month - 1)

    @property
    def first_day(self) -> date:
        """The first date of the month."""
        return date(self.year, self.month, 1)

    def days(self) -> tuple[date, ...]:
        """Returns every date of the month."""
        count = (self.next.first_day - self.first_day).days
        return tuple(self.first_day + timedelta(days=number) for number in range(count))

    def minutes(self, zone: ZoneInfo) -> tuple[int, int]:
        """Returns the month's first minute in a zone, and the minute after its last."""
        return day_start(self.first_day, zone), day_start(self.next.first_day, zone)


def parse_month(text: str) -> Month:
    """Reads `YYYY-MM`.

    Raises:
        ValueError: it is no such month; the message says what is wrong and shows a right one.
    """
    found = re.fullmatch(r"([0-9]{4})-([0-9]{2})", text)
    if found is None:
        raise ValueError(f"'{text[:40]}' is no month: write YYYY-MM, for example 2026-11")
    year, month = int(found[1]), int(found[2])
    if not 1 <= month <= 12:  # noqa: PLR2004  # months of a year
        raise ValueError(f"'{text}' has no month {found[2]}: months run from 01 to 12")
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"'{text}' is out of range: years run from {FIRST_YEAR} to {LAST_YEAR}")
    return Month(year, month)


def month_minutes(year: int, month: int, zone: ZoneInfo) -> tuple[int, int]:
    """Returns the first minute of a local month, and the minute after its last, as minutes since the epoch.

    Args:
        year: 1970 to 9998.
        month: 1 to 12.
        zone: the zone whose calendar is meant.
    """
    return Month(year, month).minutes(zone)


@lru_cache(maxsize=4096)  # ten thousand sites ask for the same few months again and again
def day_start(day: date, zone: ZoneInfo) -> int:
    """Returns the minute at which a local date begins.

    Where midnight does not exist (clocks go forward at midnight, or the whole day is skipped) it is the first minute
    after the gap; where it comes twice it is the first one. Offsets with seconds (before 1972) are rounded up.
    """
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001  # a wall time; its zone is beside it
    return -(-_seconds(instant_of(midnight, zone)) // 60)


def minute_of(instant: datetime) -> int:
    """Returns the minute in which an aware instant lies."""
    return _seconds(instant) // 60


def local_time(minute: int, zone: ZoneInfo) -> datetime:
    """Returns the local wall time, aware, at which a minute begins."""
    return local_second(minute * 60, zone)


@lru_cache(maxsize=256)  # as above, for one minute at a time
def month_of(minute: int, zone: ZoneInfo) -> Month:
    """Returns the month that holds a minute."""
    local = local_time(minute, zone)
    month = Month(local.year, local.month)
    # Clocks that went back over midnight show the old month again within the new one (St John's, 1 Nov 2009).
    return month.next if minute >= month.minutes(zone)[1] else month


def _seconds(instant: datetime) -> int:
    return (instant.astimezone(UTC) - EPOCH) // _ONE_SECOND
