import pytest

from benchmarks.exposition import Exposition, quantile

NAME = "delay_seconds"


def page(*counts: int) -> Exposition:
    lines = [
        f'{NAME}_bucket{{le="{bound}"}} {count}'
        for bound, count in zip(("0.01", "0.02", "+Inf"), counts, strict=True)
    ]
    text = "\n".join([f"# TYPE {NAME} histogram", *lines, 'up_total{result="up"} 3', "other 1"])
    return Exposition.parse(text, frozenset({f"{NAME}_bucket", "up_total"}))


def test_quantile_two_scrapes_takes_what_came_between_them() -> None:
    """What a histogram held before the measured span says nothing of the span."""
    assert quantile(NAME, 0.5, page(90, 90, 90), page(90, 100, 100)) == pytest.approx(0.015)


def test_quantile_nothing_came_is_none() -> None:
    """No probe, no lateness: a figure of nothing would be a lie."""
    assert quantile(NAME, 0.5, page(1, 1, 1), page(1, 1, 1)) is None


def test_quantile_above_the_highest_bound_is_that_bound() -> None:
    """Nothing is known above it; PromQL answers alike."""
    assert quantile(NAME, 0.99, page(0, 0, 0), page(0, 0, 7)) == 0.02


def test_parse_other_names_are_passed_over() -> None:
    """A page of 150,000 lines is read for a few of them."""
    assert page(0, 0, 0).total("up_total", 'result="up"') == 3.0
    assert "other" not in page(0, 0, 0).samples
