"""Every minute of a month has one rule, and the rules add up to the budget."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.budget import budget_of
from sentry.domain.counting import EFFECTS, Effect, Rule, counted_intervals, sums
from sentry.domain.failure_report import Attribution
from sentry.domain.ledger import CheckRuns, Explained, MinuteState, Run, merge_explained, overlay
from sentry.domain.maintenance import Judgement, Work
from sentry.domain.maintenance_window import WorkKind
from sentry.domain.responsibility import AttributedSpan, attributed_runs, left_out

SPAN = 600
states = st.sampled_from([MinuteState.UP, MinuteState.DOWN, MinuteState.DEGRADED, MinuteState.UNKNOWN])
stories = st.lists(st.tuples(states, st.integers(1, 90)), min_size=1, max_size=12)
spans = st.lists(
    st.builds(
        lambda number, start, length, side: AttributedSpan(number, start, start + length, side),
        st.integers(1, 9),
        st.integers(0, SPAN),
        st.integers(1, 120),
        st.sampled_from(Attribution),
    ),
    max_size=4,
)
EARLY, LATE = datetime(1969, 12, 1, tzinfo=UTC), datetime(1970, 1, 2, tzinfo=UTC)
windows = st.lists(
    st.builds(
        lambda start, length, said, kind: Work(start, start + length, start, "1", said, 48.0, "disks", kind),
        st.integers(0, SPAN),
        st.integers(1, 60),
        st.sampled_from([EARLY, LATE]),
        st.sampled_from(WorkKind),
    ),
    max_size=3,
)


def explained_runs(story: list[tuple[MinuteState, int]]) -> tuple[Explained, ...]:
    runs, at = [], 0
    for state, length in story:
        runs.append(Run(at, at + length, state))
        at += length
    layer = CheckRuns("shop/http", tuple(run for run in runs if run.state is not MinuteState.UNKNOWN), 0, at)
    return merge_explained([layer], 0, at)


def test_effects_every_rule_has_one() -> None:
    """No minute is left without what it does to the account."""
    assert set(EFFECTS) == set(Rule)


@pytest.mark.promise("001-23", "001-24")
@given(stories, spans, windows, st.integers(0, 50), st.integers(0, 200))
def test_counted_intervals_any_month_adds_up_to_its_budget_exactly(
    story: list[tuple[MinuteState, int]],
    incidents: list[AttributedSpan],
    announced: list[Work],
    begin: int,
    to_come: int,
) -> None:
    """The intervals tile the month, and what each does to the account sums up to every figure of the budget."""
    explained = explained_runs(story)
    until = explained[-1].run.end
    end = until + to_come
    work = sorted(announced, key=lambda one: (one.start, one.end))
    excused = [(one.start, one.end) for one in work if one.judgement is Judgement.EXCLUDED]
    runs = overlay([piece.run for piece in explained], excused)
    shared = attributed_runs(runs, incidents)
    out = left_out(shared, {Attribution.CLIENT, Attribution.THIRD_PARTY})
    budget = budget_of(runs, Fraction(997, 1000), 0, end, until, left_out=out)

    found = counted_intervals(explained, runs, budget, -begin, work, shared, out)

    assert [one.start for one in found] == [-begin, *(one.end for one in found[:-1])] if begin else True
    assert sum(one.minutes for one in found) == end + begin
    assert all(one.minutes > 0 for one in found)
    minutes = sums(found)
    assert minutes[Effect.SPENT] == budget.spent
    assert minutes[Effect.UNSEEN] == budget.minutes.unknown
    assert minutes[Effect.AVAILABLE] == budget.minutes.answered
    assert minutes[Effect.TAKEN_OUT] == budget.minutes.maintenance + budget.left_out
    assert (1 - budget.target) * (budget.span_minutes - minutes[Effect.TAKEN_OUT]) == budget.allowed
    sides = {one.incident.side for one in found if one.incident and one.rule is Rule.OF_OTHERS}
    assert sides <= {Attribution.CLIENT, Attribution.THIRD_PARTY}
