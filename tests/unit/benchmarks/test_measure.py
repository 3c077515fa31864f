from collections.abc import Iterator

import pytest

from benchmarks.measure import Contestant, RunRejected, interleaved, medians


def contestant(name: str, costs: Iterator[float], order: list[str]) -> Contestant:
    def run() -> float:
        order.append(name)
        return next(costs)

    return Contestant(name, run)


def test_interleaved_three_rounds_lets_another_one_begin_each() -> None:
    """No contestant always runs first, after the pause between two rounds."""
    order: list[str] = []
    costs = interleaved([contestant(name, iter([3.0, 1.0, 2.0]), order) for name in "abc"], 3)

    assert order == list("abcbcacab")
    assert medians(costs) == {"a": 2.0, "b": 2.0, "c": 2.0}


def test_interleaved_run_too_short_to_measure_is_rejected() -> None:
    """A cost of nothing is no figure: every ratio to it would be infinite."""
    with pytest.raises(RunRejected, match="cost nothing"):
        interleaved([contestant("a", iter([0.0]), [])], 1)


def test_interleaved_contestant_fails_gives_no_figure() -> None:
    """What was measured before a failed run is not returned either."""

    def fail() -> float:
        raise RunRejected("3 of 4 probes went well")

    with pytest.raises(RunRejected, match="3 of 4"):
        interleaved([contestant("a", iter([1.0]), []), Contestant("b", fail)], 1)
