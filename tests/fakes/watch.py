"""Results, incidents and records as the watch makes them, with only what a test cares about to be said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sentry.domain.failure_report import FailureReport
from sentry.domain.incident import Incident, IncidentState
from sentry.domain.result import Evidence, HttpEvidence, Phase, ProbeResult, Reason, Status
from sentry.domain.severity import Severity
from sentry.ports import SampleKind, WatchRecord

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def minute(place: int) -> datetime:
    """The slot so many minutes after noon."""
    return NOON + timedelta(minutes=place)


def up(check_key: str = "shop/http", at: datetime = NOON, **changed: Any) -> ProbeResult:
    result = ProbeResult(check_key, at, at, 0.125, Status.UP, phases={Phase.DNS: 0.004, Phase.CONNECT: 0.02})
    return replace(result, **changed)


def down(check_key: str = "shop/http", at: datetime = NOON, **changed: Any) -> ProbeResult:
    evidence = Evidence(address="192.0.2.7", http=HttpEvidence(status=503, version="1.1", body_head="busy"))
    result = ProbeResult(
        check_key,
        at,
        at,
        0.5,
        Status.DOWN,
        Reason.HTTP_SERVER_ERROR,
        Phase.PROCESSING,
        "status 503, expected 200-299",
        {Phase.DNS: 0.004},
        evidence,
    )
    return replace(result, **changed)


def record(result: ProbeResult, **changed: Any) -> WatchRecord:
    return replace(WatchRecord(result, SampleKind.SLOT), **changed)


def incident(key: str = "site:shop", at: datetime = NOON, **changed: Any) -> Incident:
    failed = down("shop/http", at)
    opened = Incident(
        id=0,
        key=key,
        site_key="shop",
        client_key="acme",
        severity=Severity.SEV1,
        state=IncidentState.OPEN,
        opening=1,
        started_at=at,
        detected_at=at + timedelta(seconds=32),
        checks_down=frozenset({"shop/http"}),
        report=FailureReport("shop/http", "https://shop.example/", Reason.HTTP_SERVER_ERROR, failed),
    )
    return replace(opened, **changed)
