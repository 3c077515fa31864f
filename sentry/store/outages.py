"""Confirmed outages as rows."""

from typing import Any

from sqlalchemy import Row

from sentry.domain.health import Outage
from sentry.domain.result import Phase, Reason

OUTAGE_COLUMNS = ("confirmed_us", "reason", "failed_phase", "detail", "ended_us")
"""What may change while an outage lasts."""


def outage_row(check_id: int, outage: Outage) -> dict[str, Any]:
    """Returns the row of an outage."""
    return {
        "check_id": check_id,
        "started_us": outage.started_at,
        "confirmed_us": outage.confirmed_at,
        "reason": outage.reason.value,
        "failed_phase": None if outage.failed_phase is None else outage.failed_phase.value,
        "detail": outage.detail,
        "ended_us": outage.ended_at,
    }


def outage_of(row: Row[*tuple[Any, ...]], check_key: str) -> Outage:
    """Returns the outage of a row."""
    return Outage(
        check_key=check_key,
        started_at=row.started_us,
        confirmed_at=row.confirmed_us,
        reason=Reason(row.reason),
        failed_phase=None if row.failed_phase is None else Phase(row.failed_phase),
        detail=row.detail,
        ended_at=row.ended_us,
    )
