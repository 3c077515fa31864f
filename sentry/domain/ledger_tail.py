"""How new minutes join a ledger: only its end is touched, and where minutes meet the worse state stands."""

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter, itemgetter

from sentry.domain.ledger import MinuteState, Run

SEVERITY = {
    MinuteState.UNKNOWN: 0,
    MinuteState.MAINTENANCE: 1,
    MinuteState.UP: 2,
    MinuteState.DEGRADED: 3,
    MinuteState.DOWN: 4,
}
"""Which of two states of one minute stands: the higher. What a probe saw outweighs what was planned, and anything
outweighs not knowing."""


def extend(tail: Sequence[Run], added: Iterable[Run]) -> tuple[Run, ...]:
    """Returns the tail with the added minutes in it.

    Args:
        tail: the runs of one check from the one that holds or precedes the earliest added minute; ordered, apart.
        added: minutes in any order, also overlapping; UNKNOWN ones say nothing and are passed over.

    Returns:
        The runs that replace the tail: ordered, without overlap, and no two neighbours that could be one.
    """
    edges: list[tuple[int, int, MinuteState]] = []
    for run in (*tail, *added):
        if run.minutes > 0 and run.state is not MinuteState.UNKNOWN:
            edges += [(run.start, 1, run.state), (run.end, -1, run.state)]
    runs: list[Run] = []
    standing: Counter[MinuteState] = Counter()
    position = 0
    for minute, change, state in sorted(edges, key=itemgetter(0)):
        states = [state for state, count in standing.items() if count]
        if states and position < minute:
            _join(runs, Run(position, minute, max(states, key=SEVERITY.__getitem__)))
        standing[state] += change
        position = minute
    return tuple(runs)


def corrected(tail: Sequence[Run], minutes: Iterable[Run]) -> tuple[Run, ...]:
    """Returns the tail with minutes that stand as they are given, also where they were worse; UNKNOWN ones are out.

    Args:
        tail: the runs of one check from the one that holds or precedes the earliest of these minutes; ordered, apart.
        minutes: in any order, without overlap.
    """
    minutes = sorted(minutes, key=attrgetter("start"))
    kept = list(tail)
    for cut in minutes:
        kept = [
            piece
            for run in kept
            for piece in (
                Run(run.start, min(run.end, cut.start), run.state),
                Run(max(run.start, cut.end), run.end, run.state),
            )
            if piece.minutes > 0
        ]
    return extend(kept, minutes)


def append(last: Run, added: Iterable[Run]) -> list[Run] | None:
    """Returns the runs that change when minutes are added at the end of a ledger: what `extend` does, cheaply.

    Args:
        last: the ledger's last run.
        added: minutes in any order; UNKNOWN ones are passed over.

    Returns:
        The last run, longer, and those that come after it; nothing where nothing changes, and None where a minute
        overlaps others in another state or lies before the last run: that takes `extend`.
    """
    changed: list[Run] = []
    for run in added:
        if run.state is MinuteState.UNKNOWN or run.end <= run.start:
            continue
        if run.state is last.state and last.start <= run.start <= last.end:
            if run.end <= last.end:
                continue
            last = Run(last.start, run.end, last.state)
            if changed and changed[-1].start == last.start:
                changed.pop()
        elif run.start >= last.end:
            last = run
        else:
            return None
        changed.append(last)
    return changed


def _join(runs: list[Run], run: Run) -> None:
    if runs and runs[-1].end == run.start and runs[-1].state is run.state:
        runs[-1] = Run(runs[-1].start, run.end, run.state)
    else:
        runs.append(run)
