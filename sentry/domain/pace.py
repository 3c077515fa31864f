"""How long a check usually takes, by hour of the week in its site's zone, and when it takes too long.

A time is too long where it is longer than `factor` times the median of its hour, and by half a second longer than
what nine of ten probes of that hour did not exceed: a site whose times vary is not told of for varying, and one that
answers in 20 ms may take 200. Medians and ninths of ten do not move for a bad night.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sentry.domain.day import CheckDay
from sentry.domain.latency import steps_of, time_us
from sentry.domain.result import Status

HOURS = 168
LEARN_DAYS = 28
"""Days that are looked back: each hour of the week four times."""

LEAST_DAYS = 14
"""Days with probes below which nothing is said of what is usual."""

LEAST_PROBES = 12
"""Probes of an hour of the week below which the whole week speaks for it."""

EXTRA_US = 500_000
SLOW_PROBES = 3
"""So many probes in a row must be slow before one is told: a single one is chance."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ANSWERED = frozenset({Status.UP, Status.DEGRADED})


@dataclass(frozen=True, slots=True)
class Pace:
    """What is usual, as steps of the scale of `latency`, one byte for each hour of the week from Monday 0:00 on.

    Attributes:
        typical: the median; usual: what nine of ten did not exceed.
    """

    typical: bytes
    usual: bytes


@dataclass(frozen=True, slots=True)
class Yardstick:
    """A pace made ready to measure results by.

    Attributes:
        factor: how many times the median is too long.
        limits: the longest time that is not too long, by hour of the week, as steps.
        least_s: a time up to this is not too long at any hour.
    """

    pace: Pace
    factor: float
    limits: bytes
    least_s: float

    @classmethod
    def of(cls, pace: Pace, factor: float) -> "Yardstick":
        """Makes a pace ready for a factor."""
        times = zip(map(time_us, pace.typical), map(time_us, pace.usual), strict=True)
        limits_us = [max(round(factor * typical), usual + EXTRA_US) for typical, usual in times]
        limits = steps_of(limits_us)
        return cls(pace, factor, limits, min(map(time_us, limits)) / 1e6)

    def exceeded(self, took_s: float, at: datetime, zone: ZoneInfo) -> tuple[float, float] | None:
        """Returns the median and the limit of an hour, seconds, where a time is too long for it."""
        hour = hour_of_week(at, zone)
        limit_s = time_us(self.limits[hour]) / 1e6
        return (time_us(self.pace.typical[hour]) / 1e6, limit_s) if took_s > limit_s else None


def hour_of_week(at: datetime, zone: ZoneInfo) -> int:
    """Returns the hour of the week of an instant, 0 to 167, as the clocks of a zone show it."""
    local = at.astimezone(zone)
    return local.weekday() * 24 + local.hour


def learned(days: Iterable[tuple[int, CheckDay]], zone: ZoneInfo) -> Pace | None:
    """Learns what is usual.

    Args:
        days: a check's days, each with its number.
        zone: of the hours.

    Returns:
        None where fewer than `LEAST_DAYS` days have answered probes.
    """
    by_hour: list[list[int]] = [[] for _ in range(HOURS)]
    seen = 0
    for number, day in days:
        hours = _hours_of(number, zone)
        before = sum(map(len, by_hour))
        for minute, steps in _answered(day):
            by_hour[hours[minute // 60]] += steps
        seen += sum(map(len, by_hour)) > before
    if seen < LEAST_DAYS:
        return None
    week = sorted(step for steps in by_hour for step in steps)
    told = [sorted(steps) if len(steps) >= LEAST_PROBES else week for steps in by_hour]
    return Pace(bytes(_at(steps, 0.5) for steps in told), bytes(_at(steps, 0.9) for steps in told))


def _at(ordered: Sequence[int], share: float) -> int:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _hours_of(day: int, zone: ZoneInfo) -> list[int]:
    """The hour of the week of each hour of a UTC day, told at its middle."""
    begin = _EPOCH + timedelta(days=day, minutes=30)
    return [hour_of_week(begin + timedelta(hours=hour), zone) for hour in range(24)]


def _answered(day: CheckDay) -> Iterator[tuple[int, bytes]]:
    """Yields the steps of answered probes with the minute of the first, never across a full hour."""
    place = 0
    for run in day.runs:
        minute = run.start
        while minute < run.end:
            end = min(run.end, (minute // 60 + 1) * 60)
            if run.status in _ANSWERED:
                yield minute, day.steps[place : place + end - minute]
            place += end - minute
            minute = end
