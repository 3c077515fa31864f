"""`ticket list|show|comment|close`, and `verify`, which proves that no history was touched."""

from typing import Annotated

import typer
from pydantic import TypeAdapter

from sentry.app.books import open_books
from sentry.cli.shell import (
    ExitCode,
    JsonOption,
    command,
    config_of,
    out,
    print_json,
    print_text,
    this_person,
    working,
)
from sentry.cli.tables import AGENT
from sentry.cli.tables import show as show_table
from sentry.domain.errors import NotFound, TransitionRefused
from sentry.domain.ticket import Ticket, TicketState, Visibility
from sentry.ports import TicketNote

TICKET: TypeAdapter[Ticket] = TypeAdapter(Ticket)
NumberArgument = Annotated[int, typer.Argument(metavar="ID", help="The ticket's number.")]


def register(app: typer.Typer) -> None:
    """Adds the group of commands, and the proof."""
    group = typer.Typer(help="Tickets with their unalterable histories.", no_args_is_help=True)
    group.command("list")(command(list_tickets))
    group.command("show")(command(show))
    group.command("comment")(command(comment))
    group.command("close")(command(close))
    app.add_typer(group, name="ticket")
    app.command("verify")(command(verify))


async def list_tickets(
    context: typer.Context,
    *,
    state: Annotated[TicketState | None, typer.Option(help="Only in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most this many, newest first.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List tickets, newest first."""
    async with open_books(config_of(context)) as books:
        found = await books.store.tickets.list(state=state, limit=limit)
    if as_json:
        print_json([TICKET.dump_python(one, mode="json", exclude={"entries"}) for one in found])
        return
    rows = [(one.number, one.state, one.site_key or AGENT, one.created_at, one.title) for one in found]
    show_table(("number", "state", "site", "filed (UTC)", "title"), rows, "no tickets")


async def show(context: typer.Context, number: NumberArgument, *, as_json: JsonOption = False) -> None:
    """Show one ticket with its whole history."""
    async with open_books(config_of(context)) as books:
        ticket = await books.store.tickets.get(number)
    if ticket is None:
        raise _no_ticket(number)
    if as_json:
        print_json(TICKET.dump_python(ticket, mode="json"))
        return
    print_text(f"Ticket {ticket.number}: {ticket.title}\nsite {ticket.site_key or AGENT}, state {ticket.state}\n")
    for entry in ticket.entries:
        print_text(
            f"#{entry.sequence}  {entry.at:%Y-%m-%d %H:%M:%S} UTC  {entry.author}  {entry.kind} → {entry.state}"
        )
        print_text("".join(f"  {line}".rstrip() + "\n" for line in entry.text.splitlines()))


async def comment(
    context: typer.Context,
    number: NumberArgument,
    text: Annotated[str, typer.Argument(help="What is to be written down.")],
    *,
    public: Annotated[bool, typer.Option("--public", help="The client may read it.")] = False,
) -> None:
    """Add a comment to a ticket."""
    visibility = Visibility.PUBLIC if public else Visibility.INTERNAL
    await _append(context, number, TicketNote(this_person(), text, visibility=visibility))


async def close(
    context: typer.Context,
    number: NumberArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why it is closed.")] = "closed by hand",
) -> None:
    """Close a ticket."""
    await _append(context, number, TicketNote(this_person(), reason, kind="closed", state=TicketState.CLOSED))


async def verify(context: typer.Context, *, as_json: JsonOption = False) -> ExitCode:
    """Prove that no history of a ticket was touched. Exit code 1 when an entry was changed, removed or moved."""
    with working("reckoning every hash again"):
        async with open_books(config_of(context)) as books:
            problems = await books.store.tickets.verify()
    if as_json:
        print_json({"ok": not problems, "problems": list(problems)})
    else:
        print_text("\n".join(problems) if problems else "every ticket's history is as it was written")
    return ExitCode.NEGATIVE if problems else ExitCode.OK


async def _append(context: typer.Context, number: int, note: TicketNote) -> None:
    async with open_books(config_of(context)) as books:
        ticket = await books.store.tickets.get(number)
        if ticket is None:
            raise _no_ticket(number)
        if note.state is not None and note.state is ticket.state:
            raise TransitionRefused(f"ticket {number} is {ticket.state} already; nothing was written")
        entry = await books.store.tickets.append(number, note, books.clock.now())
    out.print(f"ticket {number}: entry {entry.sequence} written, state {entry.state}")


def _no_ticket(number: int) -> NotFound:
    return NotFound(f"there is no ticket {number}; `online-sentry ticket list` shows those there are")
