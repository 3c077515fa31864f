"""An incident as facts for machines: JSON values only, nothing translated, everything from the site inert."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sentry.domain.failure_report import FailureReport
from sentry.domain.incident import Incident
from sentry.domain.public_url import public_url
from sentry.reports.facts import presented_chain
from sentry.reports.inert import inert_line

_ITEMS = 100
"""Most items of one list of facts."""


def summary(incident: Incident) -> dict[str, Any]:
    """Returns the facts of an incident and of its report or concern, small enough for a webhook."""
    return {
        "incident": incident.id,
        "opening": incident.opening,
        "state": str(incident.state),
        "severity": str(incident.severity),
        "site": incident.site_key,
        "client": incident.client_key,
        "checks_down": sorted(incident.checks_down),
        "ticket": incident.ticket_number,
        "part_of": incident.parent_id,
        "members": [
            {"incident": one.id, "site": one.site_key, "client": one.client_key, "state": str(one.state)}
            for one in incident.members[:_ITEMS]
        ],
        "started_at": incident.started_at.isoformat(),
        "detected_at": incident.detected_at.isoformat(),
        "acknowledged_at": _instant(incident.acknowledged_at),
        "recovered_at": _instant(incident.recovered_at),
        "time_to_detect_s": incident.time_to_detect.total_seconds(),
        "time_to_acknowledge_s": _seconds(incident.time_to_acknowledge),
        "time_to_resolve_s": _seconds(incident.time_to_resolve),
        "kind": incident.kind,
        "report": report_summary(incident.report) if incident.report else None,
        "concern": _inert(incident.facts) if incident.concern else None,
    }


def report_summary(report: FailureReport) -> dict[str, Any]:
    """Returns the facts of a failure report, without bodies and chains."""
    failed = report.failed
    chain = presented_chain(report)
    return {
        "check": report.check_key,
        "url": inert_line(public_url(report.url), 500),
        "reason": str(report.reason),
        "failed_phase": str(failed.failed_phase) if failed.failed_phase else None,
        "detail": inert_line(failed.detail, 500),
        "address": failed.evidence.address,
        "http_status": failed.evidence.http.status if failed.evidence.http else None,
        "phases_s": {str(phase): round(seconds, 6) for phase, seconds in failed.phases.items()},
        "certificate_not_after": chain[0].not_after.isoformat() if chain else None,
        "last_good_at": _instant(report.last_good.started_at if report.last_good else None),
        "attribution": str(report.attribution),
        "attribution_basis": report.attribution_basis,
        "addresses_tried": [
            {
                "address": trial.address,
                "connected": trial.connected,
                "tls_reason": str(trial.tls_reason) if trial.tls_reason else None,
            }
            for trial in (report.evidence.addresses if report.evidence else ())
        ],
        "evidence_complete": report.evidence is not None and report.evidence.complete,
    }


def _inert(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """The same value with every text made harmless and every list cut; facts may come from a hostile site."""
    if isinstance(value, str):
        return inert_line(value, 500)
    if isinstance(value, Mapping):
        return {inert_line(str(key), 60): _inert(item) for key, item in list(value.items())[:_ITEMS]}
    if isinstance(value, list | tuple):
        return [_inert(item) for item in value[:_ITEMS]]
    return value


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _seconds(span: timedelta | None) -> float | None:
    return span.total_seconds() if span is not None else None
