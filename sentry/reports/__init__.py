"""What people read: messages about incidents, and client reports in every form, from the same data."""

from sentry.reports.csv import CsvReport
from sentry.reports.form import ReportForm
from sentry.reports.html import HtmlReport
from sentry.reports.json import JsonReport
from sentry.reports.text import TextReport

KINDS: dict[str, type[ReportForm]] = {"html": HtmlReport, "text": TextReport, "csv": CsvReport, "json": JsonReport}
