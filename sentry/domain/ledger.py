"""The ledger: the state of each minute of each check and site, kept as runs of equal minutes.

A minute is its number since the Unix epoch. A minute that no run covers was not probed and is `unknown`: a gap
needs no writing, so a killed agent leaves an honest ledger behind.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter, itemgetter


class MinuteState(StrEnum):
    """State of one minute."""

    UP = "up"
    DOWN = "down"
    DEGRADED = "degraded"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive minutes of one state: from `start` up to, not including, `end`."""

    start: int
    end: int
    state: MinuteState

    @property
    def minutes(self) -> int:
        """How many minutes the run holds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class CheckRuns:
    """The runs of one check, and the minutes for which it had a say in the state of its site.

    Attributes:
        runs: ordered, without overlap; gaps mean `unknown`.
        start: the minute from which the check counts (it was first seen); end: the minute it stopped counting.
        degrades: whether its minutes down only degrade the site, and those not probed say nothing of it.
    """

    key: str
    runs: tuple[Run, ...]
    start: int
    end: int
    degrades: bool = False

    def within(self, start: int, end: int) -> Iterable[Run]:
        """Returns what it says of the minutes [start, end) for which it counts."""
        first, last = max(start, self.start), min(end, self.end)
        if not self.degrades:
            return fill(self.runs, first, last)
        return [
            Run(run.start, run.end, MinuteState.DEGRADED) if run.state is MinuteState.DOWN else run
            for run in clip(self.runs, first, last)
            if run.state is not MinuteState.UNKNOWN
        ]


@dataclass(frozen=True, slots=True)
class Explained:
    """A run of a site, and the checks (or sites) that made its minutes what they are."""

    run: Run
    decided_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """How many minutes of each state a span holds."""

    up: int = 0
    down: int = 0
    degraded: int = 0
    maintenance: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """All minutes of the span."""
        return self.up + self.down + self.degraded + self.maintenance + self.unknown

    @property
    def answered(self) -> int:
        """Minutes in which the site did its work, quickly or slowly."""
        return self.up + self.degraded


PRECEDENCE = (
    MinuteState.DOWN,
    MinuteState.UNKNOWN,
    MinuteState.DEGRADED,
    MinuteState.UP,
    MinuteState.MAINTENANCE,
)
"""Which state wins a minute in which several checks (or several sites of an account) disagree, strongest first.

Maintenance comes last: a minute is excluded only when nothing in it was asked to work.
"""


def clip(runs: Sequence[Run], start: int, end: int) -> tuple[Run, ...]:
    """Cuts runs to the minutes [start, end); only the runs at the edges are looked at.

    Args:
        runs: ordered runs without overlap.
        start: first minute that is kept.
        end: first minute that is not.
    """
    if start >= end:
        return ()
    first = bisect_right(runs, start, key=_end_of)
    inside = list(runs[first : bisect_left(runs, end, lo=first, key=_start_of)])
    if inside:
        inside[0] = Run(max(inside[0].start, start), inside[0].end, inside[0].state)
        inside[-1] = Run(inside[-1].start, min(inside[-1].end, end), inside[-1].state)
    return tuple(inside)


def fill(runs: Sequence[Run], start: int, end: int) -> tuple[Run, ...]:
    """Covers every minute of [start, end) exactly once: what no run covers becomes `unknown`.

    Args:
        runs: ordered runs without overlap.
        start: first minute.
        end: the minute after the last.

    Returns:
        Runs that tile the span; neighbours differ in state.
    """
    filled: list[Run] = []
    reached = start
    for run in clip(runs, start, end):
        if run.start > reached:
            filled.append(Run(reached, run.start, MinuteState.UNKNOWN))
        filled.append(run)
        reached = run.end
    if reached < end:
        filled.append(Run(reached, end, MinuteState.UNKNOWN))
    return _joined(filled)


def merge(layers: Iterable[CheckRuns], start: int, end: int) -> tuple[Run, ...]:
    """Derives the runs of a site from its checks (or of an account from its sites).

    Per minute: any layer down makes it down, else any unknown, else any degraded, else up. A layer that degrades is
    never more than degraded. A minute in which no layer counts is unknown.

    Args:
        layers: the checks that count, each with the minutes for which it counts.
        start: first minute.
        end: the minute after the last.

    Returns:
        Runs that tile [start, end); neighbours differ in state.
    """
    return _joined([explained.run for explained in merge_explained(layers, start, end)])


def merge_explained(layers: Iterable[CheckRuns], start: int, end: int) -> tuple[Explained, ...]:
    """Does what `merge` does and names, for each run, the layers that decided it.

    The work grows with the number of runs (n log n for sorting their edges), never with the number of minutes.
    """
    return _sweep(_edges(layers, start, end), PRECEDENCE, start, end)


def overlay(runs: Sequence[Run], windows: Iterable[tuple[int, int]]) -> tuple[Run, ...]:
    """Lays announced maintenance over a site's runs: minutes inside a window become `maintenance`.

    Only windows that were announced in time belong here; minutes of the work beyond them keep their state and count.

    Args:
        runs: runs that tile a span.
        windows: [start, end) minutes, in any order; they may overlap and reach beyond the span.
    """
    if not runs:
        return ()
    start, end = runs[0].start, runs[-1].end
    work = clip([Run(*window, MinuteState.MAINTENANCE) for window in _united(windows)], start, end)
    if not work:
        return _joined(runs)
    edges = [*_edges_of("site", runs), *_edges_of("maintenance", work)]
    pieces = _sweep(edges, (MinuteState.MAINTENANCE, *PRECEDENCE), start, end)
    return _joined([piece.run for piece in pieces])


def totals(runs: Iterable[Run]) -> Totals:
    """Counts the minutes of each state."""
    minutes = dict.fromkeys(MinuteState, 0)
    for run in runs:
        minutes[run.state] += run.minutes
    return Totals(**{state.value: count for state, count in minutes.items()})


_Edge = tuple[int, bool, str, MinuteState]
_WHEN = itemgetter(0, 1)
_start_of, _end_of = attrgetter("start"), attrgetter("end")


def _edges(layers: Iterable[CheckRuns], start: int, end: int) -> Iterator[_Edge]:
    for layer in layers:
        yield from _edges_of(layer.key, layer.within(start, end))


def _edges_of(key: str, runs: Iterable[Run]) -> Iterator[_Edge]:
    """Where each run ends (False, so that it sorts before what begins at the same minute) and begins (True)."""
    for run in runs:
        yield run.start, True, key, run.state
        yield run.end, False, key, run.state


def _sweep(edges: Iterable[_Edge], precedence: Sequence[MinuteState], start: int, end: int) -> tuple[Explained, ...]:
    """Walks over the edges in order of time and lets the strongest active state have the minutes between them."""
    active: dict[MinuteState, set[str]] = {state: set() for state in MinuteState}
    pieces: list[Explained] = []
    reached = start
    for minute, begins, key, state in sorted(edges, key=_WHEN):
        if minute > reached:
            pieces.append(_decided(active, precedence, reached, minute))
            reached = minute
        (active[state].add if begins else active[state].discard)(key)
    if reached < end:
        pieces.append(_decided(active, precedence, reached, end))
    return _joined_explained(pieces)


def _decided(
    active: Mapping[MinuteState, set[str]], precedence: Sequence[MinuteState], start: int, end: int
) -> Explained:
    for state in precedence:
        deciders = active[state]
        if deciders:
            names = tuple(deciders) if len(deciders) == 1 else tuple(sorted(deciders))
            return Explained(Run(start, end, state), names)
    return Explained(Run(start, end, MinuteState.UNKNOWN), ())


def _joined(runs: Sequence[Run]) -> tuple[Run, ...]:
    joined: list[Run] = []
    for run in runs:
        if joined and joined[-1].state is run.state and joined[-1].end == run.start:
            joined[-1] = Run(joined[-1].start, run.end, run.state)
        else:
            joined.append(run)
    return tuple(joined)


def _joined_explained(pieces: Sequence[Explained]) -> tuple[Explained, ...]:
    joined: list[Explained] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last and last.run.state is piece.run.state and last.decided_by == piece.decided_by:
            joined[-1] = Explained(Run(last.run.start, piece.run.end, piece.run.state), piece.decided_by)
        else:
            joined.append(piece)
    return tuple(joined)


def _united(windows: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    united: list[tuple[int, int]] = []
    for start, end in sorted(windows):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return united
