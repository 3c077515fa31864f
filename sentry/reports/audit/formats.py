"""Every format that the report of an audit is written in."""

from collections.abc import Callable, Mapping

from pydantic import TypeAdapter

from sentry.domain.finding import AuditReport
from sentry.reports.audit.csv import audit_csv
from sentry.reports.audit.html import audit_html
from sentry.reports.audit.sarif import audit_sarif

REPORT: TypeAdapter[AuditReport] = TypeAdapter(AuditReport)


def audit_json(report: AuditReport) -> str:
    """Returns the whole report, with every sign and everything that was not looked at."""
    return REPORT.dump_json(report, indent=2).decode() + "\n"


FORMATS: Mapping[str, Callable[[AuditReport], str]] = {
    "json": audit_json,
    "sarif": audit_sarif,
    "csv": audit_csv,
    "html": audit_html,
}
