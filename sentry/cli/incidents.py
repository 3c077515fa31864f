"""`incident list|show|attribute`: what failed, its whole report, and whose side it was on."""

from collections.abc import Sequence
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from pydantic import TypeAdapter
from rich.markup import escape

from sentry.app.books import Books, open_books
from sentry.cli.shell import JsonOption, command, config_of, out, print_json, print_text, this_person
from sentry.cli.tables import AGENT
from sentry.cli.tables import show as show_table
from sentry.domain.errors import NotFound
from sentry.domain.failure_report import Attribution
from sentry.domain.incident import Incident, IncidentState
from sentry.domain.responsibility import AttributionEntry, standing_side
from sentry.domain.site import Language
from sentry.reports.attributions import BASIS_TEXT
from sentry.reports.wording import Wording

ENGLISH = Wording(Language.EN, ZoneInfo("UTC"))
SEVERAL = "(several sites)"
"""Stands for the site of what several sites have in common."""

INCIDENT: TypeAdapter[Incident] = TypeAdapter(Incident)
SAID: TypeAdapter[Sequence[AttributionEntry]] = TypeAdapter(Sequence[AttributionEntry])


def register(app: typer.Typer) -> None:
    """Adds the group of commands."""
    group = typer.Typer(help="Incidents and their failure reports.", no_args_is_help=True)
    group.command("list")(command(list_incidents))
    group.command("show")(command(show))
    group.command("attribute")(command(attribute))
    app.add_typer(group, name="incident")


async def list_incidents(
    context: typer.Context,
    *,
    site: Annotated[str | None, typer.Option(help="Only of this site.")] = None,
    state: Annotated[IncidentState | None, typer.Option(help="Only in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most this many, newest first.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List incidents, newest first."""
    async with open_books(config_of(context)) as books:
        found = await books.store.incidents.list(site_key=site, state=state, limit=limit)
        if as_json:
            print_json([_document(books, one) for one in found])
            return
        zone = books.roster.zone
        rows = [
            (
                one.id,
                one.severity,
                one.state,
                _about(one),
                one.started_at.astimezone(zone),
                "lasts" if one.time_to_resolve is None else ENGLISH.duration(one.time_to_resolve.total_seconds()),
                books.messages.cause(one, _language(books, one)),
            )
            for one in found
        ]
    show_table(("id", "severity", "state", "site", f"since ({zone})", "lasted", "cause"), rows, "no incidents")


async def show(
    context: typer.Context,
    incident_id: Annotated[int, typer.Argument(metavar="ID", help="The incident's number.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show one incident with its failure report and timeline."""
    async with open_books(config_of(context)) as books:
        incident = await books.store.incidents.get(incident_id)
        if incident is None:
            raise NotFound(f"there is no incident {incident_id}; `online-sentry incident list` shows those there are")
        said = await books.attributions.history(incident)
        if as_json:
            side = {"side": standing_side(said) if said else None}
            print_json({**_document(books, incident), **side, "attributions": SAID.dump_python(said, mode="json")})
            return
        print_text(
            f"{_headline(books, incident)}\n\n{books.messages.report_text(incident, _language(books, incident))}"
        )
        if said:
            print_text("\n".join(["", "Whose side it was on:", *(_word(books, entry) for entry in said)]))


async def attribute(
    context: typer.Context,
    incident_id: Annotated[int, typer.Argument(metavar="ID", help="The incident's number.")],
    *,
    to: Annotated[Attribution, typer.Option("--to", help="Who answers for its minutes.")],
    reason: Annotated[str, typer.Option("--reason", help="What shows it; clients read it in their report.")],
    by: Annotated[str, typer.Option("--by", help="Who says so; the user of the system if absent.")] = "",
) -> None:
    """Say whose side an outage was on. Nothing that was said before is taken back."""
    async with open_books(config_of(context)) as books:
        try:
            entry = await books.attributions.attribute(incident_id, to, by=by or this_person(), reason=reason)
        except ValueError as error:
            option = str(error).partition(":")[0]
            raise typer.BadParameter(str(error).partition(": ")[2], param_hint=f"--{option}") from None
    out.print(f"incident {incident_id}: {entry.side}, says {escape(entry.by)}: {escape(entry.reason)}")


def _word(books: Books, entry: AttributionEntry) -> str:
    at = f"{entry.at.astimezone(books.roster.zone):%Y-%m-%d %H:%M:%S}"
    what = entry.reason or ENGLISH.text(BASIS_TEXT.get(entry.basis, entry.basis))
    return f"  {at}  {entry.side:<14}  {entry.by}: {what}"


def _headline(books: Books, incident: Incident) -> str:
    """What is asked first: which, how bad, where it stands, since when, which ticket."""
    zone = books.roster.zone
    since = f"since {incident.started_at.astimezone(zone):%Y-%m-%d %H:%M:%S} {zone}"
    took = incident.time_to_resolve
    parts = (
        f"Incident {incident.id}",
        incident.severity,
        incident.state,
        _about(incident),
        since if took is None else f"{since}, lasted {ENGLISH.duration(took.total_seconds())}",
        f"ticket {incident.ticket_number}" if incident.ticket_number else "no ticket yet",
        *([f"part of incident {incident.parent_id}"] if incident.parent_id else []),
    )
    return " · ".join(parts)


def _about(incident: Incident) -> str:
    return incident.site_key or (SEVERAL if incident.is_group else AGENT)


def _language(books: Books, incident: Incident) -> Language:
    site = books.roster.site(incident.site_key)
    return site.language if site else books.settings.agency.language


def _document(books: Books, incident: Incident) -> dict[str, Any]:
    spans = {
        "time_to_detect_s": incident.time_to_detect,
        "time_to_acknowledge_s": incident.time_to_acknowledge,
        "time_to_resolve_s": incident.time_to_resolve,
    }
    return {
        "cause": books.messages.cause(incident, _language(books, incident)),
        **INCIDENT.dump_python(incident, mode="json"),
        **{name: span.total_seconds() if span is not None else None for name, span in spans.items()},
    }
