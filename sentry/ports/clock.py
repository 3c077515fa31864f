"""Time."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol


class Timer(Protocol):
    """A call that is still to come."""

    def cancel(self) -> object:
        """Takes it back. Does nothing once it was made."""
        ...


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Returns the wall-clock instant, aware UTC."""
        ...

    def monotonic(self) -> float:
        """Returns seconds that never jump, from an arbitrary start."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Calls once, in the event loop, after this many seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits this many seconds."""
        ...
