"""Goes on after a link broke: what has come stays, and only the rest is asked for again."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from sentry.domain.errors import HostLost
from sentry.domain.tree_entry import TreeEntry

Found = TypeVar("Found")
Wanted = dict[bytes, TreeEntry]
"""What has not come yet, by the name that the host is given."""

TRIES = 5
"""Attempts in a row that bring nothing new."""

FIRST_PAUSE_S = 1.0


class AskAgain(Exception):  # noqa: N818  # no error: the rest is wanted without it
    """One file cannot come, and stands in the way of the others."""

    def __init__(self, name: bytes) -> None:
        self.name = name


class Tries:
    """Counts attempts in a row that brought nothing, and waits longer after each.

    Args:
        wait: lets seconds go by.
    """

    def __init__(self, wait: Callable[[float], object]) -> None:
        self._wait, self._failed = wait, 0

    def succeeded(self) -> None:
        """Something came."""
        self._failed = 0

    def failed(self, lost: HostLost) -> None:
        """Waits.

        Raises:
            HostLost: what it is given, where there were enough attempts.
        """
        self._failed += 1
        if self._failed == TRIES:
            raise lost
        self._wait(FIRST_PAUSE_S * 2 ** (self._failed - 1))


def resumed(
    wanted: Wanted, ask: Callable[[Wanted], Iterator[tuple[bytes, Found]]], wait: Callable[[float], object]
) -> Iterator[tuple[TreeEntry, Found]]:
    """Yields what comes, and takes it out of what is wanted; after a lost link it asks for what is left.

    Raises:
        HostLost: it stays lost.
    """
    tries = Tries(wait)
    while wanted:
        try:
            for name, found in ask(wanted):
                entry = wanted.pop(name, None)
                if entry is not None:
                    tries.succeeded()
                    yield entry, found
        except HostLost as lost:
            tries.failed(lost)
        except AskAgain as member:
            wanted.pop(member.name, None)
        else:
            return
