from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.recurrence import WEEKDAYS, parse_rule

FIRST = date(2026, 11, 3)  # a Tuesday
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))


def named(rule: str, first: date = FIRST, last: date = date(2027, 3, 1)) -> list[str]:
    """The days that a rule names."""
    return [f"{day:%m-%d}" for day in parse_rule(rule).days(first, last)]


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=WEEKLY;COUNT=3", ["11-03", "11-10", "11-17"]),
        ("FREQ=WEEKLY;BYDAY=TU,TH;COUNT=3", ["11-03", "11-05", "11-10"]),
        ("FREQ=WEEKLY;BYDAY=MO,TU;INTERVAL=2;COUNT=4", ["11-03", "11-16", "11-17", "11-30"]),
        ("FREQ=DAILY;INTERVAL=10;UNTIL=20261123", ["11-03", "11-13", "11-23"]),
        ("FREQ=DAILY;BYDAY=SA,SU;COUNT=3", ["11-07", "11-08", "11-14"]),
        ("FREQ=MONTHLY;COUNT=3", ["11-03", "12-03", "01-03"]),
        ("FREQ=MONTHLY;BYDAY=2TU;COUNT=2", ["11-10", "12-08"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", ["11-27", "12-25", "01-29"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", ["11-30", "12-31", "01-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15;COUNT=3", ["11-15", "12-01", "12-15"]),
        ("FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR;COUNT=1", ["11-13"]),
        ("rrule:freq=weekly;byday=tu;count=1".upper(), ["11-03"]),
    ],
)
def test_days_rules_of_the_standard_name_their_days(rule: str, days: list[str]) -> None:
    """Each part of a rule that is understood, alone and together."""
    assert named(rule) == days


def test_days_of_a_31st_leave_short_months_out() -> None:
    """A month without this day has no occurrence, as the standard says."""
    assert named("FREQ=MONTHLY;COUNT=4", date(2026, 10, 31), date(2027, 12, 1)) == [
        "10-31",
        "12-31",
        "01-31",
        "03-31",
    ]


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ("every tuesday", "NAME=VALUE"),
        ("BYDAY=TU", "FREQ"),
        ("FREQ=YEARLY", "FREQ"),
        ("FREQ=WEEKLY;BYSETPOS=1", "BYSETPOS is not understood"),
        ("FREQ=WEEKLY;WKST=SU", "WKST is not understood"),
        ("FREQ=WEEKLY;FREQ=DAILY", "stands twice"),
        ("FREQ=WEEKLY;BYDAY=DI", "no weekday"),
        ("FREQ=WEEKLY;BYDAY=2TU", "FREQ=MONTHLY"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "no day of a month"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("FREQ=DAILY;COUNT=-1", "COUNT"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20261201", "exclude each other"),
        ("FREQ=DAILY;UNTIL=20261301", "no day or time"),
        ("FREQ=DAILY;UNTIL=2026-12-01", "local day"),
        ("FREQ=DAILY;" * 60, "at most"),
    ],
)
def test_parse_rule_what_is_not_understood_is_refused_by_name(rule: str, word: str) -> None:
    """A rule that is read otherwise than it was meant would take the wrong minutes out of an account."""
    with pytest.raises(ValueError, match=word):
        parse_rule(rule)


def test_parse_rule_instant_as_end_is_kept_as_an_instant() -> None:
    """Calendars write the end of a rule in UTC."""
    assert parse_rule("FREQ=DAILY;UNTIL=20261231T225900Z").until == datetime(2026, 12, 31, 22, 59, tzinfo=UTC)


@given(DAYS, st.integers(1, 5), st.sets(st.sampled_from(WEEKDAYS), min_size=1))
def test_days_weekly_have_the_weekdays_and_the_distance_of_the_rule(
    first: date, interval: int, weekdays: set[str]
) -> None:
    """Every named day has one of the weekdays, in a week as far away as the rule says; none is left out."""
    rule = parse_rule(f"FREQ=WEEKLY;INTERVAL={interval};BYDAY={','.join(weekdays)}")
    found = list(rule.days(first, first + timedelta(days=70)))
    monday = first - timedelta(days=first.weekday())
    expected = [
        monday + timedelta(weeks=week, days=number)
        for week in range(0, 12, interval)
        for number, name in enumerate(WEEKDAYS)
        if name in weekdays
    ]
    assert found == [day for day in expected if first <= day <= first + timedelta(days=70)]
