"""What every probe is given by the agent, and the failures that a probe speaks of inside its family."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from probes.engine import Engine
from probes.tls_library import TlsChoice
from probes.turns import Turns
from sentry.domain.result import Phase, Reason, Status
from sentry.ports import Clock, HeartbeatBook


class Resolver(Protocol):
    """Turns a name into addresses without a thread and without a cache that outlives the TTL."""

    async def addresses(self, name: str, *, ip_version: int | None = None) -> Sequence[str]:
        """Returns the addresses of a name in the order to try them; of a literal address, itself.

        Args:
            name: host name or literal address, IDNA already encoded or not.
            ip_version: 4 or 6 to ask for that family only, None for both.

        Raises:
            ProbeFailure: in `Phase.DNS`, with the reason that the answer or its absence means.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProbeEnvironment:
    """The collaborators of every probe.

    Attributes:
        ca_file: further trusted roots beside the system's, for agencies with an authority of their own and for tests.
        user_agent: what HTTP probes call themselves.
        whole_evidence: whether a good result, too, keeps its log and the head of its body, for `probe --explain`. The
            agent keeps them of failures only: of ten thousand good answers a minute nobody reads a line.
        tls: what the TLS of http, tls and tcp probes may cost.
        own_ports: where this agent serves its own pages; redirects do not lead there.
        engine: drives the probes that are made of sockets alone.
        turns: which address of a name comes first.
    """

    clock: Clock
    resolver: Resolver
    heartbeats: HeartbeatBook
    ca_file: Path | None = None
    user_agent: str = "online-sentry"
    whole_evidence: bool = False
    tls: TlsChoice = field(default_factory=TlsChoice)
    own_ports: frozenset[int] = frozenset()
    engine: Engine = field(default_factory=Engine)
    turns: Turns = field(default_factory=Turns)


class ProbeFailure(Exception):  # noqa: N818  # a verdict on its way to a ProbeResult, not an error of ours
    """Ends a probe with a verdict. Raised and caught inside `probes` only; outside, it is a `ProbeResult`."""

    def __init__(self, reason: Reason, detail: str, *, phase: Phase | None, status: Status | None = None) -> None:
        """Keeps the verdict; the status follows from the reason unless given (DEGRADED)."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.phase = phase
        self.status = status or (Status.UNKNOWN if reason.is_agents_fault else Status.DOWN)

    def again(self) -> "ProbeFailure":
        """Returns the same verdict to be raised once more; an exception raised twice keeps both its histories."""
        return ProbeFailure(self.reason, self.detail, phase=self.phase, status=self.status)


class DoubtfulTlsError(Exception):
    """A short way to a TLS connection has not come to a good end. No verdict: the probe begins anew, in full."""
