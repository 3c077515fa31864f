"""The slots that go by while a worker is not there: each is told of, as the wheel tells of its own."""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sentry.domain.site import Check
from sentry.wheel import next_slot, phase_of


@dataclass(frozen=True, slots=True)
class MissedSlots:
    """Slots of one check that nobody probed.

    Attributes:
        first: the oldest of them, seconds since the Unix epoch.
        count: how many follow each other.
    """

    check: Check
    first: float
    count: int


class Absence:
    """Keeps the slots of a worker that is gone.

    Args:
        checks: what it was to probe.
        seen: the newest slot of each check that anything is known of, seconds since the Unix epoch; a check that is
            not in it was new, and is probed when the worker is back.
    """

    def __init__(self, checks: Mapping[str, Check], seen: Mapping[str, float]) -> None:
        self._checks = checks
        self._due = [(self._next(checks[key], at), key) for key, at in seen.items() if key in checks]
        heapq.heapify(self._due)

    def passed(self, now: float) -> Iterator[MissedSlots]:
        """Returns the slots that went by until now, each once."""
        while self._due and self._due[0][0] <= now:
            first, key = self._due[0]
            check = self._checks[key]
            heapq.heapreplace(self._due, (self._next(check, now), key))
            yield MissedSlots(check, first, 1 + int((now - first) // check.interval_s))

    @staticmethod
    def _next(check: Check, after: float) -> float:
        return next_slot(after, phase_of(check.key, check.interval_s), check.interval_s)
