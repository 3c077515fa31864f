"""The report as CSV: one table of intervals and figures that a spreadsheet opens without running anything."""

import csv
import re
from collections.abc import Iterator
from io import StringIO

from sentry.domain.client_report import Interval, ReportData, SiteReport
from sentry.reports.inert import inert_line

HEADER = ("site", "kind", "name", "start", "end", "minutes", "value", "note")

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Cells that begin so are run as formulas by spreadsheets, the full-width signs too (OWASP, CSV injection)."""

_FIGURES = (
    "target",
    "measured",
    "worst",
    "best",
    "observed",
    "verdict",
    "left_out",
    "allowed",
    "spent",
    "left",
    "used_percent",
)

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class CsvReport:
    """Writes the report for spreadsheets (RFC 4180, with a byte-order mark so that Excel reads UTF-8)."""

    media_type = "text/csv; charset=utf-8"
    extension = "csv"

    def render(self, report: ReportData) -> str:
        """Returns the table: figures, days and intervals of every site, and the hash of the report."""
        out = StringIO()
        writer = csv.writer(out)
        writer.writerow(HEADER)
        for row in _rows(report):
            writer.writerow([cell(value) for value in row])
        return "\ufeff" + out.getvalue()


def cell(value: object) -> str:
    """Returns a cell that no spreadsheet runs: text that looks like a formula gets an apostrophe in front."""
    text = inert_line(str(value), 1000) if value is not None else ""
    if _NUMBER.fullmatch(text):
        return text
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


_Row = tuple[object, ...]


def _rows(report: ReportData) -> Iterator[_Row]:
    yield "", "report", "client", "", "", "", report.client_name, report.client
    yield "", "report", "month", "", "", "", report.month, report.time_zone
    yield "", "report", "generated_at", "", "", "", report.generated_at, report.agency
    yield "", "report", "sha256", "", "", "", report.sha256, report.schema
    for site in report.sites:
        yield from _site_rows(site)


def _site_rows(site: SiteReport) -> Iterator[_Row]:
    figures = site.figures
    for name in _FIGURES:
        value = getattr(figures, name)
        yield site.key, "figure", name, figures.counted_from, figures.counted_until, "", value, site.name
    for state in ("up", "down", "degraded", "maintenance", "unknown"):
        minutes = getattr(figures.minutes, state)
        yield site.key, "minutes", state, figures.counted_from, figures.counted_until, minutes, "", ""
    for state in ("down", "degraded", "unknown", "maintenance"):
        for interval in getattr(site, state):
            yield _interval_row(site, state, interval)
    for work in site.work:
        yield site.key, "work", work.judgement, work.start, work.end, work.minutes, work.overrun, work.reason
    for item in site.left_out:
        yield site.key, "left_out", f"#{item.incident}", item.start, item.end, item.minutes, item.side, ""
    for incident in site.incidents:
        place = f"#{incident.number}", incident.started_at, incident.recovered_at
        yield site.key, "incident", *place, "", incident.reason, incident.cause
        yield site.key, "side", *place, "", incident.side, incident.side_reason
        for name in ("detect_s", "acknowledge_s", "resolve_s"):
            yield site.key, name, *place, "", getattr(incident, name), ""
    for day in site.days:
        yield site.key, "day", day.date, "", "", day.minutes.down, "", "down"


def _interval_row(site: SiteReport, state: str, interval: Interval) -> _Row:
    return site.key, "interval", state, interval.start, interval.end, interval.minutes, "", " ".join(interval.checks)
