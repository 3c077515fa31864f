from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.month import (
    Month,
    day_start,
    local_time,
    minute_of,
    month_minutes,
    month_of,
    parse_month,
)

ZONES = sorted(available_timezones() - {"localtime"})
zones = st.sampled_from(ZONES).map(ZoneInfo)
months = st.builds(Month, st.integers(1971, 2040), st.integers(1, 12))


@pytest.mark.promise("001-23")
@pytest.mark.parametrize(
    ("zone", "year", "month", "minutes"),
    [
        ("Europe/Madrid", 2026, 2, 40_320),
        ("Europe/Madrid", 2028, 2, 41_760),
        ("Europe/Madrid", 2026, 6, 43_200),
        ("Europe/Madrid", 2026, 3, 44_580),
        ("Europe/Madrid", 2026, 10, 44_700),
        ("America/Bogota", 2026, 3, 44_640),
        ("America/Bogota", 2026, 10, 44_640),
        ("Australia/Lord_Howe", 2026, 4, 43_230),  # the clocks move by half an hour
        ("Pacific/Apia", 2011, 12, 43_200),  # 30 December did not exist
        ("Pacific/Kiritimati", 1994, 12, 43_200),  # nor did 31 December
        ("America/Havana", 2026, 11, 43_260),  # the first hour of the month comes twice
        ("Asia/Beirut", 2026, 3, 44_580),  # midnight does not exist
    ],
)
def test_month_minutes_known_months_have_their_real_length(zone: str, year: int, month: int, minutes: int) -> None:
    """Worked figures: DST nights, half-hour steps, skipped days."""
    start, end = month_minutes(year, month, ZoneInfo(zone))
    assert end - start == minutes


@given(zones, months)
def test_months_any_zone_tile_the_time_line(zone: ZoneInfo, month: Month) -> None:
    """A month ends where the next begins and holds between 28 and 31 days, give or take a zone's whims."""
    start, end = month.minutes(zone)
    assert end == month.next.minutes(zone)[0]
    assert start == month.previous.minutes(zone)[1]
    assert 27 * 1440 < end - start < 32 * 1440 + 120


@given(zones, months)
def test_month_any_zone_begins_when_the_calendar_first_shows_it(zone: ZoneInfo, month: Month) -> None:
    """Its first minute shows the month; the minute before shows another, or is cut by an offset with seconds."""
    start, end = month.minutes(zone)
    first = local_time(start, zone)
    assert (first.year, first.month) == (month.year, month.month)
    before = local_time(start, zone).astimezone(UTC) - timedelta(minutes=1)
    assert before.astimezone(zone).month != month.month
    assert month_of(start, zone) == month
    assert month_of(end - 1, zone) == month
    assert month_of(end, zone) == month.next


@given(zones, months)
def test_days_any_zone_tile_their_month(zone: ZoneInfo, month: Month) -> None:
    """The days of a month cover it exactly; a skipped one is empty."""
    starts = [day_start(day, zone) for day in (*month.days(), month.next.first_day)]
    assert (starts[0], starts[-1]) == month.minutes(zone)
    assert starts == sorted(starts)


@given(zones, st.integers(1_000_000, 36_000_000))
def test_month_of_any_minute_holds_it(zone: ZoneInfo, minute: int) -> None:
    """The month that is named for a minute has the minute."""
    start, end = month_of(minute, zone).minutes(zone)
    assert start <= minute < end


def test_every_zone_transition_on_a_first_day_still_tiles() -> None:
    """Every zone, every first of a month around the known oddities: starts strictly increase."""
    oddities = [Month(2009, 10), Month(1994, 12), Month(2011, 12), Month(1972, 1), Month(2026, 10)]
    for name in ZONES:
        zone = ZoneInfo(name)
        for month in oddities:
            start, end = month.minutes(zone)
            assert start < end, (name, month)


def test_day_start_skipped_day_is_empty() -> None:
    """30 December 2011 has no minute in Apia."""
    apia = ZoneInfo("Pacific/Apia")
    assert day_start(date(2011, 12, 30), apia) == day_start(date(2011, 12, 31), apia)


def test_day_start_clocks_jump_across_midnight_is_the_minute_of_the_jump() -> None:
    """Toronto went from 23:30 to 00:30 on 30 March 1919: the 31st began at the jump."""
    toronto = ZoneInfo("America/Toronto")
    first = local_time(day_start(date(1919, 3, 31), toronto), toronto)
    assert (first.date(), first.hour, first.minute) == (date(1919, 3, 31), 0, 30)


def test_month_clocks_back_over_midnight_keep_the_second_october_in_november() -> None:
    """St John's turned 00:01 into 23:01 on 1 November 2009: the month had begun, so it goes on."""
    st_johns = ZoneInfo("America/St_Johns")
    start, _ = Month(2009, 11).minutes(st_johns)
    again = start + 30
    assert local_time(again, st_johns).strftime("%d %H:%M") == "31 23:30"
    assert month_of(again, st_johns) == Month(2009, 11)


def test_minute_of_instant_and_back_is_the_local_time() -> None:
    """A minute becomes the wall time of the zone."""
    minute = minute_of(datetime(2026, 11, 22, 2, 14, 59, tzinfo=UTC))
    assert local_time(minute, ZoneInfo("Europe/Madrid")).isoformat() == "2026-11-22T03:14:00+01:00"


def test_parse_month_right_text_is_the_month() -> None:
    """`YYYY-MM` and back."""
    assert str(parse_month("2026-02")) == "2026-02"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2026-13", "'2026-13' has no month 13: months run from 01 to 12"),
        ("2026-00", "months run from 01 to 12"),
        ("2026-1", "'2026-1' is no month: write YYYY-MM, for example 2026-11"),
        ("november", "write YYYY-MM"),
        ("2026-11\n", "write YYYY-MM"),
        ("\u0662\u0660\u0662\u0666-11", "write YYYY-MM"),  # digits, but not ours
        ("0001-01", "out of range: years run from 1970 to 9998"),
        ("9999-12", "out of range"),
    ],
)
def test_parse_month_wrong_text_says_what_is_wrong(text: str, message: str) -> None:
    """Each mistake gets a message that shows how to write it."""
    with pytest.raises(ValueError, match=message):
        parse_month(text)
