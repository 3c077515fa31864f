"""When the budget of a month runs out, if it goes on as it went lately. Exact arithmetic, to the minute.

The pace is the share of the minutes seen in a window that was down; minutes nobody saw and minutes of maintenance
say nothing of it. `None` means: not in this month.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import ceil

from sentry.domain.budget import Budget
from sentry.domain.ledger import MinuteState, Run, clip, totals

FORECAST_WINDOWS: Mapping[str, int] = {"24h": 1440, "7d": 10_080}
"""Windows of the pace in minutes: one says how it goes now, the other how it usually goes."""


def forecast(budget: Budget, runs: Sequence[Run], recent: Sequence[Run]) -> Mapping[str, int | None]:
    """Returns, by the name of the window, the minute in which nothing is left of the budget.

    Args:
        budget: of the month.
        runs: what the minutes of the month were, up to `budget.until`; those that are left out of it not down.
        recent: the same for the longest window before `budget.until`; it may reach into the month before.
    """
    if budget.spent and budget.left <= 0:
        spent_at = _spent_at(runs, budget.allowed)
        return dict.fromkeys(FORECAST_WINDOWS, spent_at)
    return {name: _reached_at(budget, pace(recent, budget.until, size)) for name, size in FORECAST_WINDOWS.items()}


def pace(recent: Sequence[Run], until: int, window: int) -> Fraction:
    """Returns the share of the minutes seen in a window that was down, 0 where none was seen.

    Args:
        recent: runs that cover the window.
        until: the minute after its last one.
        window: its length in minutes.
    """
    seen = totals(clip(recent, until - window, until))
    counted = seen.answered + seen.down
    return Fraction(seen.down, counted) if counted else Fraction(0)


def _reached_at(budget: Budget, share: Fraction) -> int | None:
    if not share or not budget.running:
        return None
    minute = budget.until + max(ceil(budget.left / share), 1) - 1
    return minute if minute < budget.end else None


def _spent_at(runs: Iterable[Run], allowed: Fraction) -> int | None:
    """The down minute with which as many are spent as are allowed."""
    spent = 0
    for run in runs:
        if run.state is not MinuteState.DOWN:
            continue
        if spent + run.minutes >= allowed:
            return run.start + max(ceil(allowed - spent), 1) - 1
        spent += run.minutes
    return None
