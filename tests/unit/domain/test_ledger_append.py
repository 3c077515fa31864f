"""Minutes at a ledger's end, the cheap way: what `append` says is what `extend` makes of the whole ledger."""

from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.ledger import MinuteState, Run
from sentry.domain.ledger_tail import append, extend

runs = st.builds(
    lambda start, length, state: Run(start, start + length, state),
    st.integers(0, 20),
    st.integers(0, 4),
    st.sampled_from(MinuteState),
)


@given(st.lists(runs, min_size=1), st.lists(runs, max_size=4), st.integers(0, 20))
def test_append_changes_what_extend_would_or_leaves_it_to_it(before: list[Run], added: list[Run], later: int) -> None:
    """Also for minutes that overlap, leave gaps or come in any order."""
    ledger = list(extend([], before))
    added = [Run(run.start + later, run.end + later, run.state) for run in added]
    if not ledger:
        return

    changed = append(ledger[-1], added)

    if changed is not None:
        written = {run.start: run for run in (*ledger, *changed)}
        assert tuple(written[start] for start in sorted(written)) == extend(ledger, added)


def test_append_of_the_next_minute_is_one_longer_run() -> None:
    """The minute that comes ten thousand times a minute takes the cheap way."""
    last = Run(10, 20, MinuteState.UP)

    assert append(last, [Run(20, 21, MinuteState.UP)]) == [Run(10, 21, MinuteState.UP)]
    assert append(last, [Run(19, 20, MinuteState.UP)]) == []
    assert append(last, [Run(20, 21, MinuteState.DOWN)]) == [Run(20, 21, MinuteState.DOWN)]
    assert append(last, [Run(19, 20, MinuteState.DOWN)]) is None
    assert append(last, [Run(5, 6, MinuteState.UP)]) is None
