"""A worker's sign of life, each second, with what it has to say of itself."""

from typing import NamedTuple

from pydantic import TypeAdapter


class Beat(NamedTuple):
    """The figures of about a second.

    Attributes:
        tick_age_s: how long ago its wheel last turned.
        lag_s: the worst lateness of its event loop.
        running: probes under way.
        stalls: how often its loop stood still; stalled_s: for how long altogether.
        lost: results dropped because the agent did not read them.
    """

    tick_age_s: float
    lag_s: float
    running: int
    stalls: int
    stalled_s: float
    lost: int


_BEAT: TypeAdapter[Beat] = TypeAdapter(Beat)
_GENERATION: TypeAdapter[int] = TypeAdapter(int)
_REFUSAL: TypeAdapter[tuple[int, str]] = TypeAdapter(tuple[int, str])


def beat_bytes(beat: Beat) -> bytes:
    """Returns a beat as JSON."""
    return _BEAT.dump_json(beat)


def read_beat(payload: bytes) -> Beat:
    """Returns a beat.

    Raises:
        ValueError: it is none.
    """
    return _BEAT.validate_json(payload)


def generation_bytes(generation: int) -> bytes:
    """Returns the number of a set of checks as JSON."""
    return _GENERATION.dump_json(generation)


def read_generation(payload: bytes) -> int:
    """Returns the number of a set of checks.

    Raises:
        ValueError: it is none.
    """
    return _GENERATION.validate_json(payload)


def refusal_bytes(generation: int, why: str) -> bytes:
    """Returns as JSON that a set of checks cannot be prepared, and why."""
    return _REFUSAL.dump_json((generation, why))


def read_refusal(payload: bytes) -> tuple[int, str]:
    """Returns which set of checks cannot be prepared, and why.

    Raises:
        ValueError: it is no refusal.
    """
    return _REFUSAL.validate_json(payload)
