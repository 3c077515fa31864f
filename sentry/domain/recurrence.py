"""Which local days a recurrence rule names: the part of RFC 5545's RRULE that maintenance windows need.

What is not understood is refused and never guessed: a rule that is read otherwise than it was meant would take the
wrong minutes out of an account.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

MAX_INTERVAL = 1_000
MAX_COUNT = 10_000
MAX_CHARACTERS = 500
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
UNDERSTOOD = "FREQ (DAILY, WEEKLY or MONTHLY), INTERVAL, BYDAY, BYMONTHDAY, COUNT and UNTIL"
_ONE_DAY = timedelta(days=1)


class Frequency(StrEnum):
    """How far the periods of a rule lie apart."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"


@dataclass(frozen=True, slots=True)
class RecurrenceRule:
    """A rule, taken apart.

    Attributes:
        interval: every so many days, weeks (from Monday) or months.
        by_day: (ordinal, weekday from Monday = 0); ordinal 0 means each of them, -1 the last of the month.
        by_month_day: days of the month; -1 is its last.
        count: how many days the rule names at most; until: the last local day, or the last instant (aware UTC).
    """

    frequency: Frequency
    interval: int = 1
    by_day: tuple[tuple[int, int], ...] = ()
    by_month_day: tuple[int, ...] = ()
    count: int | None = None
    until: date | datetime | None = None

    def days(self, first: date, last: date) -> Iterator[date]:
        """Returns the days that the rule names, in order; an `until` that is an instant is left to the caller.

        Args:
            first: day from which the rule counts; it is named only where the rule fits it.
            last: where to stop looking.
        """
        if self.until is not None and not isinstance(self.until, datetime):
            last = min(last, self.until)
        named = 0
        day = first
        while day <= last and named != self.count:
            if self._is_named(day, first):
                named += 1
                yield day
            day += _ONE_DAY

    def _is_named(self, day: date, first: date) -> bool:
        return (
            self._period(day, first) % self.interval == 0
            and (not self.by_month_day or _fits_month_day(day, self.by_month_day))
            and (not self.by_day or _fits_weekday(day, self.by_day))
            and (self.by_day != () or self.by_month_day != () or self._fits_first(day, first))
        )

    def _period(self, day: date, first: date) -> int:
        """How many periods after the first one a day lies."""
        if self.frequency is Frequency.DAILY:
            return (day - first).days
        if self.frequency is Frequency.WEEKLY:
            return (day.toordinal() - 1) // 7 - (first.toordinal() - 1) // 7  # the ordinal 1 was a Monday
        return (day.year - first.year) * 12 + day.month - first.month

    def _fits_first(self, day: date, first: date) -> bool:
        """A rule that names no day means that of the first: its weekday, or its day of the month."""
        if self.frequency is Frequency.WEEKLY:
            return day.weekday() == first.weekday()
        return self.frequency is Frequency.DAILY or day.day == first.day


def parse_rule(text: str) -> RecurrenceRule:
    """Reads a rule such as `FREQ=WEEKLY;BYDAY=TU`.

    Raises:
        ValueError: it is none, or it uses a part that is not understood; the message says which.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"a rule has at most {MAX_CHARACTERS} characters")
    parts = _parts(text)
    unknown = parts.keys() - {"FREQ", *_READERS}
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))[:60]} is not understood; use {UNDERSTOOD}")
    frequency = parts.pop("FREQ", "")
    if frequency not in set(Frequency):
        raise ValueError(f"FREQ must be one of {', '.join(Frequency)}, e.g. FREQ=WEEKLY;BYDAY=TU")
    values = {_READERS[name][0]: _READERS[name][1](name, value) for name, value in parts.items()}
    rule = RecurrenceRule(Frequency(frequency), **values)
    _check(rule)
    return rule


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.strip().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        name = name.strip().upper()
        if not equals or not value.strip():
            raise ValueError(f"'{part[:40]}' is no NAME=VALUE; write a rule like FREQ=WEEKLY;BYDAY=TU")
        if name in parts:
            raise ValueError(f"{name[:20]} stands twice; keep one")
        parts[name] = value.strip().upper()
    return parts


def _check(rule: RecurrenceRule) -> None:
    if rule.count is not None and rule.until is not None:
        raise ValueError("COUNT and UNTIL exclude each other; keep one")
    if rule.frequency is not Frequency.MONTHLY and any(ordinal for ordinal, _ in rule.by_day):
        raise ValueError("a BYDAY with a number (2TU, -1FR) needs FREQ=MONTHLY")
    if rule.frequency is Frequency.WEEKLY and rule.by_month_day:
        raise ValueError("BYMONTHDAY does not go with FREQ=WEEKLY; use FREQ=MONTHLY")


def _number(name: str, value: str, most: int) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= len(str(most)) and 1 <= int(value) <= most):
        raise ValueError(f"{name} must be a whole number from 1 to {most}")
    return int(value)


def _interval(name: str, value: str) -> int:
    return _number(name, value, MAX_INTERVAL)


def _count(name: str, value: str) -> int:
    return _number(name, value, MAX_COUNT)


def _by_day(name: str, value: str) -> tuple[tuple[int, int], ...]:
    days = []
    for one in value.split(","):
        found = re.fullmatch(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)", one.strip())
        if found is None:
            raise ValueError(f"{name}: '{one[:10]}' is no weekday; write MO, TU, WE, TH, FR, SA, SU, or 2TU, -1FR")
        days.append((int(found[1] or 0), WEEKDAYS.index(found[2])))
    return tuple(days)


def _by_month_day(name: str, value: str) -> tuple[int, ...]:
    days = []
    for one in value.split(","):
        found = re.fullmatch(r"[+-]?([1-9]|[12][0-9]|3[01])", one.strip())
        if found is None:
            raise ValueError(f"{name}: '{one[:10]}' is no day of a month; write 1 to 31, or -1 for the last")
        days.append(int(one))
    return tuple(days)


def _until(name: str, value: str) -> date | datetime:
    form = "%Y%m%dT%H%M%SZ" if "T" in value else "%Y%m%d"
    if not re.fullmatch(r"[0-9]{8}(T[0-9]{6}Z)?", value):
        raise ValueError(f"{name} must be a local day like 20261231, or an instant like 20261231T225900Z")
    try:
        read = datetime.strptime(value, form).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{name}: there is no day or time '{value[:20]}'") from None
    return read if "T" in value else read.date()


_READERS: Mapping[str, tuple[str, Callable[[str, str], Any]]] = {
    "INTERVAL": ("interval", _interval),
    "BYDAY": ("by_day", _by_day),
    "BYMONTHDAY": ("by_month_day", _by_month_day),
    "COUNT": ("count", _count),
    "UNTIL": ("until", _until),
}


def _fits_weekday(day: date, by_day: tuple[tuple[int, int], ...]) -> bool:
    from_start = (day.day - 1) // 7 + 1
    from_end = -((_month_length(day) - day.day) // 7 + 1)
    return any(weekday == day.weekday() and ordinal in {0, from_start, from_end} for ordinal, weekday in by_day)


def _fits_month_day(day: date, by_month_day: tuple[int, ...]) -> bool:
    return day.day in by_month_day or day.day - _month_length(day) - 1 in by_month_day


def _month_length(day: date) -> int:
    following = day.replace(day=28) + timedelta(days=4)
    return (following - timedelta(days=following.day)).day
