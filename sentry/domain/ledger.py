"""The ledger: the state of each minute of each check and site, kept as runs of equal minutes.

A minute is its number since the Unix epoch. A minute that no run covers was not probed and is `unknown`: a gap
needs no writing, so a killed agent leaves an honest ledger behind.
"""

from dataclasses import dataclass
from enum import StrEnum


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
