"""The pictures: nothing that was down may be invisible."""

from datetime import date
from zoneinfo import ZoneInfo

from markupsafe import escape

from sentry.domain.ledger import MinuteState, Run, Totals
from sentry.domain.month import Month
from sentry.domain.result import Phase
from sentry.web.strips import Day, day_bars, days_of, meter, minute_strip, phase_bar, response_line


def test_minute_strip_single_minute_down_is_a_bar() -> None:
    """One minute of ninety is seen, whichever of its pair it is."""
    for minute in (50, 51):
        runs = [
            Run(0, minute, MinuteState.UP),
            Run(minute, minute + 1, MinuteState.DOWN),
            Run(minute + 1, 90, MinuteState.UP),
        ]
        assert '<rect class="down" x="25" y="0" width="1"' in minute_strip(runs, 0, 90, "x")


def test_minute_strip_gap_is_unknown() -> None:
    """What nobody saw is grey, never green."""
    strip = minute_strip([Run(0, 10, MinuteState.UP)], 0, 20, "x")
    assert '<rect class="unknown" x="5" y="0" width="5"' in strip


def test_minute_strip_label_is_escaped() -> None:
    """A picture's label is text like any other."""
    assert str(escape('"><script>')) in minute_strip([], 0, 4, '"><script>')


def test_days_of_month_with_a_change_of_clocks_tile_it() -> None:
    """October in Madrid has a day of 25 hours."""
    month, zone = Month(2026, 10), ZoneInfo("Europe/Madrid")
    start, end = month.minutes(zone)
    days = days_of(month, zone, [Run(start, end, MinuteState.UP)], end)
    assert len(days) == 31
    assert [day.minutes.total for day in days if day.minutes] == [1440] * 24 + [1500] + [1440] * 6


def test_days_of_running_month_ends_where_it_is_accounted_for() -> None:
    """Days to come are empty, and so are days before the contract."""
    month, zone = Month(2026, 11), ZoneInfo("UTC")
    start, _ = month.minutes(zone)
    days = days_of(month, zone, [Run(start + 1440, start + 3000, MinuteState.UP)], start + 3000)
    assert [bool(day.minutes and day.minutes.total) for day in days[:4]] == [False, True, True, False]


def test_day_bars_one_minute_down_is_tall_enough_to_be_seen() -> None:
    """One minute of 1,440 would be a fiftieth of a pixel."""
    bars = day_bars([Day(date(2026, 11, 2), Totals(up=1439, down=1)), Day(date(2026, 11, 3), None)], ["a", "b"], "x")
    assert '<rect class="down" x="0" y="26" width="8" height="6"/>' in bars
    assert '<rect class="empty" x="10"' in bars


def test_phase_bar_failed_at_once_is_still_marked() -> None:
    """A refused connection takes no time and is the whole story."""
    bar = phase_bar({Phase.DNS: 0.1, Phase.CONNECT: 0.0}, Phase.CONNECT, 0.1, "x")
    assert '<rect class="failed" x="100" y="0" width="2"' in bar
    assert 'viewBox="0 0 102 10"' in bar


def test_phase_bar_without_times_is_empty() -> None:
    """Nothing was reached: no division by zero."""
    assert "rect" not in phase_bar({}, None, 0.0, "x")


def test_response_line_without_samples_is_nothing() -> None:
    """A new check has no picture."""
    assert response_line([], "x") == ""


def test_meter_beyond_its_ends_is_clipped() -> None:
    """An overspent budget does not leave its frame."""
    assert 'width="100"' in meter(7.0, "up", "x")
    assert '<rect class="up" x="0" y="0" width="0"' in meter(-1.0, "up", "x")
