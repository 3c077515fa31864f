"""`report`: a client's month, for the client."""

from typing import Annotated

import typer

from sentry.app.books import open_books
from sentry.cli.books import MonthOption, month_of
from sentry.cli.shell import command, config_of, print_text, working
from sentry.domain.site import Language
from sentry.reports import KINDS

FORMATS = ", ".join(KINDS)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("report")(command(report))


async def report(
    context: typer.Context,
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="The client's key.")],
    *,
    month: MonthOption = "",
    form: Annotated[str, typer.Option("--format", help=f"One of {FORMATS}.", show_default=True)] = "text",
    language: Annotated[Language | None, typer.Option(help="The client's own when absent.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Write the monthly report of a client to standard output."""
    form = "json" if as_json else form
    if form not in KINDS:
        raise typer.BadParameter(f"there is no format '{form}'; use one of {FORMATS}", param_hint="--format")
    wanted = month_of(month)
    with working("reckoning the month"):
        async with open_books(config_of(context)) as books:
            data = await books.reports.build(books.client_sites(client), wanted, language)
        text = KINDS[form]().render(data)
    print_text(text)
