"""The report as plain text, for a terminal or a mail."""

from collections.abc import Iterator
from datetime import date, datetime
from textwrap import wrap
from zoneinfo import ZoneInfo

from sentry.domain.client_report import Figures, IncidentEntry, Interval, LeftOut, ReportData, SiteReport, WorkEntry
from sentry.domain.site import Language
from sentry.reports.audits import audit_sentences
from sentry.reports.incident_times import SIDES, incident_times
from sentry.reports.inert import inert_line
from sentry.reports.methodology import RULES, VERDICT_TEXT, blips_sentence, not_measured, verdict_sentence
from sentry.reports.wording import Wording
from sentry.reports.work import work_note, work_reason

COLUMNS = 78
_LABEL = 30


class TextReport:
    """Writes the report in at most 78 columns."""

    media_type = "text/plain; charset=utf-8"
    extension = "txt"

    def render(self, report: ReportData) -> str:
        """Returns the text."""
        wording = Wording(Language(report.language), ZoneInfo(report.time_zone))
        return "\n".join(line.rstrip() for line in _lines(report, wording)) + "\n"


def _lines(report: ReportData, wording: Wording) -> Iterator[str]:
    month = wording.month(date.fromisoformat(f"{report.month}-01"))
    yield from wrap(wording.text("Availability report, {month}", month=month).upper(), COLUMNS)
    yield inert_line(f"{report.client_name} · {report.agency}", COLUMNS)
    yield ""
    for site in report.sites:
        yield from _site(site, Wording(wording.language, ZoneInfo(site.time_zone)))
    if report.account is not None:
        yield from _heading(wording.text("All sites together"))
        yield from _figures(report.account, wording)
        yield ""
    yield from _heading(wording.text("Not measured yet"))
    yield from _bullets(not_measured(report, wording))
    yield ""
    yield from _heading(wording.text("How this was measured"))
    yield from _bullets([wording.text(rule) for rule in RULES])
    yield ""
    yield from wrap(wording.text("Made on {moment}", moment=wording.moment(report.generated)), COLUMNS)
    yield f"SHA-256 {report.sha256}"


def _site(site: SiteReport, wording: Wording) -> Iterator[str]:
    yield from _heading(inert_line(site.name, COLUMNS))
    yield inert_line(f"{site.url} · {site.time_zone}", COLUMNS)
    if site.interval_s:
        yield wording.text("visited every {interval}", interval=wording.duration(site.interval_s))
    yield from wrap(verdict_sentence(site, wording), COLUMNS)
    yield ""
    yield from _figures(site.figures, wording)
    yield ""
    yield wording.text("When it was down") + ":"
    yield from _intervals(site.down, wording)
    if site.left_out:
        yield wording.text("Left out of the promise") + ":"
        yield from _left_out(site.left_out, wording)
    if site.unknown:
        yield wording.text("When we could not watch") + ":"
        yield from _intervals(site.unknown, wording)
    yield wording.text("Incidents") + ":"
    for incident in site.incidents:
        yield from _incident(incident, wording)
    if not site.incidents:
        yield "  " + wording.text("none")
    if site.blips:
        yield from wrap(blips_sentence(site.blips, wording), COLUMNS)
    yield wording.text("Maintenance") + ":"
    yield from _work(site.work, wording)
    if site.audits:
        yield wording.text("Security") + ":"
        yield from wrap(" ".join(audit_sentences(site, wording)), COLUMNS)
    yield from _response(site, wording)
    yield ""


def _figures(figures: Figures, wording: Wording) -> Iterator[str]:
    span = f"[{wording.percent_text(figures.worst)}; {wording.percent_text(figures.best)}]"
    promised = figures.verdict != "observed"
    rows = [
        *([(wording.text("Promised"), wording.share(figures.target))] if promised else []),
        *([(wording.text("By the contract"), wording.percent_text(figures.measured))] if promised else []),
        (wording.text("As observed"), wording.percent_text(figures.observed)),
        (wording.text("Lowest and highest possible"), span),
        (wording.text("Verdict"), wording.text(VERDICT_TEXT[figures.verdict])),
        (wording.text("Minutes down"), wording.number(figures.minutes.down)),
        *([(wording.text("Minutes left out"), wording.number(figures.left_out))] if figures.left_out else []),
        *([(wording.text("Minutes allowed"), wording.decimal(figures.allowed))] if promised else []),
        (wording.text("Minutes not watched"), wording.number(figures.minutes.unknown)),
        (wording.text("Minutes in this month"), wording.number(figures.span_minutes)),
    ]
    for label, value in rows:
        yield f"  {label:<{_LABEL}}{value}"


def _intervals(intervals: tuple[Interval, ...], wording: Wording) -> Iterator[str]:
    for interval in intervals:
        start, end = datetime.fromisoformat(interval.start), datetime.fromisoformat(interval.end)
        minutes = wording.plural("{count} minute", "{count} minutes", interval.minutes)
        yield f"  {wording.minute(start)} → {wording.until(start, end)}  {minutes}"
    if not intervals:
        yield "  " + wording.text("none")


def _left_out(items: tuple[LeftOut, ...], wording: Wording) -> Iterator[str]:
    for item in items:
        start, end = datetime.fromisoformat(item.start), datetime.fromisoformat(item.end)
        minutes = wording.plural("{count} minute", "{count} minutes", item.minutes)
        side = wording.text(SIDES[item.side])
        yield f"  {wording.minute(start)} → {wording.until(start, end)}  {minutes}  {side} (#{item.incident})"


def _work(entries: tuple[WorkEntry, ...], wording: Wording) -> Iterator[str]:
    if not entries:
        yield "  " + wording.text("none")
    for entry in entries:
        yield from _intervals((Interval(entry.start, entry.end, entry.minutes),), wording)
        for line in (work_reason(entry), work_note(entry, wording)):
            yield from wrap(line, COLUMNS, initial_indent="      ", subsequent_indent="      ")


def _incident(incident: IncidentEntry, wording: Wording) -> Iterator[str]:
    started = wording.minute(datetime.fromisoformat(incident.started_at))
    yield from wrap(
        f"#{incident.number}  {started}  {inert_line(incident.cause, 400)}",
        COLUMNS,
        initial_indent="  ",
        subsequent_indent="      ",
    )
    yield from wrap(
        " · ".join(incident_times(incident, wording)), COLUMNS, initial_indent="      ", subsequent_indent="      "
    )
    for action in incident.actions:
        yield from wrap(inert_line(action, 400), COLUMNS, initial_indent="      > ", subsequent_indent="        ")


def _response(site: SiteReport, wording: Wording) -> Iterator[str]:
    yield wording.text("Response time") + ":"
    heads = (wording.text("median"), wording.text("95 of 100 in"))
    yield f"  {'':<16}{heads[0]:>14}{heads[1]:>14}"
    for day in site.response:
        median, p95 = (wording.milliseconds(value / 1000) for value in (day.median_ms, day.p95_ms))
        yield f"  {wording.day(date.fromisoformat(day.date)):<16}{median:>14}{p95:>14}"
    if not site.response:
        yield "  " + wording.text("No samples are kept for this month.")


def _heading(title: str) -> Iterator[str]:
    yield title
    yield "─" * min(COLUMNS, max(len(title), 3))


def _bullets(lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield from wrap(line, COLUMNS, initial_indent="- ", subsequent_indent="  ")
