from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.day import CheckDay, ProbeRun
from sentry.domain.latency import steps_of, time_us
from sentry.domain.pace import HOURS, LEAST_DAYS, Pace, Yardstick, hour_of_week, learned
from sentry.domain.result import Status

MADRID = ZoneInfo("Europe/Madrid")
MONDAY = 20_759  # 2 November 2026
MINUTES = 1440


def day_of(step: int, *, busy: int | None = None, hours: range = range(0), status: Status = Status.UP) -> CheckDay:
    """A day that always takes the same, and another time in some of its UTC hours."""
    steps = bytes(busy if busy is not None and minute // 60 in hours else step for minute in range(MINUTES))
    return CheckDay(runs=(ProbeRun(0, MINUTES, status),), steps=steps)


def step(milliseconds: float) -> int:
    return steps_of([round(milliseconds * 1000)])[0]


def test_learned_four_weeks_tells_the_hours_of_the_week_apart() -> None:
    """A shop that is slow each morning is usual then, and only then, as its own clocks show it."""
    days = [(MONDAY + n, day_of(step(200), busy=step(900), hours=range(8, 10))) for n in range(28)]
    pace = learned(days, MADRID)
    assert pace is not None
    assert [hour for hour in range(24) if pace.typical[hour] == step(900)] == [9, 10]  # 8 and 9 UTC in winter
    assert set(pace.typical) == {step(200), step(900)}


def test_learned_a_bad_day_moves_nothing() -> None:
    """Four weeks with one terrible day are as they were without it."""
    days = [(MONDAY + n, day_of(step(5000 if n == 3 else 200))) for n in range(28)]
    pace = learned(days, MADRID)
    assert pace is not None
    assert set(pace.typical) == {step(200)}


@pytest.mark.parametrize("days", [LEAST_DAYS - 1, 0])
def test_learned_fewer_than_two_weeks_is_nothing(days: int) -> None:
    """A new site is not told of for being new."""
    assert learned([(MONDAY + n, day_of(step(200))) for n in range(days)], MADRID) is None


def test_learned_days_without_an_answer_teach_nothing() -> None:
    """An outage of four weeks is not what is usual."""
    down = [(MONDAY + n, day_of(step(10_000), status=Status.DOWN)) for n in range(28)]
    assert learned(down, MADRID) is None


def test_learned_hour_with_too_few_probes_takes_those_of_the_week() -> None:
    """A check of one probe a day has one hour; the others are judged by the same."""
    one = CheckDay(runs=(ProbeRun(600, 601, Status.UP),), steps=bytes([step(300)]))
    pace = learned([(MONDAY + n, one) for n in range(28)], MADRID)
    assert pace is not None
    assert set(pace.typical) == {step(300)}


@given(st.integers(0, 200), st.integers(0, 55), st.sampled_from([1.5, 3.0, 10.0]))
def test_yardstick_is_never_below_the_factor_nor_half_a_second_above_the_usual(
    typical: int, above: int, factor: float
) -> None:
    """Both rules hold at every hour, within the three percent of the scale."""
    pace = Pace(bytes([typical]) * HOURS, bytes([typical + above]) * HOURS)
    yardstick = Yardstick.of(pace, factor)
    least = max(factor * time_us(typical), time_us(typical + above) + 500_000) / 1e6
    at = datetime(2026, 11, 2, tzinfo=UTC)
    longest = time_us(255) / 1e6
    assert yardstick.least_s >= min(least, longest) * 0.96
    assert yardstick.exceeded(least * 0.96, at, MADRID) is None or least > longest
    if least * 1.04 < longest:
        assert yardstick.exceeded(least * 1.04, at, MADRID) is not None


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))  # noqa: DTZ001  # made aware below
def test_hour_of_week_is_what_the_clocks_show_on_both_nights_too(naive: datetime) -> None:
    """Never outside the week, and a week later by the clocks the same hour."""
    at = naive.replace(tzinfo=UTC)
    local = at.astimezone(MADRID)
    assert hour_of_week(at, MADRID) == local.weekday() * 24 + local.hour
    assert 0 <= hour_of_week(at + timedelta(days=7), MADRID) < HOURS
