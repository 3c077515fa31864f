"""Runs a probe that is written as a coroutine behind the callback port, under its deadline."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from probes.environment import ProbeEnvironment, ProbeFailure
from probes.plain_text import one_line
from sentry.domain.result import Evidence, HttpEvidence, Phase, ProbeResult, Reason, Status, TlsEvidence
from sentry.domain.site import Check, CheckOptions
from sentry.ports import Clock

LOG_LINES = 250
LOG_CHARS = 1000
DETAIL_CHARS = 500
"""Bounds of what strangers can make a result grow to."""


@dataclass(slots=True)
class Lap:
    """How long one pass through a phase took, known once it has ended."""

    seconds: float = 0.0

    @property
    def ms(self) -> str:
        """The time for a log line."""
        return f"{self.seconds * 1000:.1f} ms"


@dataclass(slots=True)
class Trace:
    """What a probe notes while it runs, so that a failure at any point leaves all that was seen before it.

    Attributes:
        phase: the phase under way; a deadline that passes is blamed on it.
        progress: how far that phase had come, for the detail of a deadline that passes.
        failure: a verdict already reached while evidence for it is still being read; the deadline cannot change it.
    """

    phase: Phase | None = None
    phases: dict[Phase, float] = field(default_factory=dict)
    address: str | None = None
    addresses: tuple[str, ...] = ()
    tls: TlsEvidence | None = None
    http: HttpEvidence | None = None
    values: dict[str, float] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    degraded: tuple[Reason, str] | None = None
    progress: str = ""
    failure: ProbeFailure | None = None

    def note(self, line: str) -> None:
        """Adds a line to the log of `probe --explain` and of the failure report."""
        if len(self.log) < LOG_LINES:
            self.log.append(one_line(line, LOG_CHARS))

    def spent(self, phase: Phase, seconds: float) -> None:
        """Adds time to a phase; hops of a redirect sum up."""
        self.phases[phase] = self.phases.get(phase, 0.0) + seconds

    @contextmanager
    def timing(self, phase: Phase, clock: Clock) -> Iterator[Lap]:
        """Times what runs inside as this phase, whether it ends well, fails or meets the deadline."""
        self.phase, self.progress = phase, ""
        began, lap = clock.monotonic(), Lap()
        try:
            yield lap
        finally:
            lap.seconds = clock.monotonic() - began
            self.spent(phase, lap.seconds)

    def evidence(self) -> Evidence:
        """Returns everything noted so far."""
        return Evidence(
            address=self.address,
            addresses=self.addresses,
            tls=self.tls,
            http=self.http,
            values=dict(self.values),
            log=tuple(self.log),
        )


TIMEOUT_REASONS = {
    None: Reason.REPLY_TIMEOUT,
    Phase.DNS: Reason.DNS_TIMEOUT,
    Phase.CONNECT: Reason.CONNECT_TIMEOUT,
    Phase.TLS: Reason.TLS_TIMEOUT,
    Phase.PROCESSING: Reason.PROCESSING_TIMEOUT,
    Phase.TRANSFER: Reason.TRANSFER_TIMEOUT,
}

TIMEOUT_DETAILS = {
    None: "no end",
    Phase.DNS: "the name was not resolved",
    Phase.CONNECT: "no answer to the connection attempt",
    Phase.TLS: "the TLS handshake did not end",
    Phase.PROCESSING: "no first byte of a response",
    Phase.TRANSFER: "the response did not end",
}


class TaskProbe:
    """A probe kind written as one coroutine, `measure`; each kind extends this and sets `Options`."""

    Options: ClassVar[type[CheckOptions]]

    def __init__(self, check: Check, environment: ProbeEnvironment) -> None:
        self.check = check
        self.environment = environment

    async def measure(self, trace: Trace) -> None:
        """Probes once. Returns when the site did its work.

        Raises:
            ProbeFailure: the verdict is not up.
        """
        raise NotImplementedError

    def start(self, scheduled_at: datetime, done: Callable[[ProbeResult], None]) -> asyncio.Task[None]:
        """Starts one probe; the task is its handle and `cancel` stops it."""
        return asyncio.get_running_loop().create_task(self._run(scheduled_at, done), name=self.check.key)

    async def _run(self, scheduled_at: datetime, done: Callable[[ProbeResult], None]) -> None:
        clock = self.environment.clock
        started_at, began = clock.now(), clock.monotonic()
        trace = Trace()
        failure = await self._verdict(trace)
        if failure is not None and not any(failure.detail in line for line in trace.log):
            trace.note(f"failed: {failure.detail}")
        status, reason, detail, phase = Status.UP, None, "", None
        if failure is not None:
            status, reason, detail, phase = failure.status, failure.reason, failure.detail, failure.phase
        elif trace.degraded is not None:
            status, (reason, detail) = Status.DEGRADED, trace.degraded
        done(
            ProbeResult(
                check_key=self.check.key,
                scheduled_at=scheduled_at,
                started_at=started_at,
                duration_s=clock.monotonic() - began,
                status=status,
                reason=reason,
                failed_phase=phase,
                detail=one_line(detail, DETAIL_CHARS),
                phases=dict(trace.phases),
                evidence=trace.evidence(),
            )
        )

    async def _verdict(self, trace: Trace) -> ProbeFailure | None:
        limit_s = self.check.options.timeout_s
        try:
            async with asyncio.timeout(limit_s):
                await self.measure(trace)
        except ProbeFailure as failure:
            return failure
        except TimeoutError:
            return trace.failure or _overdue(trace, limit_s)
        except Exception as error:  # noqa: BLE001  # our own bug must never count against a site
            trace.note(f"the agent failed: {error!r}")
            return ProbeFailure(Reason.AGENT_ERROR, f"{type(error).__name__}: {error}", phase=trace.phase)
        return None


def _overdue(trace: Trace, limit_s: float) -> ProbeFailure:
    seen = f" ({trace.progress})" if trace.progress else ""
    detail = f"{TIMEOUT_DETAILS[trace.phase]} within {limit_s:g} s{seen}"
    trace.note(f"deadline passed: {detail}")
    return ProbeFailure(TIMEOUT_REASONS[trace.phase], detail, phase=trace.phase)
