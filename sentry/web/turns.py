"""Long lists in short turns: ten thousand sites must not hold up the probes while a page is made."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
AT_ONCE = 200
"""Sites or checks that are worked through in one turn of the event loop: a millisecond or two."""


def pieces(items: Sequence[Item], size: int = AT_ONCE) -> Iterator[Sequence[Item]]:
    """Returns a sequence in pieces of a size, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
