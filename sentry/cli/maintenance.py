"""`maintenance list|add|extend|cancel|export`: work that is announced to clients."""

import sys
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from sentry.app.books import Books, open_books
from sentry.cli.shell import JsonOption, command, config_of, out, print_json, this_person
from sentry.cli.tables import show
from sentry.domain.announcement import AnnouncedWindow
from sentry.domain.maintenance import Judgement
from sentry.domain.maintenance_window import WorkKind, window_of
from sentry.domain.month import minute_of

KeyArgument = Annotated[str, typer.Argument(metavar="WINDOW", help="The window, as `maintenance list` names it.")]
AuthorOption = Annotated[str, typer.Option("--author", help="Who says it; the user of the system if absent.")]
SiteOption = Annotated[list[str] | None, typer.Option("--site", help="A site; may be given again.")]
HostOption = Annotated[list[str] | None, typer.Option("--host", help="A host: every site on it.")]
ClientOption = Annotated[list[str] | None, typer.Option("--client", help="A client: all of its sites.")]
EndOption = Annotated[str | None, typer.Option("--ends-at", metavar="TIME", help="Local end, 2026-12-01T04:00.")]
DurationOption = Annotated[int | None, typer.Option("--duration-min", help="Minutes that it lasts.")]


class Format(StrEnum):
    """What a calendar can be written as."""

    ICS = "ics"


def register(app: typer.Typer) -> None:
    """Adds the group of commands."""
    group = typer.Typer(help="Maintenance windows: announced work.", no_args_is_help=True)
    group.command("list")(command(list_windows))
    group.command("add")(command(add))
    group.command("extend")(command(extend))
    group.command("cancel")(command(cancel))
    group.command("export")(command(export))
    app.add_typer(group, name="maintenance")


async def list_windows(
    context: typer.Context,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also what is over or cancelled.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List windows with when they take place next."""
    async with open_books(config_of(context)) as books:
        rows = [
            _document(one, books.clock.now())
            for one in books.maintenance.windows.values()
            if every or one.next_occurrence(books.clock.now())
        ]
    if as_json:
        print_json(rows)
        return
    shown = [
        (
            row["window"],
            row["state"],
            row["next_begin"],
            row["next_end"],
            row["zone"],
            f"{len(row['sites'])}: {', '.join(row['sites'][:3])}{' …' if len(row['sites']) > 3 else ''}",  # noqa: PLR2004  # what fits
            row["kind"],
            row["announced_at"],
            row["author"],
            row["reason"],
        )
        for row in rows
    ]
    columns = ("window", "state", "begins", "ends", "zone", "sites", "kind", "announced (UTC)", "by", "reason")
    show(columns, shown, "no maintenance is announced")


async def add(
    context: typer.Context,
    reason: Annotated[str, typer.Argument(help="What is done, in words for the client.")],
    *,
    starts_at: Annotated[str, typer.Option("--starts-at", metavar="TIME", help="Local begin, 2026-12-01T02:00.")],
    ends_at: EndOption = None,
    duration_min: DurationOption = None,
    rrule: Annotated[str | None, typer.Option(help="Again and again, e.g. FREQ=WEEKLY;BYDAY=TU.")] = None,
    zone: Annotated[str | None, typer.Option(help="Zone of the times; the agency's if absent.")] = None,
    site: SiteOption = None,
    host: HostOption = None,
    client: ClientOption = None,
    all_sites: Annotated[bool, typer.Option("--all-sites", help="Every site.")] = False,
    cause: Annotated[str | None, typer.Option(help="Of an emergency: what made it necessary.")] = None,
    approver: Annotated[str | None, typer.Option(help="Of an emergency: who approved of it.")] = None,
    author: AuthorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Announce a window. With --cause and --approver it is an emergency, which always counts as it was seen."""
    given: dict[str, object] = {
        "reason": reason,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "duration_min": duration_min,
        "rrule": rrule,
        "zone": zone,
        "sites": site or (),
        "hosts": host or (),
        "clients": client or (),
        "all_sites": all_sites,
        "kind": WorkKind.EMERGENCY if cause or approver else WorkKind.PLANNED,
        "cause": cause,
        "approver": approver,
    }
    try:
        plan = window_of(given)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    async with open_books(config_of(context)) as books:
        window = await books.maintenance.announce(plan, author or this_person())
        _told(books, window, as_json=as_json, what="announced")


async def extend(
    context: typer.Context,
    window: KeyArgument,
    *,
    ends: EndOption = None,
    duration_min: DurationOption = None,
    author: AuthorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let a window end at another time, also earlier. Minutes that are new need notice of their own."""
    if (ends is None) == (duration_min is None):
        raise typer.BadParameter("give --ends-at or --duration-min, one of them")
    async with open_books(config_of(context)) as books:
        try:
            changed = await books.maintenance.end(
                window, author or this_person(), ends_at=ends, duration_min=duration_min
            )
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        _told(books, changed, as_json=as_json, what="changed")


async def cancel(
    context: typer.Context, window: KeyArgument, *, author: AuthorOption = "", as_json: JsonOption = False
) -> None:
    """Cancel what is still to come of a window; the past stays as it was."""
    async with open_books(config_of(context)) as books:
        cancelled = await books.maintenance.cancel(window, author or this_person())
        _told(books, cancelled, as_json=as_json, what="cancelled")


async def export(
    context: typer.Context,
    *,
    site: Annotated[str | None, typer.Option("--site", help="Only of this site.")] = None,
    client: Annotated[str | None, typer.Option("--client", help="Only of this client's sites.")] = None,
    form: Annotated[Format, typer.Option("--format", help="ics: iCalendar, RFC 5545.")] = Format.ICS,
) -> None:
    """Write the windows as a calendar to standard output."""
    del form  # the only one so far
    async with open_books(config_of(context)) as books:
        wanted = {site} if site else None
        if site:
            books.site(site)
        if client:
            wanted = {one.key for one in books.client_sites(client) if wanted is None or one.key in wanted}
        sys.stdout.write(books.maintenance.calendar(wanted))


def _told(books: Books, window: AnnouncedWindow, *, as_json: bool, what: str) -> None:
    """Says what is in force now, and whether it was announced in time at each site."""
    document = _document(window, books.clock.now())
    if as_json:
        print_json(document)
        return
    out.print(f"maintenance window {window.key} {what} by {escape(window.author)}: {len(window.sites)} site(s)")
    late = sum(_is_late(books, window, site) for site in window.sites)
    if late and not window.cancelled:
        out.print(f"[yellow]at {late} of them minutes are announced late: they count as they are seen[/yellow]")


def _is_late(books: Books, window: AnnouncedWindow, site: str) -> bool:
    now, watched = minute_of(books.clock.now()), books.roster.site(site)
    return any(
        one.window == window.key and one.end > now and one.judgement is Judgement.ANNOUNCED_LATE
        for one in (watched.work if watched else ())
    )


def _document(window: AnnouncedWindow, now: datetime) -> dict[str, Any]:
    plan, following = window.plan, window.next_occurrence(now)
    zone = ZoneInfo(plan.zone or "UTC")
    begin, end = following or (None, None)
    return {
        "window": window.key,
        "state": window.state(now),
        "next_begin": begin and begin.astimezone(zone),
        "next_end": end and end.astimezone(zone),
        "zone": plan.zone,
        "kind": plan.kind,
        "reason": plan.reason,
        "cause": plan.cause,
        "approver": plan.approver,
        "rrule": plan.rrule,
        "sites": sorted(window.sites),
        "announced_at": window.announced_at,
        "author": window.author,
        "changed_at": window.changed_at,
        "changes": window.sequence,
    }
