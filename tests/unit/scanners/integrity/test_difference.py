"""What a difference comes to, and how much of it is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanners.integrity.difference import SHOWN_LINES, Nature, difference

OLD = b"<?php\n// $Id$\n# done\n$a = 'x y';\n"


@pytest.mark.parametrize(
    ("new", "nature"),
    [
        (OLD.replace(b"\n", b"\r\n"), Nature.LINE_ENDS),
        (OLD.replace(b"$Id$", b"$Id: page.php 12 2026-11-22 10:00:00Z ana $"), Nature.KEYWORDS),
        (OLD.replace(b"\n", b"  \n\n"), Nature.BLANKS),
        (OLD.replace(b"# done\n", b"# done\n\n"), Nature.BLANKS),
        (OLD.replace(b"x y", b"xy"), Nature.CODE),
        (OLD.replace(b"# done\n", b"# done\r"), Nature.CODE),
        (OLD.replace(b"# done\n", b"# "), Nature.CODE),
        (OLD.replace(b"$Id$", b"$Id: ?> <?php system(getenv('HTTP_X')); $"), Nature.CODE),
        (OLD.replace(b"$Id$", b"$Id: \n evil; $"), Nature.CODE),
    ],
    ids=[
        "crlf",
        "keyword",
        "blanks",
        "empty line",
        "text",
        "lone cr",
        "joined",
        "code in keyword",
        "line in keyword",
    ],
)
def test_difference_is_called_harmless_only_where_it_can_hide_nothing(new: bytes, nature: Nature) -> None:
    """A line end ends a comment, and a keyword holds what version control writes, no more."""
    assert difference(OLD, new).nature is nature


@given(st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n"])), st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n"])))
def test_difference_counts_what_came_and_went(old: list[bytes], new: list[bytes]) -> None:
    """What went and came makes up the difference in length, and what came is no more than there is."""
    found = difference(b"".join(old), b"".join(new))

    assert len(old) - found.removed + found.added == len(new)
    assert found.text.count(b"\n") == found.added <= len(new)


def test_difference_of_a_long_line_shows_where_it_begins() -> None:
    """A script in one line of megabytes would otherwise show its harmless beginning."""
    old = b"x" * 3_000_000 + b"end();"
    found = difference(old, old.replace(b"end();", b"steal();end();"))

    assert found.lines[1].text.endswith("steal();end();")
    assert all(len(line.text) <= 160 for line in found.lines)


def test_difference_of_a_picture_has_no_lines_and_knows_what_stands_behind_it() -> None:
    """Code behind a picture leaves it as it looks."""
    picture = b"\x89PNG\0\1\2\n\3"
    found = difference(picture, picture + b"<?php evil();")

    assert (found.nature, found.text, found.lines) == (Nature.CODE, b"<?php evil();", ())


def test_difference_written_against_the_comparison_is_told_in_time() -> None:
    """Lines that all are the same fit everywhere, and whoever tries every place never ends."""
    old = b"}\n" * 400 + b"a\n" + b"}\n" * 400

    assert difference(old, b"}\nb\n" * 450).added >= 450


def test_difference_of_bytes_that_are_no_text_is_cut() -> None:
    """Each of them takes four characters to be shown."""
    found = difference(b"a\n", b"\xff" * 1_000 + b"\n")

    assert max(len(line.text) for line in found.lines) <= 160


def test_difference_of_everything_is_bounded() -> None:
    """However many lines differ, a few are shown, and none breaks a terminal."""
    old, new = b"a\n" * 100_000, b"\x1b[2J" + b"b\n" * 100_000
    found = difference(old, new)

    assert (found.added, found.removed, len(found.lines)) == (100_000, 100_000, SHOWN_LINES)
    assert all(line.text.isprintable() for line in found.lines)
