"""When a budget burns so fast that somebody must hear of it: four speeds, each seen over two windows. Pure.

Source: Google SRE workbook, chapter 5, table 5-8. The long window says that it matters, the short one that it still
goes on; the alarm ends as soon as the short window is below the threshold.

An outage pages by its own incident. So its minutes alone never make the budget page a second time: a speed that pages
must also be reached by the minutes before the newest outage, which makes that alarm one of several outages together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sentry.domain.incident import REOPEN_WITHIN
from sentry.domain.ledger import MinuteState, Run, clip
from sentry.domain.severity import Severity

SAME_OUTAGE_MINUTES = REOPEN_WITHIN // timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class BurnRule:
    """A speed that somebody must hear of.

    Attributes:
        threshold: times faster than sustainable, at least, over both windows.
        long, short: names in `BURN_WINDOWS`.
        severity: of its concern; SEV2 and above page somebody.
    """

    threshold: float
    long: str
    short: str
    severity: Severity

    @property
    def pages(self) -> bool:
        """Whether somebody is woken."""
        return self.severity <= Severity.SEV2


RULES = (
    BurnRule(14.4, "1h", "5m", Severity.SEV2),
    BurnRule(6.0, "6h", "30m", Severity.SEV2),
    BurnRule(3.0, "24h", "2h", Severity.SEV4),
    BurnRule(1.0, "72h", "6h", Severity.SEV4),
)
"""Every speed, the worst first."""


def burning(rates: Mapping[str, float]) -> BurnRule | None:
    """Returns the worst speed that is reached over both its windows.

    Args:
        rates: burn rates by the name of the window.
    """
    return next((rule for rule in RULES if _is_reached(rule, rates)), None)


def alarm(rates: Mapping[str, float], earlier: Mapping[str, float]) -> BurnRule | None:
    """Returns the worst speed to raise an alarm for.

    Args:
        rates: burn rates by the name of the window.
        earlier: the same without the minutes of the newest outage.
    """
    for rule in RULES:
        if _is_reached(rule, rates) and (not rule.pages or earlier[rule.long] >= rule.threshold):
            return rule
    return None


def before_newest_outage(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Returns the runs up to the newest outage; failures within 15 minutes of each other are one.

    Args:
        runs: ordered, without overlap.
    """
    begins: int | None = None
    for run in reversed(runs):
        if run.state is not MinuteState.DOWN:
            continue
        if begins is not None and begins - run.end >= SAME_OUTAGE_MINUTES:
            break
        begins = run.start
    return tuple(runs) if begins is None else clip(runs, runs[0].start, begins)


def _is_reached(rule: BurnRule, rates: Mapping[str, float]) -> bool:
    return rates[rule.long] >= rule.threshold and rates[rule.short] >= rule.threshold
