from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.budget import Budget, Verdict, budget_of, burn_rate, floored, floored_percent
from sentry.domain.ledger import CheckRuns, MinuteState, Run, Totals, merge
from sentry.domain.month import month_minutes

TARGET = Fraction(997, 1000)
UP, DOWN, DEGRADED, UNKNOWN, MAINTENANCE = (
    MinuteState.UP,
    MinuteState.DOWN,
    MinuteState.DEGRADED,
    MinuteState.UNKNOWN,
    MinuteState.MAINTENANCE,
)


def month_of(minutes: int, **spent: int) -> Budget:
    """A whole month of so many minutes; what is not told was up."""
    return Budget(TARGET, 0, minutes, minutes, Totals(up=minutes - sum(spent.values()), **spent))


@pytest.mark.promise("001-23", "001-24")
@pytest.mark.parametrize(
    ("zone", "year", "month", "minutes", "allowed", "last_met"),
    [
        ("Europe/Madrid", 2026, 2, 40_320, "120.96", 120),
        ("Europe/Madrid", 2026, 6, 43_200, "129.6", 129),
        ("Europe/Madrid", 2026, 3, 44_580, "133.74", 133),
        ("Europe/Madrid", 2026, 10, 44_700, "134.1", 134),
        ("America/Bogota", 2026, 10, 44_640, "133.92", 133),
    ],
)
def test_budget_worked_months_allow_exactly_their_minutes(
    zone: str, year: int, month: int, minutes: int, allowed: str, last_met: int
) -> None:
    """The table of the contract: the last minute that passes and the first that fails."""
    start, end = month_minutes(year, month, ZoneInfo(zone))
    for down, verdict in ((last_met, Verdict.MET), (last_met + 1, Verdict.MISSED)):
        runs = [Run(start, start + down, DOWN), Run(start + down, end, UP)]
        budget = budget_of(runs, TARGET, start, end, end)
        assert budget.span_minutes == minutes
        assert budget.allowed == Fraction(allowed)
        assert budget.verdict is verdict


def test_measured_around_the_target_is_floored_not_rounded() -> None:
    """129 of 43,200 minutes show 99.701, 130 show 99.699."""
    assert floored_percent(month_of(43_200, down=129).measured) == Decimal("99.701")
    assert floored_percent(month_of(43_200, down=130).measured) == Decimal("99.699")


@given(st.integers(1, 600_000), st.integers(1, 600_000))
def test_measured_with_a_down_minute_never_shows_100(minutes: int, down: int) -> None:
    """However long the span, one down minute is seen in the figure."""
    budget = month_of(minutes + down, down=down)
    shown = floored_percent(budget.measured)
    assert shown is not None
    assert shown < 100


@given(st.integers(1, 50_000), st.integers(0, 200), st.integers(0, 200), st.integers(0, 200))
def test_verdict_any_minutes_agrees_with_the_unrounded_shares(
    up: int, down: int, unknown: int, maintenance: int
) -> None:
    """Met means that even the worst reading keeps the promise, missed that not even the best does."""
    total = up + down + unknown + maintenance
    budget = month_of(total, down=down, unknown=unknown, maintenance=maintenance)
    assert budget.worst is not None
    assert budget.best is not None
    assert budget.measured is not None
    assert budget.worst <= budget.measured <= budget.best
    assert (budget.verdict is Verdict.MET) == (1000 * up >= 997 * (up + down + unknown))
    assert (budget.verdict is Verdict.MISSED) == (1000 * (up + unknown) < 997 * (up + down + unknown))
    assert (budget.verdict is Verdict.MISSED) == (budget.spent > budget.allowed)


@pytest.mark.promise("001-23")
def test_verdict_unknown_could_break_it_is_inconclusive() -> None:
    """100 down and 100 unknown minutes: neither met nor missed, and both ends are named."""
    budget = month_of(43_200, down=100, unknown=100)
    assert budget.verdict is Verdict.INCONCLUSIVE
    assert [floored_percent(share) for share in (budget.worst, budget.measured, budget.best)] == [
        Decimal("99.537"),
        Decimal("99.767"),
        Decimal("99.768"),
    ]


def test_budget_maintenance_leaves_numerator_and_denominator() -> None:
    """1,000 minutes of announced work leave 42,200 that count."""
    budget = month_of(43_200, down=126, maintenance=1000)
    assert budget.allowed == Fraction("126.6")
    assert budget.measured == Fraction(42_200 - 126, 42_200)
    assert budget.verdict is Verdict.MET


def test_budget_degraded_minutes_count_as_available() -> None:
    """A slow site works."""
    assert month_of(43_200, degraded=5000).measured == 1


def test_budget_nothing_seen_has_no_figure_and_is_inconclusive() -> None:
    """A month without a single known minute claims nothing."""
    budget = Budget(TARGET, 0, 0, 0, Totals())
    assert budget.measured is None
    assert floored_percent(budget.measured) is None
    assert budget.verdict is Verdict.INCONCLUSIVE


@pytest.mark.promise("001-24")
def test_budget_running_month_allows_the_whole_month_and_counts_no_future() -> None:
    """On the second day 10 minutes are spent of 129.6, and the minutes to come are neither up nor unknown."""
    budget = budget_of([Run(0, 10, DOWN), Run(10, 1440, UP)], TARGET, 0, 43_200, 1440)
    assert budget.running
    assert budget.minutes == Totals(up=1430, down=10)
    assert budget.allowed == Fraction("129.6")
    assert budget.left == Fraction("119.6")
    assert budget.verdict is Verdict.RUNNING


def test_budget_running_month_overspent_is_missed_already() -> None:
    """Nothing that is still to come can mend it."""
    budget = budget_of([Run(0, 130, DOWN), Run(130, 1440, UP)], TARGET, 0, 43_200, 1440)
    assert budget.verdict is Verdict.MISSED
    assert budget.left == Fraction("-0.4")


@pytest.mark.promise("001-24")
@pytest.mark.parametrize(
    ("down", "crossed"),
    [
        (0, ()),
        (64, ()),
        (65, (50,)),
        (97, (50,)),
        (98, (50, 75)),
        (117, (50, 75, 90)),
        (129, (50, 75, 90)),
        (130, (50, 75, 90, 100)),
    ],
)
def test_crossed_spent_minutes_reach_their_thresholds(down: int, crossed: tuple[int, ...]) -> None:
    """50, 75, 90 and 100 % of 129.6 minutes, compared exactly."""
    assert month_of(43_200, down=down).crossed == crossed


def test_crossed_all_maintenance_allows_nothing() -> None:
    """With nothing allowed nothing is crossed until a minute is down."""
    assert Budget(TARGET, 0, 10, 10, Totals(maintenance=10)).crossed == ()
    assert Budget(Fraction(1), 0, 10, 10, Totals(up=9, down=1)).crossed == (50, 75, 90, 100)


def test_budget_several_sites_are_down_in_the_union_of_their_minutes() -> None:
    """Two sites down for 10 minutes each, 4 of them together, spend 16."""
    shop = CheckRuns("shop", (Run(0, 10, DOWN), Run(10, 100, UP)), 0, 100)
    blog = CheckRuns("blog", (Run(0, 6, UP), Run(6, 16, DOWN), Run(16, 100, UP)), 0, 100)
    assert budget_of(merge([shop, blog], 0, 100), TARGET, 0, 100, 100).spent == 16


def test_burn_rate_total_outage_burns_at_333() -> None:
    """Every minute of the hour down, 0.3 % allowed."""
    assert burn_rate([Run(0, 60, DOWN)], TARGET, 60, 60) == pytest.approx(333.333, abs=0.001)


@pytest.mark.parametrize(
    ("runs", "rate"),
    [
        ([Run(0, 60, UP)], 0.0),
        ([Run(0, 57, UP), Run(57, 60, DOWN)], 3 / 60 / 0.003),
        ([Run(0, 57, UNKNOWN), Run(57, 60, DOWN)], 3 / 60 / 0.003),
        ([Run(0, 30, MAINTENANCE), Run(30, 57, UP), Run(57, 60, DOWN)], 3 / 30 / 0.003),
        ([Run(0, 60, MAINTENANCE)], 0.0),
    ],
)
def test_burn_rate_known_hours_is_share_down_over_share_allowed(runs: list[Run], rate: float) -> None:
    """Unknown minutes spend nothing; maintenance is left out of the window."""
    assert burn_rate(runs, TARGET, 60, 60) == pytest.approx(rate)


def test_floored_negative_figure_goes_down() -> None:
    """What is overspent is never shown smaller than it is."""
    assert floored(Fraction(-1, 3), 2) == Decimal("-0.34")


@pytest.mark.promise("001-23", "001-24")
@given(
    st.integers(0, 50_000),
    st.integers(0, 200),
    st.integers(0, 200),
    st.integers(0, 200),
    st.integers(0, 200),
)
def test_left_out_any_minutes_is_the_month_without_them(
    up: int, ours: int, theirs: int, unknown: int, maintenance: int
) -> None:
    """What the contract leaves out is as if those minutes had not been; the observed figures have them in."""
    rest = {"unknown": unknown, "maintenance": maintenance}
    total = up + ours + theirs + unknown + maintenance
    full = Budget(TARGET, 0, total, total, Totals(up=up, down=ours + theirs, **rest), theirs)
    without = Budget(TARGET, 0, total - theirs, total - theirs, Totals(up=up, down=ours, **rest))
    for figure in ("measured", "worst", "best", "allowed", "spent", "left", "used", "verdict", "crossed"):
        assert getattr(full, figure) == getattr(without, figure)
    assert full.observed == Budget(TARGET, 0, total, total, Totals(up=up, down=ours + theirs, **rest))
    if up:
        assert full.observed.measured is not None
        assert full.measured is not None
        assert full.observed.measured <= full.measured


@pytest.mark.promise("001-19")
def test_verdict_where_nothing_is_promised_is_observed() -> None:
    """A site that stands elsewhere keeps and breaks no promise, and no ticket is filed for its budget."""
    budget = replace(month_of(43_200, down=4000), promised=False)
    assert budget.verdict is Verdict.OBSERVED
    assert budget.crossed == ()
    assert budget.observed.measured == Fraction(39_200, 43_200)
