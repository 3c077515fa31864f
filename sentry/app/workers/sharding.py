"""Which worker probes which check. Pure: the same checks and number of workers give the same answer always.

A check goes where the hash of its own key says, so that a reload moves no check that did not change. The cap of a
host is a promise to its owner and holds over all workers together: its parts add up to it, and a host that may be
asked by fewer probes at once than there are workers is left to that many of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b

from sentry.domain.site import Check


def shards(checks: Iterable[Check], workers: int) -> tuple[tuple[Check, ...], ...]:
    """Returns the checks of each worker, in their order, each with its worker's part of its host's cap."""
    parts: tuple[list[Check], ...] = tuple([] for _ in range(workers))
    for check in checks:
        worker, cap = _place(check, workers)
        parts[worker].append(check if cap == check.host_cap else replace(check, host_cap=cap))
    return tuple(tuple(part) for part in parts)


def share(total: int, number: int, of: int) -> int:
    """Returns one of so many parts of a whole number, as equal as can be; they add up to it.

    Args:
        total: what is shared out.
        number: which part, from 0; the first ones are the greater ones.
        of: how many parts there are.
    """
    return total // of + (number < total % of)


def _place(check: Check, workers: int) -> tuple[int, int]:
    """Returns the worker of a check, and its part of the cap of the check's host."""
    among = min(workers, check.host_cap)
    place = _number(check.key) % among
    return _order(check.host_group, workers)[place], share(check.host_cap, place, among)


@lru_cache(maxsize=50_000)
def _order(host_group: str, workers: int) -> Sequence[int]:
    """The workers in an order of the host's own (rendezvous hashing), so that small hosts spread over all of them."""
    return sorted(range(workers), key=lambda worker: _number(f"{worker} {host_group}"))


def _number(text: str) -> int:
    """A hash that has nothing to do with the one that decides the phase: each worker gets slots of all phases."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8, person=b"shard").digest())
