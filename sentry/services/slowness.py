"""Slowness: an answer that takes longer than is usual for its hour of the week makes a check degraded."""

from dataclasses import replace

from sentry.domain.pace import SLOW_PROBES, Pace, Yardstick
from sentry.domain.result import ProbeResult, Reason, Status
from sentry.domain.site import Check
from sentry.domain.weight import CountsAs


class Slowness:
    """Judges good results by what is usual, and says what slow ones count as. Costs a good one a look-up."""

    def __init__(self) -> None:
        """Begins without knowing what is usual."""
        self._paces: dict[str, Pace] = {}
        self._yardsticks: dict[str, Yardstick] = {}
        self._in_a_row: dict[str, int] = {}

    def learn(self, check_key: str, pace: Pace | None) -> None:
        """Takes what is usual for a check from now on; None: nothing is known of it."""
        self._yardsticks.pop(check_key, None)
        if pace is None:
            self._paces.pop(check_key, None)
        else:
            self._paces[check_key] = pace

    def knows(self, check_key: str) -> bool:
        """Whether it is known what is usual for a check."""
        return check_key in self._paces

    def judged(self, check: Check, result: ProbeResult) -> ProbeResult:
        """Returns the result as it stands, or degraded (down, where the plan says so) because it took too long."""
        if result.status is Status.UP and check.key in self._paces:
            result = self._measured(check, result)
        if result.reason is Reason.SLOW_RESPONSE and check.plan.slow_counts_as is CountsAs.DOWN:
            return replace(result, status=Status.DOWN)
        return result

    def _measured(self, check: Check, result: ProbeResult) -> ProbeResult:
        factor = check.slow_factor
        if not factor:
            return result
        yardstick = self._yardsticks.get(check.key)
        if yardstick is None or yardstick.factor != factor:
            yardstick = self._yardsticks[check.key] = Yardstick.of(self._paces[check.key], factor)
        exceeded = None
        if result.duration_s > yardstick.least_s:
            exceeded = yardstick.exceeded(result.duration_s, result.scheduled_at, check.time_zone)
        if exceeded is None:
            self._in_a_row.pop(check.key, None)
            return result
        times = self._in_a_row[check.key] = self._in_a_row.get(check.key, 0) + 1
        if times < SLOW_PROBES:
            return result
        typical_s, limit_s = exceeded
        detail = (
            f"took {result.duration_s:.3g} s, usually {typical_s:.3g} s at this hour of the week, "
            f"allowed {limit_s:.3g} s"
        )
        return replace(result, status=Status.DEGRADED, reason=Reason.SLOW_RESPONSE, detail=detail)
