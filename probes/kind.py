"""What every probe kind is: a prepared check whose `measure` notes what it sees and ends with a verdict."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import ClassVar

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

    async def verdict(
        self, trace: Trace, measuring: Awaitable[None], deadline: type[Exception]
    ) -> ProbeFailure | None:
        """Waits for the measuring and returns what failed, be it the deadline or ourselves.

        Args:
            trace: takes the notes.
            measuring: `measure` under way.
            deadline: what it raises when the deadline has passed.
        """
        try:
            await measuring
        except ProbeFailure as failure:
            return failure
        except deadline:
            return trace.failure or _overdue(trace, self.check.options.timeout_s)
        except Exception as error:  # noqa: BLE001  # our own bug must never count against a site
            trace.note("the agent failed: {!r}", error)
            return ProbeFailure(Reason.AGENT_ERROR, f"{type(error).__name__}: {error}", phase=trace.phase)
        return None

    def conclude(
        self,
        trace: Trace,
        failure: ProbeFailure | None,
        scheduled_at: datetime,
        started_at: datetime,
        duration_s: float,
    ) -> ProbeResult:
        """Returns what a probe found; where that cannot be put together, that the agent failed."""
        try:
            return self._result(trace, failure, scheduled_at, started_at, duration_s)
        except Exception as error:  # noqa: BLE001  # as above; evidence is made of what strangers wrote
            detail = one_line(f"{type(error).__name__}: {error}", DETAIL_CHARS)
            return ProbeResult(
                self.check.key,
                scheduled_at,
                started_at,
                duration_s,
                Status.UNKNOWN,
                Reason.AGENT_ERROR,
                detail=detail,
            )

    def _result(
        self,
        trace: Trace,
        failure: ProbeFailure | None,
        scheduled_at: datetime,
        started_at: datetime,
        duration_s: float,
    ) -> ProbeResult:
        trace.leave()
        if failure is None and trace.degraded is None:
            whole = self.environment.whole_evidence
            evidence = trace.evidence() if whole else trace.evidence_of_good()
            return ProbeResult(
                self.check.key,
                scheduled_at,
                started_at,
                duration_s,
                Status.UP,
                phases=trace.phases,
                evidence=evidence,
            )
        if failure is not None:
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
        )


def _overdue(trace: Trace, limit_s: float) -> ProbeFailure:
    seen = f" ({trace.progress()})" if trace.progress else ""
    reason, words = TIMEOUTS[trace.phase]
    detail = f"{words} within {limit_s:g} s{seen}"
    trace.note("deadline passed: {}", detail)
    return ProbeFailure(reason, detail, phase=trace.phase)
