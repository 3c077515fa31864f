"""Samples as the store keeps them: small whole numbers, because ten thousand checks make 14 million rows a day."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from sentry.domain.day import KINDS, MS_PER_MINUTE, STATUSES
from sentry.domain.result import Phase, ProbeResult, Status
from sentry.ports import Sample, SampleKind
from sentry.store.columns import EPOCH, from_ms

KIND_CODES: Mapping[SampleKind, int] = {SampleKind(kind): code for code, kind in enumerate(KINDS)}
STATUS_CODES: Mapping[Status, int] = {status: code for code, status in enumerate(STATUSES)}
_SAMPLE_KINDS = tuple(SampleKind(kind) for kind in KINDS)
_PHASES = tuple((phase.value, f"{phase.value}_us") for phase in Phase)
_DNS, _CONNECT, _TLS, _PROCESSING, _TRANSFER = Phase
_ONE_MS = timedelta(milliseconds=1)

SampleRow = tuple[
    int, int, int, int, int, str | None, int, int | None, int | None, int | None, int | None, int | None
]
"""The columns of `samples`, in the order of the table."""


def place_of(at: datetime) -> tuple[int, int]:
    """Returns the minute in which an instant lies, and the milliseconds of that minute before it."""
    return divmod((at - EPOCH) // _ONE_MS, MS_PER_MINUTE)


def sample_row(check_id: int, result: ProbeResult, kind: SampleKind) -> SampleRow:
    """Returns the row of a result; a phase that was not reached is NULL."""
    minute, offset_ms = divmod((result.scheduled_at - EPOCH) // _ONE_MS, MS_PER_MINUTE)
    took = result.phases.get
    dns, connect, tls, processing, transfer = (
        took(_DNS),
        took(_CONNECT),
        took(_TLS),
        took(_PROCESSING),
        took(_TRANSFER),
    )
    # Written out, not looped over: this runs for every probe of every check.
    return (
        minute,
        check_id,
        offset_ms,
        KIND_CODES[kind],
        STATUS_CODES[result.status],
        None if result.reason is None else result.reason.value,
        int(result.duration_s * 1e6 + 0.5),
        None if dns is None else int(dns * 1e6 + 0.5),
        None if connect is None else int(connect * 1e6 + 0.5),
        None if tls is None else int(tls * 1e6 + 0.5),
        None if processing is None else int(processing * 1e6 + 0.5),
        None if transfer is None else int(transfer * 1e6 + 0.5),
    )


def newest_row(row: SampleRow) -> SampleRow:
    """Returns a sample's row as `newest_samples` has it: the check comes first."""
    return (row[1], row[0], *row[2:])


def sample_of(row: Row[*tuple[Any, ...]], check_key: str) -> Sample:
    """Returns the sample of a row."""
    phases = {phase: getattr(row, column) for phase, column in _PHASES}
    return Sample(
        check_key=check_key,
        scheduled_at=from_ms(row.minute * MS_PER_MINUTE + row.offset_ms),
        kind=_SAMPLE_KINDS[row.kind],
        status=STATUSES[row.status].value,
        reason=row.reason,
        duration_s=row.duration_us / 1e6,
        phases={phase: value / 1e6 for phase, value in phases.items() if value is not None},
    )
