"""The report as one self-contained page: inline style and SVG, no script, nothing loaded from anywhere."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sentry.domain.client_report import ReportData
from sentry.domain.site import Language
from sentry.reports.audits import audit_sentences
from sentry.reports.charts import CHART_HEIGHT, CHART_WIDTH, calendar, response_lines, trend_bars, used_share
from sentry.reports.incident_times import SIDES, incident_times
from sentry.reports.methodology import RULES, VERDICT_TEXT, blips_sentence, not_measured, verdict_sentence
from sentry.reports.pages import page
from sentry.reports.wording import Wording
from sentry.reports.work import work_note, work_reason


class HtmlReport:
    """Draws a report for clients: readable by somebody who is no engineer, printable, light."""

    media_type = "text/html; charset=utf-8"
    extension = "html"

    def render(self, report: ReportData) -> str:
        """Returns the page."""
        wording = Wording(Language(report.language), ZoneInfo(report.time_zone))
        return page(
            "report.html",
            wording,
            report=report,
            month=wording.month(date.fromisoformat(f"{report.month}-01")),
            generated=wording.moment(report.generated),
            instant=datetime.fromisoformat,
            day_of=date.fromisoformat,
            rules=[wording.text(rule) for rule in RULES],
            not_measured=not_measured(report, wording),
            verdict_text=VERDICT_TEXT,
            verdict_sentence=verdict_sentence,
            blips_sentence=blips_sentence,
            audit_sentences=audit_sentences,
            calendar=calendar,
            trend_bars=trend_bars,
            response_lines=response_lines,
            used_share=used_share,
            incident_times=incident_times,
            sides=SIDES,
            work_reason=work_reason,
            work_note=work_note,
            chart_width=CHART_WIDTH,
            chart_height=CHART_HEIGHT,
        )
