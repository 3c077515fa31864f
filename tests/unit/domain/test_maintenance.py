from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sentry.domain.announcement import Revision
from sentry.domain.maintenance import Calendar, Change, Judgement, Work, covering, excluded, work_of
from sentry.domain.maintenance_window import MaintenanceWindow, WorkKind
from sentry.domain.wall_time import EPOCH

BEGIN = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
FAR = datetime(2027, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
EMERGENCY: dict[str, Any] = {"kind": "emergency", "cause": "malware", "approver": "Ana"}


def minute(instant: datetime) -> int:
    """The number of a minute."""
    return (instant - EPOCH) // timedelta(minutes=1)


def window(begin: datetime = BEGIN, hours: float = 2, **other: object) -> MaintenanceWindow:
    """A window of one site, in UTC."""
    given_values: dict[str, object] = {
        "reason": "new server",
        "starts_at": begin.replace(tzinfo=None),
        "duration_min": round(hours * 60),
        "sites": ("shop",),
    }
    return MaintenanceWindow.model_validate(given_values | other)


def judged(
    *said: tuple[datetime, MaintenanceWindow | None], notice_h: float = 48
) -> list[tuple[float, float, Judgement]]:
    """The work that follows from what was said: begin and end in hours after BEGIN, and how it counts."""
    changes = [Change("w", at, plan, notice_h) for at, plan in said]
    return [
        ((one.start - minute(BEGIN)) / 60, (one.end - minute(BEGIN)) / 60, one.judgement)
        for one in work_of(changes, FAR)
    ]


@pytest.mark.promise("001-23")
def test_work_announced_in_time_is_excluded_and_ends_with_its_window() -> None:
    """Two days before is enough; the hour after the window is in no window."""
    assert judged((BEGIN - 48 * HOUR, window())) == [(0, 2, Judgement.EXCLUDED)]


@pytest.mark.promise("001-23")
def test_work_announced_a_minute_late_counts_as_it_was_seen() -> None:
    """The agreed notice is a bound and not a wish."""
    late = BEGIN - 48 * HOUR + timedelta(minutes=1)
    assert judged((late, window())) == [(0, 2, Judgement.ANNOUNCED_LATE)]
    assert judged((late, window()), notice_h=24) == [(0, 2, Judgement.EXCLUDED)]


def test_work_announced_while_it_is_done_begins_when_it_was_announced() -> None:
    """What is over cannot be announced any more."""
    assert judged((BEGIN + HOUR, window())) == [(1, 2, Judgement.ANNOUNCED_LATE)]
    assert judged((BEGIN + 2 * HOUR, window())) == []


@pytest.mark.promise("001-42")
def test_work_of_an_emergency_is_never_excluded() -> None:
    """A disinfection counts in the figure, however early it was announced."""
    assert judged((BEGIN - 99 * HOUR, window(**EMERGENCY))) == [(0, 2, Judgement.EMERGENCY)]


def test_work_extended_late_only_the_new_minutes_count() -> None:
    """What was agreed stays agreed; the hour that was added on the way counts."""
    said = [(BEGIN - 72 * HOUR, window()), (BEGIN + HOUR, window(hours=3))]
    assert judged(*said) == [
        (0, 1, Judgement.EXCLUDED),
        (1, 2, Judgement.EXCLUDED),
        (2, 3, Judgement.ANNOUNCED_LATE),
    ]


def test_work_extended_in_time_is_excluded_whole() -> None:
    """A change that keeps the notice is as good as a first announcement."""
    said = [(BEGIN - 72 * HOUR, window()), (BEGIN - 50 * HOUR, window(hours=3))]
    assert judged(*said) == [(0, 2, Judgement.EXCLUDED), (2, 3, Judgement.EXCLUDED)]


def test_work_shortened_or_cancelled_gives_its_minutes_back() -> None:
    """Nobody needs notice of work that does not take place; the past stays as it was."""
    announced = (BEGIN - 72 * HOUR, window())
    assert judged(announced, (BEGIN - HOUR, window(hours=1))) == [(0, 1, Judgement.EXCLUDED)]
    assert judged(announced, (BEGIN - HOUR, None)) == []
    assert judged(announced, (BEGIN + HOUR, None)) == [(0, 1, Judgement.EXCLUDED)]
    assert judged(announced, (BEGIN + 9 * HOUR, None)) == [(0, 2, Judgement.EXCLUDED)]


def test_work_moved_ahead_only_the_hours_of_both_windows_are_excluded() -> None:
    """The hour that nobody had been told of in time counts."""
    said = [(BEGIN - 72 * HOUR, window()), (BEGIN - 24 * HOUR, window(BEGIN - HOUR))]
    assert judged(*said) == [(-1, 0, Judgement.ANNOUNCED_LATE), (0, 1, Judgement.EXCLUDED)]


def test_work_late_and_changed_on_the_way_stays_late() -> None:
    """A change in the third day of a long window does not make the rest of it announced in time."""
    long = window(hours=120)
    said = [(BEGIN - HOUR, long), (BEGIN + 72 * HOUR, window(hours=120, reason="other words"))]
    assert {judgement for _, _, judgement in judged(*said)} == {Judgement.ANNOUNCED_LATE}


def test_work_emergency_declared_planned_later_needs_notice_of_its_own() -> None:
    """An emergency that was announced early does not become agreed work by a word."""
    said = [(BEGIN - 99 * HOUR, window(**EMERGENCY)), (BEGIN - HOUR, window())]
    assert judged(*said) == [(0, 2, Judgement.ANNOUNCED_LATE)]


SAID = st.lists(
    st.tuples(
        st.integers(-20, 30),
        st.one_of(st.none(), st.tuples(st.integers(0, 12), st.integers(1, 12))),
    ),
    min_size=1,
    max_size=6,
)


@given(SAID, st.integers(0, 12))
def test_work_of_any_history_is_what_was_known_of_each_minute_when_it_began(
    said: list[tuple[int, tuple[int, int] | None]], notice: int
) -> None:
    """Judged minute by minute from its definition, without pieces (all numbers are minutes)."""
    said.sort(key=lambda one: one[0])
    base = minute(BEGIN)
    changes = [
        Change(
            "w",
            BEGIN + timedelta(minutes=at),
            span and window(BEGIN + timedelta(minutes=span[0]), span[1] / 60),
            notice / 60,
        )
        for at, span in said
    ]
    found = {one - base: piece.judgement for piece in work_of(changes, FAR) for one in range(piece.start, piece.end)}
    assert found == {m: judgement for m in range(-20, 40) if (judgement := _judged_alone(said, m, notice))}


def _covers(said: Sequence[tuple[int, tuple[int, int] | None]], index: int, m: int) -> bool:
    span = said[index][1]
    return span is not None and span[0] <= m < span[0] + span[1] and said[index][0] <= m


def _announcing(said: Sequence[tuple[int, tuple[int, int] | None]], m: int) -> int | None:
    """The change from which on a minute was always meant, up to the minute itself."""
    known = [index for index, (at, _) in enumerate(said) if at <= m]
    announcing = None
    for index in reversed(known):
        if not _covers(said, index, m):
            break
        announcing = index
    return announcing


def _judged_alone(said: Sequence[tuple[int, tuple[int, int] | None]], m: int, notice: int) -> Judgement | None:
    announcing = _announcing(said, m)
    if announcing is None:
        return None
    begin = m
    while _announced_with(said, announcing, begin - 1):
        begin -= 1
    return Judgement.EXCLUDED if said[announcing][0] + notice <= begin else Judgement.ANNOUNCED_LATE


def _announced_with(said: Sequence[tuple[int, tuple[int, int] | None]], index: int, m: int) -> bool:
    """Whether a change announced a minute of which the one before it had said nothing."""
    return _covers(said, index, m) and _announcing(said[: index + 1], m) == index


ZONES = st.sampled_from(["Europe/Madrid", "America/Bogota", "Australia/Lord_Howe"])


@given(
    ZONES,
    st.dates(date(2024, 1, 1), date(2028, 1, 1)),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.integers(1, 600),
)
def test_occurrences_on_any_night_begin_by_the_wall_and_last_their_real_time(
    zone: str, day: date, at: time, duration_min: int
) -> None:
    """A daily window comes once on each local date, also on those of 23 and 25 hours, and lasts its minutes."""
    first = datetime.combine(day, at)
    plan = window(first, rrule="FREQ=DAILY;COUNT=400", zone=zone, duration_min=duration_min)
    found = list(plan.occurrences(EPOCH, first.replace(tzinfo=UTC) + timedelta(days=500)))
    local = [begin.astimezone(ZoneInfo(zone)) for begin, _ in found]
    assert [one.date() for one in local] == [(first + timedelta(days=number)).date() for number in range(400)]
    assert {end - begin for begin, end in found} == {timedelta(minutes=duration_min)}
    assert all(one.replace(tzinfo=None) >= datetime.combine(one.date(), first.time()) for one in local)
    moved = [one for one in local if one.time() != first.time()]
    assert len(moved) <= 2, "only where the time does not exist, once a year"


def test_occurrences_in_the_night_of_spring_and_of_autumn_keep_their_hour() -> None:
    """02:30 to 03:30 in Madrid: in spring from 03:00 on, in autumn from the first 02:30; an hour each."""
    for day, begin in (("2026-03-29", "01:00"), ("2026-10-25", "00:30")):
        plan = window(datetime.fromisoformat(f"{day}T02:30"), 1, zone="Europe/Madrid")
        expected = datetime.fromisoformat(f"{day}T{begin}+00:00")
        assert list(plan.occurrences(EPOCH, FAR)) == [(expected, expected + HOUR)]


def test_occurrences_leave_excepted_dates_and_what_is_after_the_last_instant_out() -> None:
    """An excepted date still counts for COUNT; UNTIL as an instant ends the rule to the second."""
    plan = window(rrule="FREQ=WEEKLY;COUNT=3", except_dates=("2026-12-08",))
    assert [begin.day for begin, _ in plan.occurrences(EPOCH, FAR)] == [1, 15]
    plan = window(rrule="FREQ=DAILY;UNTIL=20261202T015959Z")
    assert [begin.day for begin, _ in plan.occurrences(EPOCH, FAR)] == [1]


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"duration_min": None}, "one of them"),
        ({"ends_at": "2026-12-01T03:00"}, "one of them"),
        ({"duration_min": None, "ends_at": "2026-12-01T02:00"}, "later than 'starts_at'"),
        ({"duration_min": None, "ends_at": "2026-12-09T02:00"}, "a week at most"),
        ({"duration_min": None, "ends_at": "2026-12-01T03:00", "rrule": "FREQ=DAILY"}, "duration_min"),
        ({"except_dates": ("2026-12-01",)}, "rrule"),
        ({"starts_at": "2026-12-01T02:00Z"}, "local time"),
        ({"starts_at": "2026-12-01T02:00:30"}, "to the minute"),
        ({"starts_at": "1200-12-01T02:00"}, "1971"),
        ({"sites": ()}, "what it is about"),
        ({"kind": "emergency"}, "approver"),
        ({"rrule": "FREQ=WEEKLY;BYDAY=XX"}, "no weekday"),
        ({"rrule": "FREQ=WEEKLY;COUNT=1", "except_dates": ("2026-12-01",)}, "never take place"),
        (
            {
                "starts_at": "2026-03-29T02:10",
                "ends_at": "2026-03-29T02:50",
                "duration_min": None,
                "zone": "Europe/Madrid",
            },
            "never take place",
        ),
    ],
)
def test_window_that_cannot_be_meant_is_refused_with_its_cure(changed: dict[str, Any], word: str) -> None:
    """Each mistake gets its own sentence."""
    with pytest.raises(ValidationError, match=word):
        window(**changed)


def test_calendar_site_that_joins_later_needs_notice_of_its_own() -> None:
    """A site that moves to the server on the eve was not told in time, and one that leaves is asked to work again."""
    eve, plan = BEGIN - 24 * HOUR, window(rrule="FREQ=DAILY", all_sites=True)
    calendar = Calendar(
        [
            Revision("w", 0, BEGIN - 72 * HOUR, "ops", plan, {"old": 48.0, "gone": 48.0}),
            Revision("w", 1, eve, "ops", plan, {"new": 48.0}, ("gone",)),
        ],
        BEGIN + 40 * HOUR,
    )
    first = (minute(BEGIN), minute(BEGIN) + 120)
    second = (first[0] + 24 * 60, first[1] + 24 * 60)
    assert excluded(calendar.of("old")) == (first, second)
    assert [(one.start, one.judgement) for one in calendar.of("new")] == [
        (first[0], Judgement.ANNOUNCED_LATE),
        (second[0], Judgement.EXCLUDED),
    ]
    assert calendar.of("gone") == ()
    assert calendar.of("never") == ()


def test_calendar_sites_of_one_window_share_what_is_reckoned() -> None:
    """Ten thousand sites of one window are reckoned once."""
    calendar = Calendar([Revision("w", 0, BEGIN - 72 * HOUR, "ops", window(), {"a": 48.0, "b": 48.0})], FAR)
    assert calendar.of("a") is calendar.of("b")


def test_calendar_window_that_is_taken_up_again_begins_anew() -> None:
    """What was cancelled and comes back is announced when it comes back."""
    calendar = Calendar(
        [
            Revision("w", 0, BEGIN - 90 * HOUR, "ops", window(), {"a": 48.0}),
            Revision("w", 1, BEGIN - 80 * HOUR, "ops", None, {}),
            Revision("w", 2, BEGIN - HOUR, "ops", window(), {"a": 48.0}),
        ],
        FAR,
    )
    assert [one.judgement for one in calendar.of("a")] == [Judgement.ANNOUNCED_LATE]


def test_covering_overlapping_windows_are_all_found() -> None:
    """A short window within a long one hides nothing."""
    long, short = (
        Work(0, 100, 0, "long", BEGIN, 48, "x"),
        Work(10, 20, 10, "short", BEGIN, 48, "y", WorkKind.EMERGENCY),
    )
    assert covering((long, short), 15) == (long, short)
    assert covering((long, short), 20) == (long,)
    assert covering((long, short), 100) == ()
