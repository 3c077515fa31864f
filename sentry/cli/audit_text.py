"""The report of an audit as text, on a terminal or in a file."""

from collections import Counter
from collections.abc import Iterator

from rich.markup import escape
from rich.text import Text

from sentry.domain.acting import why
from sentry.domain.finding import WORST_FIRST, AuditReport, Finding, FindingClass, Sign

GRAVE = (FindingClass.CONFIRMED, FindingClass.VULNERABLE, FindingClass.EXPOSED)
QUIET = (FindingClass.ADVICE, FindingClass.NOT_LOOKED_AT)
SIGNS_SHOWN = 4
SHOWN_OF_CLASS = 50


def lines_of(report: AuditReport) -> Iterator[str]:
    """Yields lines in rich markup: findings, the worst first, failures, each part, and what was looked at."""
    shown: Counter[FindingClass] = Counter()
    for finding in report.findings:
        shown[finding.verdict] += 1
        if shown[finding.verdict] <= SHOWN_OF_CLASS:
            yield from _lines_of_finding(finding)
    for verdict, count in shown.items():
        if count > SHOWN_OF_CLASS:
            yield f"{count - SHOWN_OF_CLASS:,} more {_words(verdict)} (all with --format json)"
    for failure in report.manifest.failures:
        yield f"[bold red]failed[/] {escape(failure)}"
    for name, text in report.manifest.parts.items():
        yield f"[dim]{escape(name)}: {escape(text)}[/]"
    yield _summary(report)


def text_of(report: AuditReport) -> str:
    """Returns the same without colours, for a file."""
    return "".join(f"{Text.from_markup(line).plain}\n" for line in lines_of(report))


def _summary(report: AuditReport) -> str:
    manifest = report.manifest
    counted = Counter(finding.verdict for finding in report.findings if not finding.allowed)
    found = [f"{counted[verdict]:,} {_words(verdict)}" for verdict in WORST_FIRST if counted[verdict]]
    allowed = sum(bool(finding.allowed) for finding in report.findings)
    if allowed:
        found.append(f"{allowed:,} allowed")
    return (
        f"{manifest.files:,} files looked at, {manifest.scripts:,} of them scripts, {manifest.known:,} as published, "
        f"{manifest.hidden:,} hidden, {manifest.size_bytes:,} bytes: {', '.join(found) or 'nothing found'}"
    )


def _words(verdict: FindingClass) -> str:
    return verdict.replace("_", " ")


def _colour(finding: Finding) -> str:
    if finding.allowed or finding.verdict in QUIET:
        return "dim"
    return "bold red" if finding.verdict in GRAVE else "yellow"


def _lines_of_finding(finding: Finding) -> Iterator[str]:
    allowed = " (allowed)" if finding.allowed else ""
    yield f"[{_colour(finding)}]{finding.verdict}{allowed}[/] {escape(finding.path)}"
    for sign in finding.signs[:SIGNS_SHOWN]:
        yield from _lines_of_sign(sign)
    if len(finding.signs) > SIGNS_SHOWN:
        yield f"  {len(finding.signs) - SIGNS_SHOWN} more reasons"
    for number, layer in enumerate(finding.layers, 1):
        yield f"    hidden text {number}: {escape(layer)}"
    if finding.verdict not in QUIET:
        yield f"  [dim]{escape(why(finding))}[/]"


def _lines_of_sign(sign: Sign) -> Iterator[str]:
    where = f", in hidden text {sign.layer} deep" if sign.layer else ""
    detail = f" ({escape(sign.detail)})" if sign.detail else ""
    author = f" by {escape(sign.author)}" if sign.author else ""
    licence = f", {escape(sign.licence)}" if sign.licence else ""
    yield f"  {escape(sign.meaning)}{detail}{where} [dim]{escape(sign.rule)}{author}{licence}[/]"
    for line in sign.way:
        yield f"    {line.number:>5}  {escape(line.text)}"
