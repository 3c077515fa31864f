"""`online-sentry audit`: looks through a site, shows what was found before, and says what may stay."""

from dataclasses import replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.markup import escape
from typer.core import TyperGroup

from sentry.app.auditing.errand import audited
from sentry.app.auditing.office import audit_desk
from sentry.app.auditing.order import AuditOrder
from sentry.app.auditing.sites import audited_site, order_of, reachable
from sentry.app.books import Books, open_books
from sentry.app.pack_access import PackAccess
from sentry.app.packs import chosen
from sentry.cli.audit_progress import followed
from sentry.cli.audit_text import lines_of, text_of
from sentry.cli.packs import PacksOption, TrustOption, UnsignedOption
from sentry.cli.shell import ExitCode, JsonOption, command, config_of, err, out, print_json, print_text, this_person
from sentry.cli.tables import show
from sentry.domain.allow_list import AllowedFinding, standing
from sentry.domain.audit_record import AuditRecord
from sentry.domain.finding import AuditReport, FindingClass
from sentry.reports.audit.formats import FORMATS

EXIT_CODES = {
    FindingClass.CONFIRMED: ExitCode.CONFIRMED,
    FindingClass.VULNERABLE: ExitCode.VULNERABLE,
    FindingClass.EXPOSED: ExitCode.EXPOSED,
    FindingClass.SUSPICIOUS: ExitCode.NEGATIVE,
    FindingClass.MODIFIED: ExitCode.NEGATIVE,
    FindingClass.ENCODED: ExitCode.NEGATIVE,
}
"""What a shell script is told of the worst finding; whatever stands not here needs nobody today."""

DEFAULT_COMMAND = "run"


class Format(StrEnum):
    """What the report can be written as."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    CSV = "csv"
    HTML = "html"


SiteArgument = Annotated[str, typer.Argument(metavar="SITE", help="Key of a site.")]
FormatOption = Annotated[Format, typer.Option("--format", help="text, json, sarif, csv or html.")]
OutputOption = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write the report into this file.")
]
AuthorOption = Annotated[str, typer.Option("--author", help="Who says it; the user of the system if absent.")]
NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", min=1)]


class AuditCommands(TyperGroup):
    """A group whose first word may be left out: `audit SITE` is `audit run SITE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  # a type that typer keeps to itself
        """Puts the word back."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [DEFAULT_COMMAND, *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Adds the group of commands."""
    summary = "Look through a site for malware, holes and what is exposed."
    group = typer.Typer(help=summary, no_args_is_help=True, cls=AuditCommands)
    group.command(DEFAULT_COMMAND)(command(run))
    group.command("list")(command(list_audits))
    group.command("show")(command(show_audit))
    group.command("allow")(command(allow))
    group.command("disallow")(command(disallow))
    group.command("allowed")(command(allowed))
    app.add_typer(group, name="audit")


async def run(
    context: typer.Context,
    site: Annotated[
        str | None, typer.Argument(metavar="[SITE]", help="Key of a site that has `access`.", show_default=False)
    ] = None,
    *,
    path: Annotated[
        Path | None, typer.Option("--path", metavar="DIR", help="Instead: a folder that a site is served from.")
    ] = None,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
    packs: PacksOption = None,
    trust: TrustOption = None,
    unsigned: UnsignedOption = False,
    as_json: JsonOption = False,
) -> ExitCode:
    """Look through a site, or a folder of this machine. The exit code says what the worst is that was found."""
    if (site is None) is (path is None):
        err.print("give either the key of a site, or --path with a folder")
        return ExitCode.USAGE
    known = chosen(config_of(context), packs or (), trust or (), unsigned=unsigned)
    report = await (_of_site(context, site, known) if site is not None else _of_folder(path, known))
    _write(report, Format.JSON if as_json else form, output)
    return ExitCode.OK if report.worst is None else EXIT_CODES.get(report.worst, ExitCode.OK)


async def _of_folder(path: Path | None, packs: PackAccess) -> AuditReport:
    with followed() as told:
        return await audited(AuditOrder(folder=str(path), packs=packs), told)


async def _of_site(context: typer.Context, key: str, packs: PackAccess) -> AuditReport:
    async with open_books(config_of(context)) as books:
        found = reachable(books.settings, key)
        known = audited_site(books.settings, found)
        order = replace(order_of(books.settings, found), packs=packs)
        with followed() as told:
            report = await audited(order, told, within_s=known.terms.within.total_seconds())
        kept = await audit_desk(books).take(known, report)
    err.print(f"kept as audit {kept.record.number}: {kept.record.new} new, {kept.record.gone} gone")
    return kept.report


def _write(report: AuditReport, form: Format, output: Path | None) -> None:
    if form is Format.TEXT and output is None:
        for line in lines_of(report):
            out.print(line)
        return
    text = text_of(report) if form is Format.TEXT else FORMATS[form.value](report)
    if output is None:
        print_text(text)
    else:
        output.write_text(text, encoding="utf-8")
        err.print(f"wrote {escape(str(output))}")


async def list_audits(
    context: typer.Context,
    *,
    site: Annotated[str | None, typer.Option("--site", help="Only of this site.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most this many.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the audits that came to their end, newest first."""
    async with open_books(config_of(context)) as books:
        records = await books.store.audits.list(site_key=site, limit=limit)
    if as_json:
        print_json([_document(one) for one in records])
        return
    rows = [
        (one.number, one.site_key, one.ended_at, one.worst or "-", _counts(one), one.new, one.gone, one.files)
        for one in records
    ]
    columns = ("audit", "site", "ended (UTC)", "worst", "findings", "new", "gone", "files")
    show(columns, rows, "no audit has come to its end yet")


async def show_audit(
    context: typer.Context,
    number: NumberArgument,
    *,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Show an audit as it was kept."""
    async with open_books(config_of(context)) as books:
        kept = await books.store.audits.load(number)
    _write(kept.report, form, output)
    if form is Format.TEXT:
        for finding in kept.gone:
            out.print(f"[green]gone since the audit before[/] {finding.verdict} {escape(finding.path)}")
        out.print(f"[dim]SHA-256 of the proof: {kept.record.sha256}[/]")


async def allow(
    context: typer.Context,
    site: SiteArgument,
    *,
    path: Annotated[str | None, typer.Option("--path", metavar="PATTERN", help="Path below the docroot.")] = None,
    sha256: Annotated[str | None, typer.Option("--digest", metavar="HEX", help="SHA-256 of the file.")] = None,
    rule: Annotated[str | None, typer.Option("--rule", metavar="NAME", help="The rule that found it.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why it may stay.")],
    expires: Annotated[str, typer.Option("--expires", metavar="DATE", help="First day without, 2027-06-30.")],
    author: AuthorOption = "",
) -> ExitCode:
    """Allow a finding of a site from the next audit on. All that is named must fit; malware needs its digest."""
    try:
        given = {"path": path, "sha256": sha256, "rule": rule, "reason": reason, "expires_on": expires}
        entry = AllowedFinding.model_validate(given | {"author": author or this_person()})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        err.print(f"{escape('.'.join(map(str, first['loc'])) or 'entry')}: {escape(first['msg'])}")
        return ExitCode.USAGE
    async with open_books(config_of(context)) as books:
        key = books.site(site).key
        number = await books.store.audits.allow(key, entry, books.clock.now())
    out.print(f"entry {number} of the allow-list of {key}: {escape(entry.shown)} until {entry.expires_on}")
    return ExitCode.OK


async def disallow(
    context: typer.Context,
    number: NumberArgument,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why it may no longer stay.")],
    author: AuthorOption = "",
) -> None:
    """Take back an entry that `allow` made; both words are kept."""
    async with open_books(config_of(context)) as books:
        await books.store.audits.withdraw(number, reason, author or this_person(), books.clock.now())
    out.print(f"entry {number} no longer allows anything")


async def allowed(context: typer.Context, site: SiteArgument, *, as_json: JsonOption = False) -> None:
    """List what may stay at a site, by the configuration and by `allow`; what has expired is named."""
    async with open_books(config_of(context)) as books:
        rows = await _entries(books, books.site(site).key)
        today = books.clock.now().date()
    if as_json:
        print_json([{"number": number, **entry.model_dump(mode="json")} for number, entry in rows])
        return
    shown = [
        (number or "configuration", one.shown, one.reason, one.author, _until(one, today)) for number, one in rows
    ]
    show(("entry", "allows", "reason", "by", "until"), shown, "nothing is allowed")


def _until(entry: AllowedFinding, today: date) -> str:
    return f"{entry.expires_on}{' (expired)' if entry.expires_on <= today else ''}"


async def _entries(books: Books, key: str) -> list[tuple[int | None, AllowedFinding]]:
    site = next(one for one in books.settings.sites if one.key == key)
    configured = site.audit.allow if site.audit is not None else ()
    said = standing(await books.store.audits.allowed(key))
    return [(None, one) for one in configured] + [(one.number, one.entry) for one in said if one.entry is not None]


def _counts(record: AuditRecord) -> str:
    counts = [f"{count} {verdict.value}" for verdict, count in record.counts.items()]
    if record.allowed:
        counts.append(f"{record.allowed} allowed")
    return ", ".join(counts) or "-"


def _document(record: AuditRecord) -> dict[str, Any]:
    return {
        "number": record.number,
        "site": record.site_key,
        "began_at": record.began_at.isoformat(),
        "ended_at": record.ended_at.isoformat(),
        "worst": record.worst,
        "counts": dict(record.counts),
        "allowed": record.allowed,
        "new": record.new,
        "gone": record.gone,
        "files": record.files,
        "sha256": record.sha256,
    }
