"""The report as JSON: the data itself, with the hash that anyone can recompute."""

import json

from sentry.domain.client_report import ReportData


class JsonReport:
    """Writes the report for programs."""

    media_type = "application/json"
    extension = "json"

    def render(self, report: ReportData) -> str:
        """Returns indented JSON; the hash is over its canonical form (`sentry.domain.client_report`)."""
        return json.dumps(report.json_value(), indent=2, ensure_ascii=False) + "\n"
