"""Why each minute of a month counted as it did: every interval with its rule, for whoever doubts a figure."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sentry.domain.budget import Budget
from sentry.domain.ledger import Explained, MinuteState, Run
from sentry.domain.maintenance import Judgement, Work
from sentry.domain.responsibility import AttributedRun, AttributedSpan


class Rule(StrEnum):
    """The rules of the account. A closed set."""

    NOT_UNDER_CONTRACT = "not_under_contract"
    ANSWERED = "answered"
    ANSWERED_SLOWLY = "answered_slowly"
    CONFIRMED_DOWN = "confirmed_down"
    NOT_SEEN = "not_seen"
    NO_CHECK_COUNTED = "no_check_counted"
    ANNOUNCED_MAINTENANCE = "announced_maintenance"
    ANNOUNCED_LATE = "announced_late"
    EMERGENCY = "emergency"
    OVERRUN = "overrun"
    OF_OTHERS = "of_others"
    STILL_TO_COME = "still_to_come"


RULE_TEXT = {
    Rule.NOT_UNDER_CONTRACT: "before the contract began (or the site was first seen): not counted",
    Rule.ANSWERED: "every counting check was up: available",
    Rule.ANSWERED_SLOWLY: "a check was degraded, or one that only degrades was down; none that decides: available",
    Rule.CONFIRMED_DOWN: "a counting check was in a confirmed outage: spends the budget",
    Rule.NOT_SEEN: "a counting check was not probed, or the agent was at fault: neither available nor down, "
    "widens [worst, best]",
    Rule.NO_CHECK_COUNTED: "no counting check was registered yet: neither available nor down, widens [worst, best]",
    Rule.ANNOUNCED_MAINTENANCE: "announced maintenance: taken out of the account",
    Rule.ANNOUNCED_LATE: "down in maintenance that was announced too late: spends the budget",
    Rule.EMERGENCY: "down in emergency maintenance: spends the budget",
    Rule.OVERRUN: "down after the end of announced maintenance: spends the budget",
    Rule.OF_OTHERS: "down by an incident that others answer for: left out of the contract's account",
    Rule.STILL_TO_COME: "still to come, or not settled yet: not counted so far",
}


class Effect(StrEnum):
    """What a minute does to the contract's account."""

    AVAILABLE = "available"
    SPENT = "spent"
    UNSEEN = "unseen"
    TAKEN_OUT = "taken_out"
    NOT_COUNTED = "not_counted"


EFFECTS = {
    Rule.NOT_UNDER_CONTRACT: Effect.NOT_COUNTED,
    Rule.ANSWERED: Effect.AVAILABLE,
    Rule.ANSWERED_SLOWLY: Effect.AVAILABLE,
    Rule.CONFIRMED_DOWN: Effect.SPENT,
    Rule.NOT_SEEN: Effect.UNSEEN,
    Rule.NO_CHECK_COUNTED: Effect.UNSEEN,
    Rule.ANNOUNCED_MAINTENANCE: Effect.TAKEN_OUT,
    Rule.ANNOUNCED_LATE: Effect.SPENT,
    Rule.EMERGENCY: Effect.SPENT,
    Rule.OVERRUN: Effect.SPENT,
    Rule.OF_OTHERS: Effect.TAKEN_OUT,
    Rule.STILL_TO_COME: Effect.NOT_COUNTED,
}


@dataclass(frozen=True, slots=True)
class CountedInterval:
    """Consecutive minutes that counted alike: [start, end) with the rule, and the checks that decided.

    Attributes:
        incident: the outage that down minutes belong to, with the side that counts; None where none tells of them.
    """

    start: int
    end: int
    state: MinuteState | None
    rule: Rule
    decided_by: tuple[str, ...] = ()
    incident: AttributedSpan | None = None

    @property
    def effect(self) -> Effect:
        """What its minutes do to the contract's account."""
        return EFFECTS[self.rule]

    @property
    def minutes(self) -> int:
        """How many minutes the interval holds."""
        return self.end - self.start


_RULES = {
    MinuteState.UP: Rule.ANSWERED,
    MinuteState.DEGRADED: Rule.ANSWERED_SLOWLY,
    MinuteState.DOWN: Rule.CONFIRMED_DOWN,
    MinuteState.UNKNOWN: Rule.NOT_SEEN,
    MinuteState.MAINTENANCE: Rule.ANNOUNCED_MAINTENANCE,
}


def counted_intervals(
    explained: Iterable[Explained],
    runs: Iterable[Run],
    budget: Budget,
    month_start: int,
    work: Sequence[Work],
    attributed: Sequence[AttributedRun],
    left_out: Sequence[Run],
) -> Sequence[CountedInterval]:
    """Lists every interval of a month with its rule.

    Args:
        explained: runs with the checks that decided them, before maintenance.
        runs: the same minutes with maintenance laid over.
        budget: the month's budget; its span fixes what is under contract and what is still to come.
        month_start: the month's first minute.
        work: all announced work, in order of time; down minutes that it did not excuse are named by it.
        attributed: the down minutes, shared out to the incidents that tell of them, in order.
        left_out: those of them that the contract leaves out.

    Returns:
        Intervals that tile the whole month, in order.
    """
    intervals = []
    if month_start < budget.start:
        intervals.append(CountedInterval(month_start, budget.start, None, Rule.NOT_UNDER_CONTRACT))
    excused = [run for run in runs if run.state is MinuteState.MAINTENANCE]
    for piece in explained:
        for interval in _split(piece, excused, budget.until):
            for named in _named(interval, work, excused):
                intervals += _shared_out(named, attributed, frozenset(left_out))
    if budget.until < budget.end:
        intervals.append(CountedInterval(budget.until, budget.end, None, Rule.STILL_TO_COME))
    return intervals


def sums(intervals: Iterable[CountedInterval]) -> Mapping[Effect, int]:
    """Returns how many minutes had each effect: what the budget is made of, to the minute."""
    minutes = dict.fromkeys(Effect, 0)
    for interval in intervals:
        minutes[interval.effect] += interval.minutes
    return minutes


def _shared_out(
    interval: CountedInterval, attributed: Sequence[AttributedRun], left_out: Collection[Run]
) -> Iterator[CountedInterval]:
    """A down interval, cut where another incident tells of it; as others answer for it, under the rule of that."""
    if interval.state is not MinuteState.DOWN:
        yield interval
        return
    first = bisect_right(attributed, interval.start, key=lambda each: each.run.end)
    for each in attributed[first : bisect_left(attributed, interval.end, key=lambda each: each.run.start)]:
        start, end = max(each.run.start, interval.start), min(each.run.end, interval.end)
        rule = Rule.OF_OTHERS if each.run in left_out else interval.rule
        yield replace(interval, start=start, end=end, rule=rule, incident=each.span)


_UNEXCUSED = {Judgement.ANNOUNCED_LATE: Rule.ANNOUNCED_LATE, Judgement.EMERGENCY: Rule.EMERGENCY}


def _named(interval: CountedInterval, work: Sequence[Work], excused: Sequence[Run]) -> Iterator[CountedInterval]:
    """A down interval, cut where work that did not excuse it lies over it, each part under its own rule."""
    reached = interval.start
    over = [one for one in work if one.judgement in _UNEXCUSED] if interval.rule is Rule.CONFIRMED_DOWN else []
    for piece in over:
        start, end = max(piece.start, reached), min(piece.end, interval.end)
        if start < end:
            yield from _overrun(replace(interval, start=reached, end=start), excused)
            yield replace(interval, start=start, end=end, rule=_UNEXCUSED[piece.judgement])
            reached = end
    yield from _overrun(replace(interval, start=reached), excused)


def _overrun(interval: CountedInterval, excused: Sequence[Run]) -> Iterator[CountedInterval]:
    """What begins down where maintenance ended is work that was not done in time."""
    if interval.start < interval.end:
        follows = interval.rule is Rule.CONFIRMED_DOWN and any(run.end == interval.start for run in excused)
        yield replace(interval, rule=Rule.OVERRUN) if follows else interval


def _split(piece: Explained, work: Sequence[Run], until: int) -> Iterable[CountedInterval]:
    """One explained run, cut where maintenance lies over it and where the account ends."""
    reached, end = piece.run.start, min(piece.run.end, until)
    for run in work:
        inside, after = max(run.start, reached), min(run.end, end)
        if inside >= after:
            continue
        yield from _counted(piece, reached, inside)
        yield CountedInterval(inside, after, MinuteState.MAINTENANCE, Rule.ANNOUNCED_MAINTENANCE)
        reached = after
    yield from _counted(piece, reached, end)


def _counted(piece: Explained, start: int, end: int) -> Iterable[CountedInterval]:
    if start < end:
        nobody = piece.run.state is MinuteState.UNKNOWN and not piece.decided_by
        rule = Rule.NO_CHECK_COUNTED if nobody else _RULES[piece.run.state]
        yield CountedInterval(start, end, piece.run.state, rule, piece.decided_by)
