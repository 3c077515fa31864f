"""`incident list` and `incident show`: what failed, and its whole report."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from pydantic import TypeAdapter

from sentry.app.books import Books, open_books
from sentry.cli.shell import JsonOption, command, config_of, print_json, print_text
from sentry.cli.tables import show as show_table
from sentry.domain.errors import NotFound
from sentry.domain.incident import Incident, IncidentState
from sentry.domain.site import Language
from sentry.reports.wording import Wording

ENGLISH = Wording(Language.EN, ZoneInfo("UTC"))
AGENT = "(agent)"
"""Stands for the site of what is about the agent itself."""

INCIDENT: TypeAdapter[Incident] = TypeAdapter(Incident)


def register(app: typer.Typer) -> None:
    """Adds the group of commands."""
    group = typer.Typer(help="Incidents and their failure reports.", no_args_is_help=True)
    group.command("list")(command(list_incidents))
    group.command("show")(command(show))
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
                one.site_key or AGENT,
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
        if as_json:
            print_json(_document(books, incident))
        else:
            print_text(
                f"{_headline(books, incident)}\n\n{books.messages.report_text(incident, _language(books, incident))}"
            )


def _headline(books: Books, incident: Incident) -> str:
    """What is asked first: which, how bad, where it stands, since when, which ticket."""
    zone = books.roster.zone
    since = f"since {incident.started_at.astimezone(zone):%Y-%m-%d %H:%M:%S} {zone}"
    took = incident.time_to_resolve
    parts = (
        f"Incident {incident.id}",
        incident.severity,
        incident.state,
        incident.site_key or AGENT,
        since if took is None else f"{since}, lasted {ENGLISH.duration(took.total_seconds())}",
        f"ticket {incident.ticket_number}" if incident.ticket_number else "no ticket yet",
    )
    return " · ".join(parts)


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
