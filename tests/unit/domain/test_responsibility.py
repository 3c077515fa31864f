"""Whose side counts, and which minutes that leaves out."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.failure_report import Attribution
from sentry.domain.ledger import MinuteState, Run, totals
from sentry.domain.responsibility import (
    AGENT,
    AttributedSpan,
    AttributionEntry,
    attributed_runs,
    left_out,
    said_by_person,
    standing_side,
)

AT = datetime(2026, 11, 22, 3, 15, tzinfo=UTC)
CLIENT, THIRD_PARTY, SITE = Attribution.CLIENT, Attribution.THIRD_PARTY, Attribution.SITE
INFRASTRUCTURE, UNKNOWN = Attribution.INFRASTRUCTURE, Attribution.UNKNOWN
DOWN, UP = MinuteState.DOWN, MinuteState.UP


def guess(side: Attribution, opening: int = 1) -> AttributionEntry:
    return AttributionEntry(AT, side, opening, AGENT, "some_basis")


def word(side: Attribution, opening: int = 1) -> AttributionEntry:
    return said_by_person(side, opening, "Ana", "they moved the name", AT)


@pytest.mark.parametrize(
    ("entries", "side"),
    [
        ([], UNKNOWN),
        ([guess(INFRASTRUCTURE)], INFRASTRUCTURE),
        ([guess(UNKNOWN), guess(THIRD_PARTY)], THIRD_PARTY),
        ([guess(INFRASTRUCTURE), word(CLIENT)], CLIENT),
        ([guess(INFRASTRUCTURE), word(CLIENT), word(SITE)], SITE),
        ([guess(INFRASTRUCTURE), word(CLIENT), guess(THIRD_PARTY)], CLIENT),
        ([guess(THIRD_PARTY), guess(INFRASTRUCTURE, 2)], UNKNOWN),
        ([guess(THIRD_PARTY), guess(THIRD_PARTY, 2)], THIRD_PARTY),
        ([guess(INFRASTRUCTURE), word(CLIENT), guess(INFRASTRUCTURE, 2)], UNKNOWN),
        ([guess(INFRASTRUCTURE), guess(INFRASTRUCTURE, 2), word(CLIENT, 2)], CLIENT),
    ],
)
def test_standing_side_newest_word_counts_and_a_person_over_a_guess(
    entries: list[AttributionEntry], side: Attribution
) -> None:
    """Openings on different sides are on none, until a person speaks of them all."""
    assert standing_side(entries) is side


@pytest.mark.parametrize(
    ("by", "reason", "wrong"), [("Ana", " \n\0", "reason"), ("Ana", "x" * 501, "reason"), ("\t", "why", "by")]
)
def test_said_by_person_without_name_or_reason_is_refused(by: str, reason: str, wrong: str) -> None:
    """Nobody takes minutes out of a promise without saying who and why."""
    with pytest.raises(ValueError, match=f"^{wrong}: "):
        said_by_person(CLIENT, 1, by, reason, AT)


@given(st.text(max_size=80), st.text(max_size=500))
def test_said_by_person_any_text_is_one_printable_line(by: str, reason: str) -> None:
    """Whatever is pasted cannot break a page, a table or a terminal."""
    try:
        entry = said_by_person(CLIENT, 1, by, reason, AT)
    except ValueError:
        return
    assert entry.by.isprintable()
    assert entry.reason.isprintable()
    assert entry.is_of_person


spans = st.lists(
    st.builds(
        lambda number, start, length, side: AttributedSpan(number, start, start + length, side),
        st.integers(1, 9),
        st.integers(0, 300),
        st.integers(1, 80),
        st.sampled_from(Attribution),
    ),
    max_size=5,
)


@given(st.lists(st.tuples(st.sampled_from([UP, DOWN]), st.integers(1, 50)), max_size=10), spans)
def test_attributed_runs_any_outages_share_every_down_minute_out_once(
    lengths: list[tuple[MinuteState, int]], incidents: list[AttributedSpan]
) -> None:
    """No down minute is lost or doubled, none lies outside its incident, and what is left out is down."""
    runs, at = [], 0
    for state, length in lengths:
        runs.append(Run(at, at + length, state))
        at += length
    found = attributed_runs(runs, incidents)
    minutes = [minute for each in found for minute in range(each.run.start, each.run.end)]
    assert minutes == [m for run in runs if run.state is DOWN for m in range(run.start, run.end)]
    for each in found:
        if each.span is None:
            assert not any(span.start < each.run.end and span.end > each.run.start for span in incidents)
        else:
            assert each.span.start <= each.run.start < each.run.end <= each.span.end
    assert totals(left_out(found, [])).total == 0
    assert totals(left_out(found, list(Attribution))).down == sum(each.run.minutes for each in found if each.span)


def test_attributed_runs_good_minutes_within_an_incident_stay_good() -> None:
    """Between two openings the site worked: there is nothing to leave out."""
    runs = [Run(0, 10, DOWN), Run(10, 20, UP), Run(20, 30, DOWN)]
    span = AttributedSpan(1, 0, 30, CLIENT)
    assert left_out(attributed_runs(runs, [span]), {CLIENT}) == (runs[0], runs[2])
    assert left_out(attributed_runs(runs, [replace(span, side=SITE)]), {CLIENT}) == ()
