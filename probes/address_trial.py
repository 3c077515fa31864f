"""One address of a site tried by itself: TCP, then TLS, each timed and its failure named."""

import asyncio
from dataclasses import dataclass, field

from probes.connection import dial
from probes.environment import ProbeEnvironment, ProbeFailure
from probes.tls_handshake import Trust, secure
from probes.trace import Trace
from sentry.domain.failure_report import AddressTrial
from sentry.domain.result import Phase, Reason, TlsEvidence


@dataclass(slots=True)
class Trial:
    """What is learnt of one address, readable at any time.

    Attributes:
        step_s: how long the connection may take, and the handshake again, seconds.
    """

    environment: ProbeEnvironment
    address: str
    port: int
    step_s: float
    connected: bool = False
    connect_failure: ProbeFailure | None = None
    tls_failure: ProbeFailure | None = None
    trace: Trace = field(init=False)

    def __post_init__(self) -> None:
        self.trace = Trace(self.environment.clock)

    @property
    def has_news(self) -> bool:
        """Whether the connection has been decided, either way."""
        return self.connected or self.connect_failure is not None

    async def run(self, server_name: str, trust: Trust | None) -> None:
        """Connects, and shakes hands where a trust is given. Never raises for a dead address."""
        try:
            async with asyncio.timeout(self.step_s):
                connection = await dial(self.address, self.port, self.environment, self.trace)
        except ProbeFailure as failure:
            self.connect_failure = failure
            return
        except TimeoutError:
            self.connect_failure = self._overdue(Reason.CONNECT_TIMEOUT, Phase.CONNECT)
            return
        self.trace.leave()
        self.connected = True
        with connection:
            if trust is None:
                return
            try:
                async with asyncio.timeout(self.step_s):
                    await secure(connection, server_name, trust, self.environment, self.trace)
            except ProbeFailure as failure:
                self.tls_failure = failure
            except TimeoutError:
                self.tls_failure = self.trace.failure or self._overdue(Reason.TLS_TIMEOUT, Phase.TLS)

    def outcome(self) -> AddressTrial:
        """Returns what is known so far."""
        tls = self.trace.tls or TlsEvidence()
        failed = self.tls_failure
        return AddressTrial(
            address=self.address,
            connected=self.connected,
            connect_s=self.trace.phases.get(Phase.CONNECT) if self.connected else None,
            connect_error=self.connect_failure.detail if self.connect_failure else None,
            tls_version=tls.version,
            tls_reason=failed.reason if failed else None,
            tls_error=failed.detail if failed else None,
            chain=tls.chain,
        )

    def _overdue(self, reason: Reason, phase: Phase) -> ProbeFailure:
        return ProbeFailure(reason, f"{self.address} gave no answer within {self.step_s:.1f} s", phase=phase)
