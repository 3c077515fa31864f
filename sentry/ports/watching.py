"""What the watch hands to its store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sentry.domain.events import Event
from sentry.domain.health import Health, Outage
from sentry.domain.ledger import Run
from sentry.domain.own_fault import OwnFault
from sentry.domain.result import ProbeResult
from sentry.domain.site import Check


class SampleKind(StrEnum):
    """Why a probe was made."""

    SLOT = "slot"
    RECHECK = "recheck"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class WatchRecord:
    """All that one result changes, written in one transaction.

    Attributes:
        health: None where it need not be written (nothing changed but the newest good result).
        minutes: added to the ledger; where one overlaps what stands, the worse state wins.
        outage: opened or closed by this result.
    """

    result: ProbeResult
    kind: SampleKind
    health: Health | None = None
    minutes: tuple[Run, ...] = ()
    outage: Outage | None = None
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class CorrectedCheck:
    """What is to stand of one check once failures of it were found to be the agent's own.

    Attributes:
        minutes: each stands afterwards as it is here; an `unknown` one is taken out of the ledger.
        withdrawn: a confirmed outage that was none; outage: one to be written instead.
    """

    health: Health
    minutes: tuple[Run, ...] = ()
    withdrawn: Outage | None = None
    outage: Outage | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """What is known better now, written in one transaction: a span of own fault, and what it voids."""

    fault: OwnFault | None = None
    checks: tuple[CorrectedCheck, ...] = ()
    events: tuple[Event, ...] = ()


class WatchStore(Protocol):
    """Where the watch keeps what it saw. Raises `StoreUnavailable` when locked, full or gone."""

    async def register(self, checks: Sequence[Check], now: datetime) -> None:
        """Makes the checks known (first seen now if new) and marks those not named as removed."""
        ...

    async def load_health(self) -> Mapping[str, Health]:
        """Returns the last written health by check key."""
        ...

    async def commit(self, records: Sequence[WatchRecord]) -> None:
        """Writes a batch in one transaction: all of it or nothing."""
        ...

    async def correct(self, correction: Correction) -> None:
        """Writes what is known better, over what was committed before; in one transaction, any time again."""
        ...
