"""Samples as the store keeps them: small whole numbers, because ten thousand checks make 14 million rows a day."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from sentry.domain.result import Phase, ProbeResult, Status
from sentry.ports import Sample, SampleKind
from sentry.store.columns import from_ms, to_ms

KIND_CODES: Mapping[SampleKind, int] = {SampleKind.SLOT: 0, SampleKind.RECHECK: 1, SampleKind.MISSED: 2}
STATUS_CODES: Mapping[Status, int] = {Status.UP: 0, Status.DOWN: 1, Status.DEGRADED: 2, Status.UNKNOWN: 3}
_KINDS = {code: kind for kind, code in KIND_CODES.items()}
_STATUSES = {code: status for status, code in STATUS_CODES.items()}
_PHASES = {phase: f"{phase.value}_us" for phase in Phase}


def sample_row(check_id: int, result: ProbeResult, kind: SampleKind) -> dict[str, Any]:
    """Returns the row of a result; a phase that was not reached is NULL."""
    row = {
        "check_id": check_id,
        "scheduled_ms": to_ms(result.scheduled_at),
        "kind": KIND_CODES[kind],
        "status": STATUS_CODES[result.status],
        "reason": None if result.reason is None else result.reason.value,
        "duration_us": round(result.duration_s * 1e6),
    }
    for phase, column in _PHASES.items():
        seconds = result.phases.get(phase)
        row[column] = None if seconds is None else round(seconds * 1e6)
    return row


def sample_of(row: Row[*tuple[Any, ...]], check_key: str) -> Sample:
    """Returns the sample of a row."""
    phases = {phase.value: getattr(row, column) for phase, column in _PHASES.items()}
    return Sample(
        check_key=check_key,
        scheduled_at=from_ms(row.scheduled_ms),
        kind=_KINDS[row.kind],
        status=_STATUSES[row.status].value,
        reason=row.reason,
        duration_s=row.duration_us / 1e6,
        phases={phase: value / 1e6 for phase, value in phases.items() if value is not None},
    )
