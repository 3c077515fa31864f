from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.announcement import AnnouncedWindow
from sentry.domain.maintenance_window import window_of
from sentry.reports.icalendar import MAX_EVENTS_OF_WINDOW, icalendar
from sentry.reports.inert import inert_lines
from tests.fakes.calendar_file import read_calendar

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
PLAN = {
    "reason": "New disks",
    "starts_at": "2026-11-10T02:30",
    "duration_min": 90,
    "zone": "Europe/Madrid",
    "all_sites": True,
}
WINDOW = AnnouncedWindow("7", window_of(PLAN), NOW, "ana", NOW, 0, cancelled=False, sites=frozenset({"shop", "blog"}))


def test_icalendar_a_window_is_an_event_in_utc() -> None:
    """Begin and end are instants, so no reader needs to know a zone."""
    (event,) = read_calendar(icalendar([WINDOW], NOW, "Agency"))
    assert event == {
        "UID": "20261102T090000Z-7-20261110T013000Z@online-sentry",
        "SEQUENCE": "0",
        "DTSTAMP": "20261102T090000Z",
        "CREATED": "20261102T090000Z",
        "LAST-MODIFIED": "20261102T090000Z",
        "DTSTART": "20261110T013000Z",
        "DTEND": "20261110T030000Z",
        "SUMMARY": "New disks",
        "DESCRIPTION": "blog, shop",
        "CATEGORIES": "PLANNED",
        "STATUS": "CONFIRMED",
        "TRANSP": "TRANSPARENT",
    }


def test_icalendar_a_changed_or_cancelled_window_keeps_its_name_and_counts_up() -> None:
    """A calendar program replaces the event that it knows."""
    longer = replace(WINDOW, plan=window_of(PLAN | {"duration_min": 120}), sequence=1)
    cancelled = replace(longer, sequence=2, cancelled=True)
    first, second, third = (read_calendar(icalendar([one], NOW, "Agency"))[0] for one in (WINDOW, longer, cancelled))
    assert first["UID"] == second["UID"] == third["UID"]
    assert [one["SEQUENCE"] for one in (first, second, third)] == ["0", "1", "2"]
    assert (second["DTEND"], third["STATUS"]) == ("20261110T033000Z", "CANCELLED")


def test_icalendar_a_recurring_window_has_each_local_time_and_an_end() -> None:
    """Each occurrence by itself, on both sides of the night on which clocks change; never without bound."""
    weekly = replace(WINDOW, plan=window_of(PLAN | {"rrule": "FREQ=WEEKLY", "starts_at": "2027-03-23T02:30"}))
    events = read_calendar(icalendar([weekly], NOW, "Agency"))
    assert [event["DTSTART"] for event in events[:2]] == ["20270323T013000Z", "20270330T003000Z"]
    assert len({event["UID"] for event in events}) == len(events)
    daily = replace(WINDOW, plan=window_of(PLAN | {"rrule": "FREQ=DAILY"}))
    assert 300 < len(read_calendar(icalendar([daily], NOW, "Agency"))) <= MAX_EVENTS_OF_WINDOW


def test_icalendar_of_some_sites_names_no_others() -> None:
    """A client's calendar says nothing of another client."""
    (event,) = read_calendar(icalendar([WINDOW], NOW, "Agency", sites={"blog"}))
    assert event["DESCRIPTION"] == "blog"
    assert read_calendar(icalendar([WINDOW], NOW, "Agency", sites={"other"})) == []


def test_icalendar_what_is_long_past_is_left_out() -> None:
    """A calendar is for what is to come, and a quarter of a year back."""
    assert read_calendar(icalendar([WINDOW], NOW + timedelta(days=200), "Agency")) == []


@given(st.text(min_size=1, max_size=300))
def test_icalendar_any_words_are_read_back_and_break_no_line(reason: str) -> None:
    """Commas, line ends, controls and letters of four octets: the reader checks each line, and gets the words."""
    plan = WINDOW.plan.model_copy(update={"reason": reason})
    (event,) = read_calendar(icalendar([replace(WINDOW, plan=plan)], NOW, reason))
    assert event["SUMMARY"] == "\n".join(inert_lines(reason))
