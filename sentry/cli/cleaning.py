"""`clean` and `quarantine list|show|restore`: what an audit found is cleaned by a plan, and given back on demand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError
from rich.markup import escape

from sentry.app.auditing.errand import audited
from sentry.app.auditing.office import audit_desk
from sentry.app.auditing.order import AuditOrder
from sentry.app.auditing.reach import reached
from sentry.app.auditing.sites import audited_site, order_of, reachable
from sentry.app.books import open_books
from sentry.app.cleaning import CleaningDesk, Ground, Quarantine, default_folder
from sentry.app.kinds import load_settings
from sentry.app.pack_access import PackAccess
from sentry.app.packs import chosen
from sentry.cli.audit_progress import followed
from sentry.cli.packs import PacksOption, TrustOption, UnsignedOption
from sentry.cli.shell import ExitCode, JsonOption, command, config_of, out, print_json
from sentry.cli.tables import show as show_table
from sentry.clock import SystemClock
from sentry.domain.cleaning import (
    Authority,
    Cleaned,
    CleaningPlan,
    FileOutcome,
    KeptFile,
    PlannedFile,
    Remedy,
    Step,
    shown_path,
)
from sentry.domain.errors import NotFound
from sentry.domain.finding import AuditReport
from sentry.ports import Observation
from sentry.services.audits import CLEANED
from sentry.services.cleaning_plans import Wishes

MOST_ROUNDS = 3
"""Of auditing and cleaning; what comes back faster than that is written by somebody, and a person must stop him."""

REPORT: TypeAdapter[AuditReport] = TypeAdapter(AuditReport)
REASON_IS_MISSING = "give --by and --reason together: who answers for it, and why"

SiteArgument = Annotated[
    str | None, typer.Argument(metavar="[SITE]", help="Key of a site that has `access`.", show_default=False)
]
PathOption = Annotated[
    Path | None, typer.Option("--path", metavar="DIR", help="Instead: a folder that a site is served from.")
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="The quarantine; `quarantine` beside the configuration if absent."),
]
ByOption = Annotated[str, typer.Option("--by", help="Who answers for what is written.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why it is written.")]
FileOption = Annotated[
    list[str] | None,
    typer.Option("--file", metavar="FILE", help="Only this file, as the audit shows it; may be repeated."),
]
RemoveOption = Annotated[
    list[str] | None,
    typer.Option("--remove", metavar="FILE", help="Take this file away whole, on your word; may be repeated."),
]
KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="The entry, as `quarantine list` names it.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("clean")(command(clean))
    group = typer.Typer(help="Files that were cleaned, as they were.", no_args_is_help=True)
    group.command("list")(command(list_kept))
    group.command("show")(command(show))
    group.command("restore")(command(restore))
    app.add_typer(group, name="quarantine")


async def clean(
    context: typer.Context,
    site: SiteArgument = None,
    *,
    path: PathOption = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would be done.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Only finish what was broken off.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="An audit as JSON; a new one is made if absent.")
    ] = None,
    file: FileOption = None,
    remove: RemoveOption = None,
    by: ByOption = "",
    reason: ReasonOption = "",
    packs: PacksOption = None,
    trust: TrustOption = None,
    unsigned: UnsignedOption = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> ExitCode:
    """Clean what an audit finds: restore, else cut out, else take away whole, else propose; all can be undone."""
    wishes = Wishes(_authority(by, reason), frozenset([*(file or ()), *(remove or ())]), frozenset(remove or ()))
    if remove and not wishes.authority.is_person:
        raise typer.BadParameter(REASON_IS_MISSING)
    if (site is None) is (path is None):
        raise typer.BadParameter("give either the key of a site, or --path with a folder")
    known = chosen(config_of(context), packs or (), trust or (), unsigned=unsigned)
    folder = data or default_folder(config_of(context))
    async with _task(context, site, path, known) as task:
        with reached(task.order) as (host, tree), known.shelf() as shelf:
            ground = Ground(host, tree, site or "")
            desk = CleaningDesk(Quarantine(folder, path), ground, shelf, SystemClock(), _silent if as_json else _told)
            done = [] if plan else list(await asyncio.to_thread(desk.resume))
            if not resume:
                findings = _read(report).findings if report else (await task.audit()).findings
                planned = await asyncio.to_thread(desk.plan, findings, wishes)
                if plan:
                    return _show_plan(planned, as_json=as_json)
                done += await _rounds(desk, planned, task, wishes)
    return _show_outcomes(done, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Task:
    """What is cleaned.

    Attributes:
        audit: audits it; of a site the report is kept, and told.
        cleaned: says that something was written.
    """

    order: AuditOrder
    audit: Callable[[], Awaitable[AuditReport]]
    cleaned: Callable[[], Awaitable[None]]


@asynccontextmanager
async def _task(
    context: typer.Context, site: str | None, path: Path | None, known: PackAccess
) -> AsyncIterator[_Task]:
    if site is None:

        async def nothing() -> None:
            return

        order = AuditOrder(folder=str(path), packs=known)
        yield _Task(order, lambda: _audit(order), nothing)
        return
    async with open_books(config_of(context)) as books:
        found = reachable(books.settings, site)
        order, subject = replace(order_of(books.settings, found), packs=known), audited_site(books.settings, found)

        async def audit() -> AuditReport:
            return (await audit_desk(books).take(subject, await _audit(order))).report

        async def cleaned() -> None:
            await books.store.observations.keep(CLEANED, site, Observation(books.clock.now(), {}))

        yield _Task(order, audit, cleaned)


async def _rounds(desk: CleaningDesk, plan: CleaningPlan, task: _Task, wishes: Wishes) -> Sequence[Cleaned]:
    """Cleans and audits again until there is nothing more to be done, or it comes back each time."""
    done = []
    for _ in range(MOST_ROUNDS):
        done.append(await asyncio.to_thread(desk.clean, plan))
        if not any(one.step is Step.VERIFIED for one in done[-1].outcomes):
            break
        await task.cleaned()
        plan = await asyncio.to_thread(desk.plan, (await task.audit()).findings, wishes)
        if not plan.files:
            break
    return done


async def list_kept(context: typer.Context, *, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List what is in quarantine, oldest first."""
    kept = list(Quarantine(data or default_folder(config_of(context))).register.all())
    if as_json:
        print_json([_document(one) for one in kept])
        return
    rows = [(one.key, one.at, one.remedy, _where(one), one.authority.by or "two kinds of evidence") for one in kept]
    show_table(("key", "at (UTC)", "remedy", "file", "on the word of"), rows, "nothing is in quarantine")


async def show(
    context: typer.Context, key: KeyArgument, *, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Show one entry, and prove that its content is what was kept."""
    quarantine = Quarantine(data or default_folder(config_of(context)))
    kept = quarantine.register.get(key)
    if kept.facts is not None:
        quarantine.chest.get(kept.before)
    if as_json:
        print_json(_document(kept))
        return
    for name, value in _document(kept).items():
        out.print(f"{name}: {escape(str(value))}")


async def restore(
    context: typer.Context,
    key: KeyArgument,
    *,
    by: ByOption,
    reason: ReasonOption,
    force: Annotated[bool, typer.Option("--force", help="Also where the file was changed since.")] = False,
    data: DataOption = None,
) -> ExitCode:
    """Give a file back as it was before a cleaning, to the byte. It is infected then."""
    authority = _authority(by, reason)
    config = config_of(context)
    quarantine = Quarantine(data or default_folder(config))
    kept = quarantine.register.get(key)
    order = AuditOrder(folder=kept.root.decode("utf-8", "surrogateescape"))
    if kept.site_key:
        settings = await asyncio.to_thread(load_settings, config, advised=False)
        order = order_of(settings, reachable(settings, kept.site_key))
    with reached(order) as (host, tree), PackAccess().shelf() as shelf:
        desk = CleaningDesk(quarantine, Ground(host, tree, kept.site_key), shelf, SystemClock(), _told)
        cleaned = await asyncio.to_thread(desk.undo, kept, authority, force=force)
    return _show_outcomes([cleaned], as_json=False)


def _authority(by: str, reason: str) -> Authority:
    if bool(by.strip()) != bool(reason.strip()):
        raise typer.BadParameter(REASON_IS_MISSING)
    return Authority(by.strip(), reason.strip())


async def _audit(order: AuditOrder) -> AuditReport:
    with followed() as told:
        return await audited(order, told)


def _read(file: Path) -> AuditReport:
    try:
        return REPORT.validate_json(file.read_bytes())
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise typer.BadParameter(f"{file} is no audit as `audit --json` prints it") from error


def _show_plan(plan: CleaningPlan, *, as_json: bool) -> ExitCode:
    if as_json:
        print_json([_file(one) for one in plan.files])
    else:
        rows = [(one.remedy, shown_path(one.path), one.verdict, one.why) for one in plan.files]
        show_table(("remedy", "file", "verdict", "why"), rows, "there is nothing to clean")
    return ExitCode.NEGATIVE if plan.files else ExitCode.OK


def _show_outcomes(done: Sequence[Cleaned], *, as_json: bool) -> ExitCode:
    outcomes = [one for cleaned in done for one in cleaned.outcomes]
    latest = {one.file.path: one for one in outcomes}
    left = [one for one in latest.values() if one.step is not Step.VERIFIED]
    if as_json:
        print_json([_outcome(one) for one in outcomes])
    else:
        for one in left:
            out.print(f"[yellow]left[/] {escape(shown_path(one.file.path))}: {escape(one.note)}")
        out.print(f"{sum(one.step is Step.VERIFIED for one in outcomes)} files written, {len(left)} left")
    return ExitCode.NEGATIVE if left else ExitCode.OK


def _told(file: PlannedFile, step: Step, note: str) -> None:
    if step is Step.VERIFIED:
        out.print(f"[green]{file.remedy}[/] {escape(shown_path(file.path))}: {escape(note or file.why)}")


def _silent(file: PlannedFile, step: Step, note: str) -> None:
    """Says nothing: a program reads the answer."""


def _where(kept: KeptFile) -> str:
    return f"{kept.site_key or kept.host}:{shown_path(kept.root)}/{shown_path(kept.path)}"


def _file(file: PlannedFile) -> dict[str, Any]:
    return {
        "path": shown_path(file.path),
        "remedy": file.remedy,
        "why": file.why,
        "verdict": file.verdict,
        "rules": list(file.rules),
        "sha256_before": file.before,
        "sha256_after": file.after if file.remedy is not Remedy.REMOVE else "",
        "by": file.authority.by,
        "reason": file.authority.reason,
    }


def _outcome(outcome: FileOutcome) -> dict[str, Any]:
    return {**_file(outcome.file), "step": outcome.step, "note": outcome.note}


def _document(kept: KeptFile) -> dict[str, Any]:
    facts = kept.facts
    return {
        "key": kept.key,
        "at": kept.at.isoformat(),
        "site": kept.site_key,
        "host": kept.host,
        "folder": shown_path(kept.root),
        "file": shown_path(kept.path),
        "remedy": kept.remedy,
        "why": kept.why,
        "verdict": kept.verdict,
        "rules": list(kept.rules),
        "sha256_before": kept.before,
        "sha256_after": kept.after,
        "by": kept.authority.by,
        "reason": kept.authority.reason,
        "owner": f"{facts.owner_name}:{facts.group_name} ({facts.owner}:{facts.group})" if facts else "",
        "mode": f"{facts.mode:04o}" if facts else "",
        "modified_ns": facts.modified_ns if facts else 0,
        "attributes": dict(facts.attributes) if facts else {},
    }
