"""An audit for spreadsheets: a row for each reason, and one for each thing that was not looked at."""

import csv
from collections.abc import Iterator
from io import StringIO

from sentry.domain.acting import why
from sentry.domain.finding import AuditReport, Finding, FindingClass
from sentry.reports.csv import cell

HEADER = (
    "class",
    "place",
    "path",
    "size_bytes",
    "sha256",
    "rule",
    "meaning",
    "detail",
    "evidence",
    "layer",
    "line",
    "text",
    "mended_in",
    "author",
    "licence",
    "allowed",
    "may_be_acted_upon",
    "why",
)


def audit_csv(report: AuditReport) -> str:
    """Returns the table, in which no cell is run as a formula (RFC 4180, with a byte-order mark for Excel)."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER)
    writer.writerows([cell(value) for value in row] for row in _rows(report))
    return "\ufeff" + out.getvalue()


def _rows(report: AuditReport) -> Iterator[tuple[object, ...]]:
    for finding in report.findings:
        if finding.verdict is not FindingClass.NOT_LOOKED_AT:
            yield from _reasons(finding)
    for one in report.manifest.skipped:
        told = (FindingClass.NOT_LOOKED_AT.value, "", one.path, one.size_bytes, "", "not-looked-at", one.why)
        yield (*told, *[""] * (len(HEADER) - len(told)))


def _reasons(finding: Finding) -> Iterator[tuple[object, ...]]:
    what = (finding.verdict.value, finding.place.value, finding.path, finding.size_bytes, finding.sha256)
    acting = (finding.allowed, "yes" if finding.may_be_acted_upon else "no", why(finding))
    for sign in finding.signs:
        sink = sign.way[-1] if sign.way else None
        line = (sink.number, sink.text) if sink else ("", "")
        reason = (sign.rule, sign.meaning, sign.detail, sign.evidence.value, sign.layer)
        yield (*what, *reason, *line, sign.mended_in, sign.author, sign.licence, *acting)
