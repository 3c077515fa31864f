"""What slow duties remember over restarts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


class DueBook(Protocol):
    """When each slow duty is due again, over restarts."""

    async def get(self, kind: str, subject: str = "") -> datetime | None:
        """Returns when it is due, None where that was never set."""
        ...

    async def set(self, kind: str, subject: str, at: datetime) -> None:
        """Sets when it is due."""
        ...


class Marks(Protocol):
    """What was done once and is not to be done again, over restarts."""

    async def once(self, key: str) -> bool:
        """Remembers that it was done; returns False where it was done before."""
        ...

    async def is_made(self, key: str) -> bool:
        """Returns whether it was done."""
        ...


@dataclass(frozen=True, slots=True)
class Observation:
    """What a look at something slow to change has found: when, and JSON values by name."""

    at: datetime
    facts: Mapping[str, Any]


class ObservationBook(Protocol):
    """The last observation of each kind about each subject, over restarts."""

    async def all(self, kind: str) -> Mapping[str, Observation]:
        """Returns the observations of a kind by their subjects."""
        ...

    async def keep(self, kind: str, subject: str, observation: Observation) -> None:
        """Keeps an observation in place of the one before."""
        ...

    async def keep_all(self, kind: str, observations: Mapping[str, Observation]) -> None:
        """Keeps many observations of a kind at once, by their subjects, in place of those before."""
        ...

    async def forget(self, kind: str, subject: str) -> None:
        """Forgets an observation; one that is not there is forgotten already."""
        ...
