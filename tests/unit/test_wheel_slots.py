"""The rim of slots and the places, by themselves."""

from hypothesis import given
from hypothesis import strategies as st

from sentry.wheel.places import Group, Places, Spoke
from sentry.wheel.slots import Rim
from tests.fakes.checks import make_check
from tests.fakes.probe import ManualProbe

START = 1_793_610_000.0


def _spoke(group: Group | None = None, cap: int = 8) -> Spoke:
    return Spoke(make_check(host_cap=cap), ManualProbe(), 0.0, group or Group())


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.floats(-1, 120)),
            st.tuples(st.just("wait"), st.floats(0, 90)),
            st.tuples(st.just("set back"), st.floats(0, 2)),
        ),
        max_size=60,
    )
)
def test_rim_any_course_of_time_gives_each_slot_once_and_never_early(steps: list[tuple[str, float]]) -> None:
    """Also with a clock that is set back a little, and after a long pause."""
    rim, wall = Rim(), START
    rim.clear(wall)
    booked: set[Spoke] = set()
    for what, seconds in steps:
        if what == "add":
            spoke = _spoke()
            booked.add(spoke)
            rim.add(spoke, wall + seconds)
        wall += seconds if what == "wait" else -seconds if what == "set back" else 0
        due = rim.take(wall)
        assert len(set(due)) == len(due)
        assert booked.issuperset(due)
        assert all(spoke.slot <= wall + 1e-5 for spoke in due)
        booked.difference_update(due)
        assert rim.next_within(0.1) > wall - 0.001
    assert set(rim.take(wall + 1000)) == booked


@given(
    st.lists(st.sampled_from(["ask", "next", "leave", "remove"]), max_size=80), st.integers(1, 4), st.integers(1, 3)
)
def test_places_any_coming_and_going_loses_none_and_gives_none_twice(steps: list[str], total: int, cap: int) -> None:
    """Neither cap is ever passed, and once all have left everyone who still waits gets a place."""
    places, groups = Places(total), [Group(), Group()]
    running: list[Spoke] = []
    waiting: list[Spoke] = []
    for number, step in enumerate(steps):
        if step == "ask":
            waiting.append(_spoke(groups[number % 2], cap))
            places.ask(waiting[-1])
        elif step == "remove" and waiting:
            waiting.pop(number % len(waiting)).removed = True
        elif step == "leave" and running:
            places.leave(running.pop(number % len(running)).group)
        elif step == "next" and (spoke := places.next()) is not None:
            waiting.remove(spoke)
            running.append(spoke)
        assert len(running) <= total
        assert all(sum(spoke.group is group for spoke in running) <= cap for group in groups)
    while running or waiting:
        while (spoke := places.next()) is not None:
            waiting.remove(spoke)
            running.append(spoke)
        places.leave(running.pop().group)
    assert places.next() is None  # what was removed in the line leaves it when it is reached
    assert [group.taken for group in groups] == [0, 0]
