"""Probes, what collects the evidence of a failure, and heartbeats."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sentry.domain.failure_report import CollectedEvidence
from sentry.domain.own_fault import Voice
from sentry.domain.result import ProbeResult


class ProbeHandle(Protocol):
    """A probe under way."""

    def cancel(self) -> object:
        """Stops it and frees its sockets; `done` is not called afterwards. Does nothing once it has ended."""
        ...


class Probe(Protocol):
    """One check, prepared (address parsed, patterns compiled) to be probed again and again."""

    def start(self, scheduled_at: datetime, done: Callable[[ProbeResult], None]) -> ProbeHandle:
        """Starts one probe on new connections; never blocks and never raises.

        Args:
            scheduled_at: the slot, aware UTC; goes into the result.
            done: called once, in the event loop, with the result; also for our own faults (Status.UNKNOWN).
        """
        ...


class EvidenceCollector(Protocol):
    """Looks around a failure: two resolvers, every address, every chain."""

    async def collect(self, url: str, deadline_s: float) -> CollectedEvidence:
        """Gathers within the deadline; what was not reached is named in `missing`. Never raises for a dead site."""
        ...


class Surroundings(Protocol):
    """Those whom the agent asks when it looks at itself: anchors, resolvers, the gateway."""

    async def ask(self, deadline_s: float) -> Sequence[Voice]:
        """Asks all of them anew, at once, and says who answered within the deadline; never raises for a dead one."""
        ...


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last call of a site's own job: when, and whether it said that it went well."""

    at: datetime
    ok: bool = True
    text: str = ""


class HeartbeatBook(Protocol):
    """The calls that came in, by check key."""

    def last(self, check_key: str) -> Heartbeat | None:
        """Returns the newest call, None where none ever came."""
        ...

    async def record(self, check_key: str, heartbeat: Heartbeat) -> None:
        """Keeps a call, over restarts."""
        ...
