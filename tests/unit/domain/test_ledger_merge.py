import time
from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.ledger import (
    CheckRuns,
    MinuteState,
    Run,
    Totals,
    clip,
    fill,
    merge,
    merge_explained,
    overlay,
    totals,
)

UP, DOWN, DEGRADED, UNKNOWN, MAINTENANCE = (
    MinuteState.UP,
    MinuteState.DOWN,
    MinuteState.DEGRADED,
    MinuteState.UNKNOWN,
    MinuteState.MAINTENANCE,
)
SPAN = 60


@st.composite
def some_runs(draw: st.DrawFn) -> tuple[Run, ...]:
    """Ordered runs with gaps, reaching beyond the span on both sides."""
    edges = sorted(draw(st.sets(st.integers(-10, SPAN + 10), max_size=12)))
    pairs = pairwise(edges)
    chosen = [(start, end, draw(st.sampled_from([*MinuteState, None]))) for start, end in pairs]
    return tuple(Run(start, end, state) for start, end, state in chosen if state is not None)


@st.composite
def some_layers(draw: st.DrawFn) -> list[CheckRuns]:
    """Up to four checks, each counting for its own part of the span."""
    layers = []
    for number in range(draw(st.integers(0, 4))):
        start = draw(st.integers(-5, SPAN + 5))
        end, degrades = draw(st.integers(start, SPAN + 10)), draw(st.booleans())
        layers.append(CheckRuns(f"s/{number}", draw(some_runs()), start, end, degrades))
    return layers


def by_minute(runs: Sequence[Run]) -> Mapping[int, MinuteState]:
    """The plain model: one entry for each minute."""
    return {minute: run.state for run in runs for minute in range(run.start, run.end)}


def said(layer: CheckRuns, minute: int) -> MinuteState | None:
    """What a check says of a minute of its site: one that degrades says degraded at most, and nothing unseen."""
    if not layer.start <= minute < layer.end:
        return None
    state = by_minute(layer.runs).get(minute, UNKNOWN)
    if not layer.degrades:
        return state
    return {DOWN: DEGRADED, UNKNOWN: None}.get(state, state)


def site_minute(layers: Sequence[CheckRuns], minute: int) -> MinuteState:
    """The rule of the house for one minute, as the contract words it."""
    states = [state for layer in layers if (state := said(layer, minute)) is not None]
    if not states:
        return UNKNOWN
    return next(state for state in (DOWN, UNKNOWN, DEGRADED, UP, MAINTENANCE) if state in states)


@given(some_layers())
def test_merge_any_checks_equals_the_rule_minute_by_minute(layers: list[CheckRuns]) -> None:
    """The sweep over edges says of every minute what the rule says of it."""
    assert by_minute(merge(layers, 0, SPAN)) == {minute: site_minute(layers, minute) for minute in range(SPAN)}


@given(some_layers())
def test_merge_any_checks_tiles_the_span_and_adds_up(layers: list[CheckRuns]) -> None:
    """Runs follow each other without gap, differ from their neighbours, and their minutes add up."""
    runs = merge(layers, 0, SPAN)
    assert [run.start for run in runs] == [0, *(run.end for run in runs[:-1])]
    assert runs[-1].end == SPAN
    assert all(one.state is not other.state for one, other in pairwise(runs))
    assert totals(runs).total == SPAN


@given(some_runs())
def test_fill_any_runs_keeps_states_and_makes_gaps_unknown(runs: tuple[Run, ...]) -> None:
    """What a run covers stays, the rest is unknown."""
    told = by_minute(runs)
    assert by_minute(fill(runs, 0, SPAN)) == {minute: told.get(minute, UNKNOWN) for minute in range(SPAN)}


@given(some_runs(), st.lists(st.tuples(st.integers(-5, 65), st.integers(-5, 65)), max_size=5))
def test_overlay_any_windows_turns_exactly_their_minutes_into_maintenance(
    runs: tuple[Run, ...], windows: list[tuple[int, int]]
) -> None:
    """Minutes inside a window are maintenance, all others keep their state."""
    windows = [(start, end) for start, end in windows if start < end]
    whole = fill(runs, 0, SPAN)
    covered = {minute for start, end in windows for minute in range(start, end)}
    expected = {minute: MAINTENANCE if minute in covered else state for minute, state in by_minute(whole).items()}
    assert by_minute(overlay(whole, windows)) == expected


@given(some_layers())
def test_merge_explained_any_checks_names_those_that_hold_the_state(layers: list[CheckRuns]) -> None:
    """Whoever is named was in the state that the minute got, and nobody else was."""
    for piece in merge_explained(layers, 0, SPAN):
        for minute in range(piece.run.start, piece.run.end):
            holders = {layer.key for layer in layers if said(layer, minute) is piece.run.state}
            assert set(piece.decided_by) == holders


@pytest.mark.promise("001-28")
def test_merge_check_not_probed_is_unknown_never_up() -> None:
    """A minute that one check did not see is unknown though another was up."""
    layers = [CheckRuns("s/http", (Run(0, 10, UP),), 0, 10), CheckRuns("s/tls", (Run(0, 4, UP),), 0, 10)]
    assert merge(layers, 0, 10) == (Run(0, 4, UP), Run(4, 10, UNKNOWN))


def test_merge_check_added_later_counts_only_from_its_first_minute() -> None:
    """A new check does not make the past unknown."""
    layers = [CheckRuns("s/http", (Run(0, 10, UP),), 0, 10), CheckRuns("s/tls", (Run(6, 10, DOWN),), 6, 10)]
    assert merge(layers, 0, 10) == (Run(0, 6, UP), Run(6, 10, DOWN))


@pytest.mark.promise("001-30")
def test_merge_check_that_degrades_never_makes_the_site_down_or_unknown() -> None:
    """A payment gateway that is down degrades the shop, and one that was not probed leaves it as it is."""
    layers = [
        CheckRuns("s/home", (Run(0, 9, UP), Run(9, 12, DOWN)), 0, 12),
        CheckRuns("s/gateway", (Run(0, 3, UP), Run(3, 6, DOWN), Run(8, 12, DOWN)), 0, 12, degrades=True),
    ]
    expected = (Run(0, 3, UP), Run(3, 6, DEGRADED), Run(6, 8, UP), Run(8, 9, DEGRADED), Run(9, 12, DOWN))
    assert merge(layers, 0, 12) == expected


def test_merge_no_check_is_unknown_all_along() -> None:
    """Where nobody looked nothing is known."""
    assert merge([], 5, 9) == (Run(5, 9, UNKNOWN),)


def test_clip_run_across_the_edges_is_cut() -> None:
    """Only the minutes inside are left."""
    assert clip([Run(0, 5, UP), Run(5, 6, DOWN), Run(9, 30, UP)], 3, 10) == (
        Run(3, 5, UP),
        Run(5, 6, DOWN),
        Run(9, 10, UP),
    )


def test_totals_no_runs_is_zero() -> None:
    """Nothing adds up to nothing."""
    assert totals([]) == Totals()


def test_merge_thirteen_months_of_ten_runs_takes_no_time() -> None:
    """The work grows with the runs, not with the 570,000 minutes that they hold."""
    span = 13 * 44_640
    runs = tuple(Run(start, start + 50_000, UP) for start in range(0, span, 55_000))
    began = time.process_time()
    merged = merge([CheckRuns("s/http", runs, 0, span), CheckRuns("s/tls", runs, 0, span)], 0, span)
    assert time.process_time() - began < 0.1
    assert totals(merged).total == span
