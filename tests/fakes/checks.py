"""Checks and results as tests need them, with everything that does not matter filled in."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sentry.domain.result import Phase, ProbeResult, Reason, Status
from sentry.domain.site import Check, CheckOptions, Language, Plan

START = datetime(2026, 11, 2, 9, 0, 5, tzinfo=UTC)


def make_check(
    key: str = "shop/http",
    *,
    interval_s: int = 60,
    options: CheckOptions | None = None,
    plan: Plan | None = None,
    url: str = "http://shop.example/",
    host_group: str = "shop.example",
    host_cap: int = 8,
) -> Check:
    """A check with its plan."""
    return Check(
        key=key,
        site_key=key.partition("/")[0],
        client_key="acme",
        plan_key="priority",
        url=url,
        interval_s=interval_s,
        options=options or CheckOptions(kind="http"),
        plan=plan or Plan(),
        time_zone=ZoneInfo("Europe/Madrid"),
        language=Language.EN,
        host_group=host_group,
        host_cap=host_cap,
    )


def make_result(
    status: Status = Status.UP,
    at: datetime | float = 0.0,
    *,
    check_key: str = "shop/http",
    reason: Reason | None = None,
    duration_s: float = 0.1,
) -> ProbeResult:
    """A result at an instant, or at so many seconds after START."""
    scheduled_at = at if isinstance(at, datetime) else START + timedelta(seconds=at)
    default = {
        Status.UP: None,
        Status.DEGRADED: Reason.SLOW_RESPONSE,
        Status.DOWN: Reason.HTTP_SERVER_ERROR,
        Status.UNKNOWN: Reason.AGENT_ERROR,
    }[status]
    return ProbeResult(
        check_key=check_key,
        scheduled_at=scheduled_at,
        started_at=scheduled_at,
        duration_s=duration_s,
        status=status,
        reason=reason or default,
        failed_phase=Phase.PROCESSING if status is Status.DOWN else None,
        detail="" if status is Status.UP else "as the test says",
    )
