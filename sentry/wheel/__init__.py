"""The minute wheel: starts every probe in its slot."""

from sentry.wheel.slots import next_slot, phase_of
from sentry.wheel.turning import (
    CUT_AFTER_S,
    FIRST_PER_S,
    FIRST_WITHIN_S,
    IDLE_TICK_S,
    STALL_S,
    TICK_S,
    Finished,
    Wheel,
)

__all__ = [
    "CUT_AFTER_S",
    "FIRST_PER_S",
    "FIRST_WITHIN_S",
    "IDLE_TICK_S",
    "STALL_S",
    "TICK_S",
    "Finished",
    "Wheel",
    "next_slot",
    "phase_of",
]
