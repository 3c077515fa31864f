from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.wall_time import instant_of

ZONES = st.sampled_from([ZoneInfo(name) for name in ("Europe/Madrid", "America/Bogota", "Australia/Lord_Howe")])
WALLS = st.builds(datetime.combine, st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.times()).map(
    lambda wall: wall.replace(second=0, microsecond=0)
)


@pytest.mark.parametrize(
    ("wall", "zone", "instant"),
    [
        ("2026-03-29T02:30", "Europe/Madrid", "2026-03-29T01:00"),
        ("2026-10-25T02:30", "Europe/Madrid", "2026-10-25T00:30"),
        ("2026-10-04T02:10", "Australia/Lord_Howe", "2026-10-03T15:30"),
        ("2026-04-05T01:45", "Australia/Lord_Howe", "2026-04-04T14:45"),
        ("2026-03-29T02:30", "America/Bogota", "2026-03-29T07:30"),
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T10:00"),
    ],
)
def test_instant_of_nights_on_which_clocks_change(wall: str, zone: str, instant: str) -> None:
    """A missing time is the first instant after the gap, a doubled one its first coming."""
    assert instant_of(datetime.fromisoformat(wall), ZoneInfo(zone)) == datetime.fromisoformat(instant).replace(
        tzinfo=UTC
    )


@given(WALLS, ZONES)
def test_instant_of_is_the_first_instant_at_which_the_wall_shows_the_time_or_a_later_one(
    wall: datetime, zone: ZoneInfo
) -> None:
    """At the instant the clock shows the time, or has jumped over it; a second earlier it shows an earlier one."""
    found = instant_of(wall, zone)
    shown = found.astimezone(zone).replace(tzinfo=None)
    before = (found - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
    assert shown >= wall
    assert before < wall
    if shown != wall:
        assert shown - before > timedelta(seconds=1), "the clock jumped, so the time does not exist"
