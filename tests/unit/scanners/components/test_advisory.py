"""Which versions a hole is in, and which one mends it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanners.components.advisory import ANY, Affected, Span, spans_of_events
from scanners.components.cvss import base_score, severity_word
from scanners.components.versions import Ecosystem

PLUGIN = Ecosystem.WORDPRESS_PLUGIN
BRANCHES = Affected(
    PLUGIN,
    "shop",
    spans=(Span(ANY, "5.1.2", high_inclusive=False), Span("6.0", "6.0.2")),
    fixed=("6.0.3", "5.1.2"),
)


@pytest.mark.parametrize(
    ("version", "is_affected", "cure"),
    [
        ("0.1", True, "5.1.2"),
        ("5.1.1", True, "5.1.2"),
        ("5.1.2", False, "6.0.3"),
        ("6.0", True, "6.0.3"),
        ("6.0.2", True, "6.0.3"),
        ("6.0.2.1", False, "6.0.3"),
        ("7.0", False, None),
        ("trunk", None, "5.1.2"),
        ("", None, "5.1.2"),
    ],
)
def test_affected_of_branches_knows_each_branch(version: str, is_affected: bool | None, cure: str | None) -> None:
    """And the next version of the own branch is the cure, not the first of the list."""
    assert BRANCHES.holds(version) is is_affected
    assert BRANCHES.cure(version) == cure


def test_affected_without_bounds_holds_every_version() -> None:
    """Also one that nobody can place: `*` means all, and no version mends it."""
    abandoned = Affected(PLUGIN, "old", spans=(Span(),))

    assert abandoned.holds("dev-main") is True
    assert abandoned.holds("") is True
    assert abandoned.cure("1.0") is None
    assert abandoned.text == "all versions"


def test_affected_by_a_list_of_versions_holds_those_alone() -> None:
    """However the version is written."""
    listed = Affected(Ecosystem.PACKAGIST, "a/b", versions=("1.0.0", "v1.2.0"))

    assert [listed.holds(one) for one in ("1.0", "1.1.0", "1.2.0", "v1.2.0")] == [True, False, True, True]


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20), st.booleans(), st.booleans())
def test_span_holds_what_lies_between(version: int, low: int, high: int, from_low: bool, to_high: bool) -> None:
    """With or without its ends."""
    span = Span(f"1.{low}", f"1.{high}", low_inclusive=from_low, high_inclusive=to_high)
    affected = Affected(PLUGIN, "a", spans=(span,))
    above = version >= low if from_low else version > low
    below = version <= high if to_high else version < high

    assert affected.holds(f"1.{version}") is (above and below)


EVENTS = st.lists(
    st.tuples(st.sampled_from(["introduced", "fixed", "last_affected"]), st.integers(1, 9)), min_size=1, max_size=6
)


@given(EVENTS, st.integers(0, 11), st.booleans())
def test_events_mean_what_the_osv_schema_reckons(
    events: list[tuple[str, int]], version: int, since_ever: bool
) -> None:
    """Compared with the algorithm of the specification, event by event."""
    written = [(kind, f"1.{number}") for kind, number in events]
    if since_ever:
        written.append(("introduced", "0"))
    spans, fixed = spans_of_events(Ecosystem.NPM, written)

    ranks = {"fixed": 0, "introduced": 1, "last_affected": 2}
    numbered = [(-1, "introduced")] * since_ever + [(number, kind) for kind, number in events]
    state = False
    for number, kind in sorted(numbered, key=lambda event: (event[0], ranks[event[1]])):
        if kind == "introduced" and version >= number:
            state = True
        elif (kind == "fixed" and version >= number) or (kind == "last_affected" and version > number):
            state = False
    assert Affected(Ecosystem.NPM, "a", spans).holds(f"1.{version}") is state
    assert sorted(fixed) == sorted(f"1.{number}" for kind, number in events if kind == "fixed")


@pytest.mark.parametrize(
    ("vector", "score", "word"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, "critical"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, "medium"),
        ("CVSS:3.0/AV:L/AC:H/PR:H/UI:N/S:U/C:L/I:N/A:N", 1.9, "low"),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:N", 0.0, "none"),
    ],
)
def test_score_of_a_vector_is_that_of_the_calculator(vector: str, score: float, word: str) -> None:
    """Figures of FIRST's own calculator."""
    assert base_score(vector) == score
    assert severity_word(score) == word


@pytest.mark.parametrize("vector", ["", "CVSS:4.0/AV:N", "CVSS:3.1/AV:N", "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H"])
def test_score_of_what_is_no_vector_is_none(vector: str) -> None:
    """No figure is made up."""
    assert base_score(vector) is None
