"""What the soak breaks: a plan of random faults from a seed, and the injector's own record of them. Pure."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.obedient_sites import ERROR, HANG, RESET, SLOW

BLIP_S = (2.0, 15.0)
"""A fault so short has ended before the last re-check, 20 s after the first failure: never an outage."""

OUTAGE_S = (150.0, 900.0)
"""A fault so long holds a slot and both of its re-checks, however these lie: always an outage."""

REST_S = (240.0, 600.0)
"""Between two faults of a site: the end of the first is confirmed before the second begins."""

KINDS = (ERROR, RESET, HANG, SLOW)
BLIPS_OF_TEN = 4


@dataclass(frozen=True, slots=True)
class Fault:
    """A site that does not behave: [start, end) in seconds of the agent's time since 1970.

    Attributes:
        site: its number.
        kind: how it misbehaves; a slow one answers all the same.
    """

    site: int
    kind: str
    start: float
    end: float

    @property
    def is_outage(self) -> bool:
        """Whether the agent must find it; if not, it must not."""
        return self.kind != SLOW and self.end - self.start >= OUTAGE_S[0]


def plan(seed: int, sites: int, start: float, end: float, faults_per_hour: float) -> list[Fault]:
    """Returns the faults of a run, by when they begin.

    Args:
        seed: the same one plans the same.
        sites: how many there are.
        start: of the span in which faults begin and end, seconds.
        end: of that span.
        faults_per_hour: of one site, on average.
    """
    chance = random.Random(seed)  # noqa: S311  # faults, no secrets
    planned = [fault for site in range(sites) for fault in _of_site(chance, site, start, end, faults_per_hour)]
    return sorted(planned, key=lambda fault: fault.start)


def _of_site(chance: random.Random, site: int, start: float, end: float, faults_per_hour: float) -> Iterator[Fault]:
    begins = start + chance.expovariate(faults_per_hour / 3600)
    while begins < end:
        spans = BLIP_S if chance.randrange(10) < BLIPS_OF_TEN else OUTAGE_S
        ends = begins + chance.uniform(*spans)
        if ends >= end:
            return
        yield Fault(site, chance.choice(KINDS), begins, ends)
        begins = ends + chance.uniform(*REST_S) + chance.expovariate(faults_per_hour / 3600)


def turns(faults: Sequence[Fault]) -> list[tuple[float, int, int]]:
    """Returns every turn of a plan in order: when, the fault's place in the plan, and 1 for its end, else 0."""
    ends = [(fault.end, place, 1) for place, fault in enumerate(faults)]
    return sorted([*((fault.start, place, 0) for place, fault in enumerate(faults)), *ends])
