"""How new minutes join a ledger."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.ledger import MinuteState, Run
from sentry.domain.ledger_tail import SEVERITY, corrected, extend

UP, DOWN, DEGRADED = MinuteState.UP, MinuteState.DOWN, MinuteState.DEGRADED

_runs = st.lists(
    st.builds(
        lambda start, length, state: Run(start, start + length, state),
        st.integers(0, 40),
        st.integers(0, 12),
        st.sampled_from(list(MinuteState)),
    ),
    max_size=12,
)


def _by_minute(runs: Sequence[Run]) -> dict[int, MinuteState]:
    """The plain meaning: minute by minute the worst of what is said, and nothing where nothing is known."""
    worst: dict[int, MinuteState] = {}
    for run in runs:
        for minute in range(run.start, run.end):
            if SEVERITY[run.state] > SEVERITY[worst.get(minute, MinuteState.UNKNOWN)]:
                worst[minute] = run.state
    return worst


def test_extend_with_the_next_minute_lengthens_the_run() -> None:
    """A site that stays up is one row, however long."""
    assert extend([Run(10, 20, UP)], [Run(20, 21, UP)]) == (Run(10, 21, UP),)


def test_extend_after_a_gap_leaves_the_gap_unknown() -> None:
    """Minutes that nobody probed stay uncovered."""
    assert extend([Run(10, 20, UP)], [Run(22, 23, UP)]) == (Run(10, 20, UP), Run(22, 23, UP))


def test_extend_over_an_up_minute_with_down_makes_it_down() -> None:
    """The minute of the first failed probe is down, also when it began up."""
    assert extend([Run(10, 20, UP)], [Run(19, 21, DOWN)]) == (Run(10, 19, UP), Run(19, 21, DOWN))


def test_extend_over_a_down_minute_with_up_leaves_it_down() -> None:
    """The minute of the recovery is still down when it began down."""
    assert extend([Run(10, 20, DOWN)], [Run(19, 20, UP)]) == (Run(10, 20, DOWN),)


def test_extend_within_a_long_run_splits_it() -> None:
    """Late minutes of an outage that was confirmed afterwards are laid into the run."""
    assert extend([Run(10, 20, UP)], [Run(12, 14, DEGRADED), Run(13, 14, DOWN)]) == (
        Run(10, 12, UP),
        Run(12, 13, DEGRADED),
        Run(13, 14, DOWN),
        Run(14, 20, UP),
    )


@given(_runs, _runs)
def test_extend_any_minutes_says_of_each_the_worst_that_was_said(before: list[Run], added: list[Run]) -> None:
    """Whatever is laid over whatever: no minute is lost, invented, or better than what was seen."""
    tail = extend([], before)

    after = extend(tail, added)

    assert _by_minute(after) == _by_minute([*before, *added])


@given(_runs, _runs)
def test_extend_any_minutes_gives_ordered_runs_apart_and_as_few_as_can_be(
    before: list[Run], added: list[Run]
) -> None:
    """The rows of a ledger never overlap, and two that could be one are one."""
    after = extend(extend([], before), added)

    for run, following in pairwise(after):
        assert run.end <= following.start
        assert run.end < following.start or run.state is not following.state
    assert all(run.minutes > 0 and run.state is not MinuteState.UNKNOWN for run in after)


@given(_runs, _runs)
def test_extend_with_the_same_minutes_again_changes_nothing(before: list[Run], added: list[Run]) -> None:
    """A batch may be repeated."""
    once = extend(extend([], before), added)

    assert extend(once, added) == once


@given(_runs, _runs)
def test_extend_touches_nothing_before_the_earliest_new_minute(before: list[Run], added: list[Run]) -> None:
    """That the tail alone is enough to read and write: what ends before it is left as it was."""
    tail = extend([], before)
    earliest = min((run.start for run in added), default=0)

    after = extend(tail, added)

    untouched = [run for run in tail if run.end < earliest]
    assert [run for run in after if run.end < earliest] == untouched


@given(_runs, st.dictionaries(st.integers(0, 52), st.sampled_from(list(MinuteState)), max_size=20))
def test_corrected_minutes_stand_as_given_and_all_others_as_before(
    runs: list[Run], minutes: dict[int, MinuteState]
) -> None:
    """Better or worse, a correction has the last word; an unknown minute leaves the ledger."""
    tail = extend((), runs)

    after = _by_minute(corrected(tail, [Run(minute, minute + 1, state) for minute, state in minutes.items()]))

    expected = {**_by_minute(tail), **minutes}
    assert after == {minute: state for minute, state in expected.items() if state is not MinuteState.UNKNOWN}
