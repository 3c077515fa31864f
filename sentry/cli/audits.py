"""`online-sentry audit`: looks through a folder for malware; nothing is executed and nothing changed."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter
from rich.markup import escape

from sentry.app.auditing.errand import audited
from sentry.app.auditing.order import AuditOrder
from sentry.app.packs import chosen
from sentry.cli.audit_progress import followed
from sentry.cli.packs import PacksOption, TrustOption, UnsignedOption
from sentry.cli.shell import ExitCode, JsonOption, command, config_of, out, print_json
from sentry.domain.finding import WORST_FIRST, AuditReport, Finding, FindingClass, Sign

REPORT: TypeAdapter[AuditReport] = TypeAdapter(AuditReport)
COLOURS = {FindingClass.CONFIRMED: "bold red", FindingClass.VULNERABLE: "bold red", FindingClass.EXPOSED: "bold red"}
OTHER_COLOUR = "yellow"
SIGNS_SHOWN = 3
EXIT_CODES = {
    FindingClass.CONFIRMED: ExitCode.CONFIRMED,
    FindingClass.VULNERABLE: ExitCode.VULNERABLE,
    FindingClass.EXPOSED: ExitCode.EXPOSED,
    FindingClass.SUSPICIOUS: ExitCode.NEGATIVE,
    FindingClass.MODIFIED: ExitCode.NEGATIVE,
    FindingClass.ENCODED: ExitCode.NEGATIVE,
}
"""What a shell script is told of the worst finding; whatever stands not here needs nobody today."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("audit")(command(audit))


async def audit(
    context: typer.Context,
    *,
    path: Annotated[Path, typer.Option("--path", metavar="DIR", help="The folder that a site is served from.")],
    packs: PacksOption = None,
    trust: TrustOption = None,
    unsigned: UnsignedOption = False,
    as_json: JsonOption = False,
) -> ExitCode:
    """Look through every file of a folder for malware. The exit code says what the worst is that was found."""
    known_good = chosen(config_of(context), packs or (), trust or (), unsigned=unsigned)
    with followed() as told:
        report = await audited(AuditOrder(folder=str(path), packs=known_good), told)
    if as_json:
        print_json(REPORT.dump_python(report, mode="json"))
    else:
        _print(report)
    return ExitCode.OK if report.worst is None else EXIT_CODES.get(report.worst, ExitCode.OK)


def _print(report: AuditReport) -> None:
    for finding in report.findings:
        _print_finding(finding)
    manifest = report.manifest
    for failure in manifest.failures:
        out.print(f"[bold red]failed[/] {escape(failure)}")
    for part, said in manifest.parts.items():
        out.print(f"{part}: {escape(said)}")
    counted = Counter(finding.verdict for finding in report.findings)
    found = ", ".join(
        f"{counted[verdict]} {verdict.replace('_', ' ')}" for verdict in WORST_FIRST if counted[verdict]
    )
    out.print(
        f"{manifest.files:,} files looked at, {manifest.scripts:,} of them scripts, {manifest.hidden:,} hidden, "
        f"{manifest.size_bytes:,} bytes: {found or 'nothing found'}"
    )


def _print_finding(finding: Finding) -> None:
    out.print(f"[{COLOURS.get(finding.verdict, OTHER_COLOUR)}]{finding.verdict}[/] {escape(finding.path)}")
    for sign in finding.signs[:SIGNS_SHOWN]:
        _print_sign(sign)
    for number, layer in enumerate(finding.layers, 1):
        out.print(f"    hidden text {number}: {escape(layer)}")


def _print_sign(sign: Sign) -> None:
    where = f", in hidden text {sign.layer} deep" if sign.layer else ""
    detail = f" ({escape(sign.detail)})" if sign.detail else ""
    author = f" by {escape(sign.author)}" if sign.author else ""
    out.print(f"  {sign.meaning}{detail}{where} [dim]{sign.rule}{author}[/]")
    for line in sign.way:
        out.print(f"    {line.number:>5}  {escape(line.text)}")
