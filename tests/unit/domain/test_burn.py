"""Which speeds of burning somebody must hear of."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.budget import BURN_WINDOWS, burn_rate
from sentry.domain.burn import RULES, alarm, before_newest_outage, burning
from sentry.domain.ledger import MinuteState, Run
from sentry.domain.severity import Severity

TARGET = Fraction(997, 1000)
NOW = 10_000
UP, DOWN = MinuteState.UP, MinuteState.DOWN


def with_outages(*spans: tuple[int, int]) -> list[Run]:
    """The runs of a site up to now, with outages as [start, end) in minutes before now, the oldest first."""
    runs, reached = [], 0
    for ago, until in spans:
        runs += [Run(reached, NOW - ago, UP), Run(NOW - ago, NOW - until, DOWN)]
        reached = NOW - until
    return [run for run in (*runs, Run(reached, NOW, UP)) if run.minutes]


def rates_of(runs: list[Run], target: Fraction = TARGET) -> dict[str, float]:
    return {name: burn_rate(runs, target, NOW, window) for name, window in BURN_WINDOWS.items()}


@pytest.mark.promise("001-24")
@pytest.mark.parametrize(
    ("long", "short", "threshold", "severity"),
    [
        ("1h", "5m", 14.4, Severity.SEV2),
        ("6h", "30m", 6.0, Severity.SEV2),
        ("24h", "2h", 3.0, Severity.SEV4),
        ("72h", "6h", 1.0, Severity.SEV4),
    ],
)
def test_burning_both_windows_at_the_threshold_is_told_with_its_severity(
    long: str, short: str, threshold: float, severity: Severity
) -> None:
    """Exactly the threshold over both windows is enough; less over either of them is not."""
    quiet = dict.fromkeys(BURN_WINDOWS, 0.0)
    found = burning({**quiet, long: threshold, short: threshold})
    assert found is not None
    assert (found.long, found.short, found.severity) == (long, short, severity)
    for window in (long, short):
        assert burning({**quiet, long: threshold, short: threshold, window: threshold * 0.999}) is None


def test_burning_several_speeds_is_told_by_the_worst() -> None:
    """An hour down burns at every speed."""
    found = burning(rates_of(with_outages((60, 0))))
    assert found is RULES[0]


def test_burning_threshold_met_to_the_minute_is_reached() -> None:
    """At 95 % a day of 180 minutes down burns at 2.5, six hours with 108 minutes at exactly 6."""
    runs = with_outages((108, 0))
    assert burn_rate(runs, Fraction(95, 100), NOW, BURN_WINDOWS["6h"]) == 6.0


@pytest.mark.promise("001-24")
def test_alarm_one_outage_alone_pages_nobody_a_second_time() -> None:
    """Its own incident has paged; what it does to three days is a matter for office hours."""
    runs = with_outages((40, 4))
    assert burning(rates_of(runs)) is RULES[0]
    raised = alarm(rates_of(runs), rates_of(list(before_newest_outage(runs))))
    assert raised is not None
    assert raised.severity is Severity.SEV4


@pytest.mark.promise("001-24")
def test_alarm_outages_that_burn_together_page() -> None:
    """Ten minutes down, and an hour later two more: six times faster than sustainable without the newest."""
    runs = with_outages((90, 80), (10, 8))
    raised = alarm(rates_of(runs), rates_of(list(before_newest_outage(runs))))
    assert raised is not None
    assert (raised.long, raised.severity) == ("6h", Severity.SEV2)


def test_before_newest_outage_failures_within_15_minutes_are_one() -> None:
    """They are one incident, which paged once."""
    apart, close = with_outages((60, 50), (35, 30)), with_outages((60, 50), (36, 30))
    assert before_newest_outage(apart)[-1].end == NOW - 35
    assert before_newest_outage(close)[-1].end == NOW - 60


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 60)), max_size=6))
def test_alarm_any_outages_is_never_worse_than_what_burns(gaps: list[tuple[int, int]]) -> None:
    """An alarm only leaves speeds out; and where there is one, it burns."""
    spans, at = [], sum(gap + length for gap, length in gaps)
    for gap, length in gaps:
        at -= gap
        spans.append((at, at - length))
        at -= length
    runs = with_outages(*spans)
    rates, earlier = rates_of(runs), rates_of(list(before_newest_outage(runs)))
    raised, worst = alarm(rates, earlier), burning(rates)
    assert all(earlier[name] <= rates[name] for name in rates)
    if raised is not None:
        assert worst is not None
        assert RULES.index(worst) <= RULES.index(raised)
    if raised is not None and raised.pages:
        assert len(spans) > 1
