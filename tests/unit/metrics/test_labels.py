"""Label values from certificates and the configuration."""

import pytest

from sentry.metrics.labels import MAX_LABEL_CHARS, label_value, number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('CN="a"', r"CN=\"a\""),
        ("back\\slash", r"back\\slash"),
        ("a\nprobe_success 0", "a?probe_success 0"),
        ("a\x00b\x7fc\u202ed\ud800e", "a?b?c?d?e"),
        ("Peluquería Núñez", "Peluquería Núñez"),
    ],
)
def test_label_value_hostile_is_escaped(text: str, value: str) -> None:
    """No certificate name can end its quotes, its line, or turn the text around."""
    assert label_value(text) == value


def test_label_value_too_long_ends_in_an_ellipsis() -> None:
    """A certificate of a thousand names stays one bounded label."""
    value = label_value("x" * 5000)
    assert len(value) == MAX_LABEL_CHARS
    assert value.endswith("…")


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (0.25, "0.25"), (float("nan"), "NaN"), (float("inf"), "+Inf"), (float("-inf"), "-Inf"), (-1, "-1")],
)
def test_number_any_is_written_as_the_format_wants(value: float, text: str) -> None:
    """Also the figures that are no numbers."""
    assert number(value) == text
