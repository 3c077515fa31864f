"""The day on which a budget runs out."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.budget import Budget, budget_of
from sentry.domain.forecast import FORECAST_WINDOWS, forecast, pace
from sentry.domain.ledger import MinuteState, Run, clip, totals

TARGET = Fraction(997, 1000)
MONTH = 43_200  # 30 days: 129.6 minutes
UP, DOWN, UNKNOWN, MAINTENANCE = (
    MinuteState.UP,
    MinuteState.DOWN,
    MinuteState.UNKNOWN,
    MinuteState.MAINTENANCE,
)


def month(until: int, *others: Run) -> tuple[Budget, list[Run]]:
    """A month up to a minute, up but for the others."""
    runs, reached = [], 0
    for other in others:
        runs += [Run(reached, other.start, UP), other]
        reached = other.end
    runs = [run for run in (*runs, Run(reached, until, UP)) if run.minutes]
    return budget_of(runs, TARGET, 0, MONTH, until), runs


@pytest.mark.promise("001-24")
def test_forecast_of_a_week_with_70_minutes_down_runs_out_before_the_month_does() -> None:
    """Ten minutes a day leave 59.6 minutes for just under six days."""
    until = 7 * 1440
    budget, runs = month(until, Run(until - 2000, until - 1930, DOWN))
    found = forecast(budget, runs, runs)
    assert found["24h"] is None
    assert found["7d"] == until + 8583 - 1  # 59.6 minutes at 70 of 10,080: 8,582.4 minutes


@pytest.mark.promise("001-24")
def test_forecast_without_a_minute_down_lately_is_not_this_month() -> None:
    """What went before does not matter to a pace."""
    budget, runs = month(20_000, Run(100, 160, DOWN))
    assert forecast(budget, runs, clip(runs, 20_000 - 10_080, 20_000)) == {"24h": None, "7d": None}


def test_forecast_of_a_site_that_is_down_now_runs_out_when_the_minutes_do() -> None:
    """Down for the whole last day: the budget went long ago, with its 130th minute."""
    budget, runs = month(10_000, Run(10_000 - 1440, 10_000, DOWN))
    assert forecast(budget, runs, runs) == dict.fromkeys(FORECAST_WINDOWS, 10_000 - 1440 + 129)


def test_forecast_beyond_the_end_of_the_month_is_not_this_month() -> None:
    """The last minute of the month may be the one; the first of the next one is not."""
    until = MONTH - 1000
    budget = budget_of([Run(0, until, UP)], TARGET, 0, MONTH, until)
    spent = Budget(TARGET, 0, MONTH, until, totals([Run(0, until - 129, UP), Run(until - 129, until, DOWN)]))
    recent = [Run(until - 10_080, until - 6, UP), Run(until - 6, until, DOWN)]
    found = forecast(spent, recent, recent)
    assert found == {"24h": until + 144 - 1, "7d": None}  # 0.6 minutes at 6 of 1,440, or at 6 of 10,080: 1,008
    assert forecast(budget, recent, recent)["24h"] is None


def test_pace_counts_only_minutes_that_were_seen() -> None:
    """An agent that was away, and work that was announced, say nothing of a pace."""
    runs = [Run(0, 100, UNKNOWN), Run(100, 200, MAINTENANCE), Run(200, 290, UP), Run(290, 300, DOWN)]
    assert pace(runs, 300, 300) == Fraction(10, 100)
    assert pace(runs[:2], 200, 200) == 0


@given(
    st.integers(1, MONTH), st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 60)), max_size=8), st.booleans()
)
def test_forecast_any_month_is_the_first_minute_with_nothing_left(
    until: int, gaps: list[tuple[int, int]], long_ago: bool
) -> None:
    """Going on at the pace, something is left before that minute and nothing after it; counted one by one if past."""
    others, reached = [], 0
    for gap, length in gaps:
        start, end = reached + gap, min(reached + gap + length, until)
        if start < end:
            others.append(Run(start, end, DOWN))
            reached = end
    budget, runs = month(until, *others)
    recent = [Run(until - 10_080, 0, DOWN if long_ago else UP), *runs] if until < 10_080 else runs
    for name, minute in forecast(budget, runs, recent).items():
        if budget.spent and budget.left <= 0:
            assert minute is not None
            assert totals(clip(runs, 0, minute)).down < budget.allowed <= totals(clip(runs, 0, minute + 1)).down
            continue
        share = pace(recent, until, FORECAST_WINDOWS[name])
        if minute is None:
            assert not share or until == MONTH or budget.left > share * (MONTH - until)
        else:
            assert budget.left > share * (minute - until)
            assert budget.left <= share * (minute + 1 - until)
