"""The report of an audit on a terminal."""

from collections import Counter

from rich.markup import escape

from sentry.cli.shell import out
from sentry.domain.acting import why
from sentry.domain.finding import WORST_FIRST, AuditReport, Finding, FindingClass, Sign

GRAVE = (FindingClass.CONFIRMED, FindingClass.VULNERABLE, FindingClass.EXPOSED)
QUIET = (FindingClass.ADVICE, FindingClass.NOT_LOOKED_AT)
SIGNS_SHOWN = 4
SHOWN_OF_CLASS = 50


def print_report(report: AuditReport) -> None:
    """Prints findings, the worst first, then what failed, what each part says and what was looked at."""
    shown: Counter[FindingClass] = Counter()
    for finding in report.findings:
        shown[finding.verdict] += 1
        if shown[finding.verdict] <= SHOWN_OF_CLASS:
            _print_finding(finding)
    for verdict, count in shown.items():
        if count > SHOWN_OF_CLASS:
            out.print(f"{count - SHOWN_OF_CLASS:,} more {_words(verdict)} (all with --format json)")
    for failure in report.manifest.failures:
        out.print(f"[bold red]failed[/] {escape(failure)}")
    for name, text in report.manifest.parts.items():
        out.print(f"[dim]{escape(name)}: {escape(text)}[/]")
    out.print(_summary(report))


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


def _print_finding(finding: Finding) -> None:
    allowed = " (allowed)" if finding.allowed else ""
    out.print(f"[{_colour(finding)}]{finding.verdict}{allowed}[/] {escape(finding.path)}")
    for sign in finding.signs[:SIGNS_SHOWN]:
        _print_sign(sign)
    if len(finding.signs) > SIGNS_SHOWN:
        out.print(f"  {len(finding.signs) - SIGNS_SHOWN} more reasons")
    for number, layer in enumerate(finding.layers, 1):
        out.print(f"    hidden text {number}: {escape(layer)}")
    if finding.verdict not in QUIET:
        out.print(f"  [dim]{escape(why(finding))}[/]")


def _print_sign(sign: Sign) -> None:
    where = f", in hidden text {sign.layer} deep" if sign.layer else ""
    detail = f" ({escape(sign.detail)})" if sign.detail else ""
    author = f" by {escape(sign.author)}" if sign.author else ""
    licence = f", {escape(sign.licence)}" if sign.licence else ""
    out.print(f"  {escape(sign.meaning)}{detail}{where} [dim]{escape(sign.rule)}{author}{licence}[/]")
    for line in sign.way:
        out.print(f"    {line.number:>5}  {escape(line.text)}")
