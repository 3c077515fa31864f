"""Waits while a host has more to do than it should."""

import threading
from collections.abc import Callable

from sentry.domain.errors import HostError
from sentry.ports.hosts import Host

LOOKS_EVERY_S = 10.0
LOOKS = 180
"""Half an hour in all; what was read so far stays known, and the next attempt goes on from there."""

LOAD_WITHIN_S = 20.0


def pause(seconds: float) -> None:
    """Lets seconds go by."""
    threading.Event().wait(seconds)


class LoadBrake:
    """Looks at the load of the host before something heavy is asked of it.

    Args:
        host: whose load it is.
        max_load: of one minute; None never waits.
        wait: lets seconds go by.
    """

    def __init__(self, host: Host, max_load: float | None, wait: Callable[[float], object] = pause) -> None:
        self._host, self._max_load, self._wait = host, max_load, wait

    def hold(self) -> None:
        """Returns once the load is low enough, or unknown.

        Raises:
            HostError: it stays too high.
        """
        if self._max_load is None:
            return
        for _ in range(LOOKS):
            load = self._load()
            if load is None or load <= self._max_load:
                return
            self._wait(LOOKS_EVERY_S)
        raise HostError(
            f"{self._host.name}: its load stays above {self._max_load:g}; raise max_load, or look at what it does"
        )

    def _load(self) -> float | None:
        """Returns the load of one minute; None where the host does not tell."""
        outcome = self._host.run(["cat", "/proc/loadavg"], within_s=LOAD_WITHIN_S, at_most_bytes=1_000)
        try:
            return float(outcome.output.split()[0])
        except (IndexError, ValueError):
            return None
