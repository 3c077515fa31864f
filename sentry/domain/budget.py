"""The error budget of a month: what was promised, what was spent, what is left, and the verdict. Exact arithmetic.

Source of every rule: the contract (99.7 % of a calendar month in the contract's zone, 0.3 % reserved).

- available = up + degraded; a slow site is a site that works.
- `unknown` is neither up nor down: measured leaves it out, worst counts it as down, best as up.
- `maintenance` is excluded from numerator and denominator.
- So are the down minutes that the contract leaves out: those of the client or of a third party. Without them the
  figures are the contractual ones; `observed` has them in.
- Only a site on our own infrastructure is under the promise; of any other there are observed figures alone.
- met if worst ≥ target, missed if best < target, else inconclusive; compared unrounded, shown floored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from sentry.domain.ledger import Run, Totals, clip, totals

THRESHOLDS = (50, 75, 90, 100)
"""Shares of the budget, percent, at which somebody is told."""

BURN_WINDOWS: Mapping[str, int] = {"5m": 5, "30m": 30, "1h": 60, "2h": 120, "6h": 360, "24h": 1440, "72h": 4320}
"""Windows of the burn rate in minutes; `sentry.domain.burn` says which rates over them somebody must hear of."""


class Verdict(StrEnum):
    """What a month came to. `RUNNING`: it is not over and nothing is lost yet. `OBSERVED`: nothing was promised."""

    MET = "met"
    MISSED = "missed"
    INCONCLUSIVE = "inconclusive"
    RUNNING = "running"
    OBSERVED = "observed"


@dataclass(frozen=True, slots=True)
class Budget:
    """The budget of one site (or account) for one month.

    Attributes:
        target: promised share of available minutes, e.g. 997/1000.
        start: first minute of the month that is under contract; end: the minute after the month's last.
        until: the minute after the last one accounted for; before `end` while the month runs.
        minutes: what the minutes [start, until) were, those that are left out among the down ones.
        left_out: how many of the down minutes the contract leaves out.
        promised: whether the target is promised for this site at all.
    """

    target: Fraction
    start: int
    end: int
    until: int
    minutes: Totals
    left_out: int = 0
    promised: bool = True

    @property
    def observed(self) -> "Budget":
        """The same month with nothing left out."""
        return replace(self, left_out=0)

    @property
    def running(self) -> bool:
        """Whether the month still has minutes to come."""
        return self.until < self.end

    @property
    def span_minutes(self) -> int:
        """All minutes of the month that are under contract, those to come included."""
        return self.end - self.start

    @property
    def measured(self) -> Fraction | None:
        """Available share of the minutes that were seen, None where none was."""
        return _share(self.minutes.answered, self.minutes.answered + self.spent)

    @property
    def worst(self) -> Fraction | None:
        """Available share if the site was down in every unknown minute."""
        return _share(self.minutes.answered, self._counted)

    @property
    def best(self) -> Fraction | None:
        """Available share if the site was up in every unknown minute."""
        return _share(self.minutes.answered + self.minutes.unknown, self._counted)

    @property
    def verdict(self) -> Verdict:
        """Met, missed or inconclusive; a running month is missed as soon as no remaining minute can mend it."""
        if not self.promised:
            return Verdict.OBSERVED
        if self.running:
            return Verdict.MISSED if self.spent > self.allowed else Verdict.RUNNING
        if self.worst is None or self.best is None:
            return Verdict.INCONCLUSIVE
        if self.worst >= self.target:
            return Verdict.MET
        return Verdict.MISSED if self.best < self.target else Verdict.INCONCLUSIVE

    @property
    def allowed(self) -> Fraction:
        """Minutes the site may be down in the whole month, exact: 129.6 for 43,200 minutes at 99.7 %."""
        return (1 - self.target) * (self.span_minutes - self.minutes.maintenance - self.left_out)

    @property
    def spent(self) -> int:
        """Minutes it was down and that the contract counts."""
        return self.minutes.down - self.left_out

    @property
    def left(self) -> Fraction:
        """Minutes it may still be down; below 0 once the promise is broken."""
        return self.allowed - self.spent

    @property
    def used(self) -> Fraction:
        """Spent share of the budget; above 1 once the promise is broken. With nothing allowed, any minute is all."""
        if self.allowed > 0:
            return self.spent / self.allowed
        return Fraction(self.spent)

    @property
    def crossed(self) -> tuple[int, ...]:
        """The thresholds (percent of the budget) that are reached or passed; none where nothing is promised."""
        percent = self.used * 100
        return tuple(threshold for threshold in THRESHOLDS if self.promised and self.spent and percent >= threshold)

    @property
    def _counted(self) -> int:
        return self.minutes.total - self.minutes.maintenance - self.left_out


def budget_of(
    runs: Sequence[Run],
    target: Fraction,
    start: int,
    end: int,
    until: int,
    *,
    left_out: Sequence[Run] = (),
    promised: bool = True,
) -> Budget:
    """Reckons the budget of a month.

    Args:
        runs: runs that tile at least [start, until).
        target: promised share, e.g. Fraction(997, 1000).
        start: first minute under contract.
        end: the minute after the month's last.
        until: the minute after the last one accounted for; minutes from here on are neither up nor unknown.
        left_out: the down ones among the runs that the contract leaves out.
        promised: whether the target is promised for this site at all.
    """
    until = min(max(until, start), end)
    without = totals(clip(left_out, start, until)).down
    return Budget(target, start, end, until, totals(clip(runs, start, until)), without, promised)


def burn_rate(runs: Sequence[Run], target: Fraction, until: int, window: int) -> float:
    """Returns how many times faster than sustainable the budget was spent in the last `window` minutes.

    1 spends exactly the month's budget in a month; a total outage at 99.7 % burns at 333. Unknown minutes spend
    nothing, and minutes of maintenance are not counted.

    Args:
        runs: runs that cover the window.
        target: promised share.
        until: the minute after the last one of the window.
        window: its length in minutes.
    """
    seen = totals(clip(runs, until - window, until))
    counted = window - seen.maintenance
    if not seen.down or counted <= 0 or target >= 1:
        return 0.0
    return float(Fraction(seen.down, counted) / (1 - target))


def floored_percent(share: Fraction | None, digits: int = 3) -> Decimal | None:
    """Turns a share into percent, cut off after `digits` decimals: 129 of 43,200 minutes down show 99.701.

    Never rounded up, so that a month with a down minute never shows 100 and a missed target never shows as met.
    """
    return None if share is None else floored(share * 100, digits)


def floored(value: Fraction, digits: int) -> Decimal:
    """Turns an exact figure into a decimal, cut off (towards minus infinity) after `digits` decimals."""
    return Decimal(value.numerator * 10**digits // value.denominator).scaleb(-digits)


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole > 0 else None
