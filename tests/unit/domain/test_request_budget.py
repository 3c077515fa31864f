import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.request_budget import STRETCHED_S, Allowance, RequestBudget, stride


def test_allowance_follows_from_the_checks_where_nothing_is_written() -> None:
    """Four requests and a MiB for each planned probe; a rarely probed site has a floor."""
    assert Allowance.of((None, RequestBudget()), (60, 60)) == Allowance(4 * 2880, 2880 * 1_048_576)
    assert Allowance.of((), (3600,)) == Allowance(1000, 1_073_741_824)


def test_allowance_written_for_the_site_goes_before_that_of_the_plan_key_by_key() -> None:
    """A site that only says how many requests keeps the plan's bytes."""
    plan = RequestBudget(requests_per_day=5000, bytes_per_day=50_000_000)
    assert Allowance.of((RequestBudget(requests_per_day=200), plan), (60,)) == Allowance(200, 50_000_000)


@pytest.mark.promise("000-26")
@given(st.integers(1, 86_400))
def test_stride_never_leaves_a_site_unwatched_for_more_than_a_quarter_of_an_hour(interval_s: int) -> None:
    """A check that is probed less often anyway stays as it is."""
    assert interval_s * stride(interval_s) <= max(STRETCHED_S, interval_s)
    assert interval_s * (stride(interval_s) + 1) > STRETCHED_S
