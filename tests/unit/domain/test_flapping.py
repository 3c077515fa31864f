"""When an incident flaps."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.flapping import REOPENED, WITHIN, begins_to_flap
from sentry.domain.incident import TimelineEntry

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@given(st.lists(st.integers(0, 7200), max_size=20), st.integers(0, 10))
def test_incident_flaps_from_as_many_reopenings_within_an_hour(ages_s: list[int], limit: int) -> None:
    """This re-opening counts, those of more than an hour ago do not, and nothing else in the timeline does."""
    timeline = [TimelineEntry(NOW - timedelta(seconds=age_s), REOPENED, "") for age_s in ages_s]
    others = [TimelineEntry(NOW, "check_recovered", "")] * 20
    recent = sum(age_s < WITHIN.total_seconds() for age_s in ages_s)

    assert begins_to_flap([*timeline, *others], NOW, limit) is (limit > 0 and recent + 1 >= limit)
