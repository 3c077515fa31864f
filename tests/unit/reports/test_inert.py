import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.reports.inert import inert_line, inert_lines


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("\x1b[2J\x1b[31mroot@host# \x1b[0m", "root@host#"),
        ("\x1b]0;owned\x07title", "title"),
        ("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x1b]52;c;cm0gLXJmIC8=\x07x", "x"),
        ("\x9b31mred", "red"),
        ("\x1bcreset", "reset"),
        ("a\x08\x08b", "ab"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("\u2066a\u2069\u200b\ufeffb", "ab"),
        ("Subject: x\r\nBcc: victim@example.com", "Subject: x Bcc: victim@example.com"),
        ("a\u2028b\u0085c", "a b c"),
        ("z\u0336\u0336\u0336\u0336\u0336", "z\u0336\u0336"),
        ("nul\x00byte", "nulbyte"),
        ("\U000e0041tag", "tag"),
        ("a\u00a0b\tc", "a b c"),
        ("El Niño 東京 🛒", "El Niño 東京 🛒"),
    ],
)
def test_inert_line_hostile_text_leaves_only_what_can_be_seen(hostile: str, harmless: str) -> None:
    """Escapes, controls, bidi marks and line ends do nothing; letters of every language stay."""
    assert inert_line(hostile) == harmless


@given(st.text(max_size=400))
def test_inert_line_any_text_is_one_line_without_controls(text: str) -> None:
    """Nothing that moves a cursor, ends a header or turns the direction is left, whatever comes in."""
    line = inert_line(text, 80)
    assert len(line) <= 80
    assert not {unicodedata.category(character) for character in line} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert inert_line(line, 80) == line


@given(st.text(max_size=400))
def test_inert_lines_any_text_has_no_controls_in_any_line(text: str) -> None:
    """The same for text of several lines."""
    for line in inert_lines(text):
        assert not {unicodedata.category(character) for character in line} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_inert_line_long_text_is_cut_with_an_ellipsis() -> None:
    """A megabyte costs what is shown of it."""
    assert inert_line("x" * 1_000_000, 10) == "xxxxxxxxx…"


def test_inert_lines_page_keeps_its_lines_and_indents() -> None:
    """A page can still be read."""
    assert inert_lines("<html>\r\n\t<p>\rx") == ["<html>", "    <p>", "x"]
