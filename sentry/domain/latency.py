"""Response times in one byte: a scale of twelve steps an octave, and what can be said of many of them.

Step 0 is 100 µs or less, each step is 2^(1/12) (5.9 %) longer, step 255 is 249 s or more. A time read back from its
step is therefore at most 3 % and half a microsecond from the one that was measured.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import accumulate
from math import ceil

STEPS = 256
SHORTEST_US = 100
STEPS_PER_OCTAVE = 12

_EDGES_US = [ceil(SHORTEST_US * 2 ** ((step + 0.5) / STEPS_PER_OCTAVE)) for step in range(STEPS - 1)]
"""The shortest whole time of each next step: half-way between two steps, on the logarithmic scale."""

_step_of = partial(bisect_right, _EDGES_US)

_TIMES_US = tuple(round(SHORTEST_US * 2 ** (step / STEPS_PER_OCTAVE)) for step in range(STEPS))


def steps_of(durations_us: Iterable[int]) -> bytes:
    """Returns the step of each time, one byte a time.

    Args:
        durations_us: microseconds; anything below 100 is step 0.
    """
    return bytes(map(_step_of, durations_us))


def time_us(step: int) -> int:
    """Returns the time that stands for a step, microseconds."""
    return _TIMES_US[step]


def percentile_us(histogram: Sequence[int], percent: int) -> int | None:
    """Returns the time that so many percent of all probes did not exceed (nearest rank), None where there is none.

    Args:
        histogram: how many probes took each step.
        percent: 1 to 100.
    """
    rank = -(-percent * sum(histogram) // 100)
    if rank == 0:
        return None
    return next(time for time, seen in zip(_TIMES_US, accumulate(histogram), strict=True) if seen >= rank)
