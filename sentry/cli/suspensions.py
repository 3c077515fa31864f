"""`suspend` and `unsuspend`: a site is closed to visitors while it is disinfected, and opened again."""

from datetime import timedelta
from typing import Annotated

import typer
from rich.markup import escape

from sentry.app.books import open_books
from sentry.app.suspending import SuspensionDesk, Wish
from sentry.cli.shell import command, config_of, out, this_person, working
from sentry.domain.suspension import Method

SiteArgument = Annotated[str, typer.Argument(metavar="SITE", help="The site.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("suspend")(command(suspend))
    app.command("unsuspend")(command(unsuspend))


async def suspend(
    context: typer.Context,
    site: SiteArgument,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why, in words for the client.")],
    approved_by: Annotated[str, typer.Option("--approved-by", help="Who approved of it.")],
    days: Annotated[int, typer.Option("--days", min=1, max=7, help="Days from now; then it opens by itself.")] = 3,
    method: Annotated[
        Method | None, typer.Option("--method", help="How the server is told; by what it says of itself if absent.")
    ] = None,
) -> None:
    """Close a site to visitors while it is disinfected, with 503.

    Given again it is closed for longer, up to fifteen days in all.
    """
    if not reason.strip() or not approved_by.strip():
        raise typer.BadParameter("say why, and who approved of it")
    wish = Wish(reason.strip(), approved_by.strip(), timedelta(days=days), method)
    async with open_books(config_of(context)) as books:
        with working(f"closing {site}, and looking whether visitors are sent away"):
            suspension = await SuspensionDesk(books).suspend(site, wish, this_person())
        zone = books.roster.zone
    out.print(f"{escape(site)} is closed until {suspension.until.astimezone(zone):%Y-%m-%d %H:%M} ({zone})")
    out.print(f"its minutes count as they are seen: maintenance window {suspension.window}, an emergency")
    out.print(f"to see the site yourself, send the cookie online_sentry={suspension.token}")


async def unsuspend(context: typer.Context, site: SiteArgument) -> None:
    """Open a site that was closed; only what is ours is taken away.

    Behind FPM this takes five minutes.
    """
    async with open_books(config_of(context)) as books:
        with working(f"opening {site}"):
            await SuspensionDesk(books).unsuspend(site, this_person())
    out.print(f"{escape(site)} is open")
