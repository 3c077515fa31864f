"""When each check has its slot, and which slots are due: a rim of milliseconds, so that none is looked for."""

from hashlib import blake2b
from heapq import heappop, heappush
from itertools import count
from math import ceil, inf

from sentry.wheel.places import Spoke

_ROUNDING_MS = 1e-3
"""Slots lie on whole milliseconds; as seconds since 1970 they carry a rounding of a quarter of a microsecond."""


def phase_of(check_key: str, interval_s: int) -> float:
    """Returns the seconds into its interval at which a check has its slot; the same on every machine and run."""
    number = int.from_bytes(blake2b(check_key.encode(), digest_size=8).digest())
    return (number % (interval_s * 1000)) / 1000


def next_slot(after: float, phase_s: float, interval_s: int) -> float:
    """Returns the first slot strictly later than an instant, both in seconds since the Unix epoch."""
    slot = after // interval_s * interval_s + phase_s
    return slot if slot > after else slot + interval_s


class Rim:
    """The next slot of every check, by the millisecond in which it is due. Adding and taking cost the same always."""

    def __init__(self) -> None:
        self._due: dict[int, list[Spoke]] = {}
        self._reached_ms = 0

    def add(self, spoke: Spoke, due: float) -> None:
        """Books the next slot of a spoke, at an instant in seconds since the Unix epoch; one that is past is due."""
        spoke.slot = due
        at_ms = max(ceil(due * 1000 - _ROUNDING_MS), self._reached_ms + 1)
        standing = self._due.get(at_ms)
        if standing is None:
            self._due[at_ms] = [spoke]
        else:
            standing.append(spoke)

    def take(self, wall: float) -> list[Spoke]:
        """Returns the spokes whose slot is due, in the order of their slots, and takes them off."""
        now_ms = int(wall * 1000)
        before_ms, self._reached_ms = self._reached_ms, now_ms
        if now_ms - before_ms < len(self._due):
            reached = [at_ms for at_ms in range(before_ms + 1, now_ms + 1) if at_ms in self._due]
        else:
            reached = sorted(at_ms for at_ms in self._due if at_ms <= now_ms)
        return [spoke for at_ms in reached for spoke in self._due.pop(at_ms)]

    def next_within(self, span_s: float) -> float:
        """Returns when the next slot is due, seconds since the Unix epoch; at most so long after the last taking."""
        first_ms = self._reached_ms + 1
        end_ms = first_ms + int(span_s * 1000)
        for at_ms in range(first_ms, end_ms):
            if at_ms in self._due:
                return at_ms / 1000
        return end_ms / 1000

    def clear(self, wall: float) -> None:
        """Takes every slot off, for a clock that now says something else."""
        self._due.clear()
        self._reached_ms = int(wall * 1000)


class Rechecks:
    """Further probes at instants of their own: few, and in no order.

    Attributes:
        next_due: when the next one is due, seconds since the Unix epoch.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Spoke]] = []
        self._sequence = count()
        self.next_due = inf

    def add(self, spoke: Spoke, due: float) -> None:
        """Books one more probe, at an instant in seconds since the Unix epoch."""
        heappush(self._heap, (due, next(self._sequence), spoke))
        self.next_due = self._heap[0][0]

    def take(self) -> tuple[float, Spoke]:
        """Takes the next one off and returns it, with the instant at which it was due."""
        due, _, spoke = heappop(self._heap)
        self.next_due = self._heap[0][0] if self._heap else inf
        return due, spoke

    def shift(self, seconds: float) -> None:
        """Moves all of them, for a clock that was set: re-checks keep their distance."""
        self._heap = [(due + seconds, number, spoke) for due, number, spoke in self._heap]
        self.next_due += seconds
