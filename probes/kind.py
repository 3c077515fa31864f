"""What every probe kind is: a prepared check whose `measure` notes what it sees and ends with a verdict."""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from probes.engine import DeadlinePassedError
from probes.environment import ProbeEnvironment, ProbeFailure
from probes.plain_text import one_line
from probes.trace import Trace
from sentry.domain.result import Phase, ProbeResult, Reason, Status
from sentry.domain.site import Check, CheckOptions
from sentry.ports import ProbeHandle

DETAIL_CHARS = 500
"""Bound of what strangers can make a detail grow to."""

TIMEOUTS = {
    None: (Reason.REPLY_TIMEOUT, "no end"),
    Phase.DNS: (Reason.DNS_TIMEOUT, "the name was not resolved"),
    Phase.CONNECT: (Reason.CONNECT_TIMEOUT, "no answer to the connection attempt"),
    Phase.TLS: (Reason.TLS_TIMEOUT, "the TLS handshake did not end"),
    Phase.PROCESSING: (Reason.PROCESSING_TIMEOUT, "no first byte of a response"),
    Phase.TRANSFER: (Reason.TRANSFER_TIMEOUT, "the response did not end"),
}
"""What a deadline that passes in a phase means."""


class ProbeKind:
    """A check, prepared to be probed again and again; each kind extends this by `DrivenProbe` or `TaskProbe`."""

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

    def start(self, scheduled_at: datetime, done: Callable[[ProbeResult], None]) -> ProbeHandle:
        """Starts one probe; see `sentry.ports.Probe`."""
        raise NotImplementedError

    def conclude(
        self, trace: Trace, scheduled_at: datetime, started_at: datetime, duration_s: float, error: Exception | None
    ) -> ProbeResult:
        """Returns what a probe found.

        Args:
            trace: what it noted.
            scheduled_at: the slot.
            started_at: when it began.
            duration_s: seconds from then to the end of `measure`.
            error: what `measure` raised; DeadlinePassedError where the deadline ended it.
        """
        trace.leave()
        if error is None and trace.dead_address is not None:
            error = self._dead_address(trace, trace.dead_address)
        try:
            if error is None and trace.degraded is None:
                evidence = trace.evidence() if self.environment.whole_evidence else trace.evidence_of_good()
                return ProbeResult(
                    self.check.key,
                    scheduled_at,
                    started_at,
                    duration_s,
                    Status.UP,
                    phases=trace.phases,
                    evidence=evidence,
                    received_bytes=trace.received_bytes,
                )
            return self._bad_result(trace, scheduled_at, started_at, duration_s, error)
        except Exception as bug:  # noqa: BLE001  # evidence is made of what strangers wrote
            return ProbeResult(
                check_key=self.check.key,
                scheduled_at=scheduled_at,
                started_at=started_at,
                duration_s=duration_s,
                status=Status.UNKNOWN,
                reason=Reason.AGENT_ERROR,
                detail=one_line(f"{type(bug).__name__}: {bug}", DETAIL_CHARS),
            )

    def _dead_address(self, trace: Trace, failure: ProbeFailure) -> ProbeFailure | None:
        """Counts an address that is dead while another one works as the plan says."""
        counts_as = self.check.plan.dead_address
        if counts_as == "degraded" and trace.degraded is None:
            trace.degraded = (failure.reason, failure.detail)
        return failure if counts_as == "down" else None

    def _bad_result(
        self, trace: Trace, scheduled_at: datetime, started_at: datetime, duration_s: float, error: Exception | None
    ) -> ProbeResult:
        if error is not None:
            failure = self._verdict(trace, error)
            status, reason, detail, phase = failure.status, failure.reason, failure.detail, failure.phase
            if not any(detail in line for line in trace.log()):
                trace.note("failed: {}", detail)
        elif trace.degraded is not None:
            status, (reason, detail), phase = Status.DEGRADED, trace.degraded, None
        return ProbeResult(
            check_key=self.check.key,
            scheduled_at=scheduled_at,
            started_at=started_at,
            duration_s=duration_s,
            status=status,
            reason=reason,
            failed_phase=phase,
            detail=one_line(detail, DETAIL_CHARS),
            phases=trace.phases,
            evidence=trace.evidence(),
            received_bytes=trace.received_bytes,
        )

    def _verdict(self, trace: Trace, error: Exception) -> ProbeFailure:
        """Returns what an error means; our own bug must never count against a site."""
        if isinstance(error, ProbeFailure):
            return error
        if isinstance(error, DeadlinePassedError):
            return trace.failure or _overdue(trace, self.check.options.timeout_s)
        trace.note("the agent failed: {!r}", error)
        return ProbeFailure(Reason.AGENT_ERROR, f"{type(error).__name__}: {error}", phase=trace.phase)


def _overdue(trace: Trace, limit_s: float) -> ProbeFailure:
    seen = f" ({trace.progress()})" if trace.progress else ""
    reason, words = TIMEOUTS[trace.phase]
    detail = f"{words} within {limit_s:g} s{seen}"
    trace.note("deadline passed: {}", detail)
    return ProbeFailure(reason, detail, phase=trace.phase)
