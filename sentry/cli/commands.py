"""Which module holds which command. A module is imported when its command is called, so that `--help` is quick."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


@dataclass(frozen=True, slots=True)
class Entry:
    """A command, or a group of them, before its module is there.

    Attributes:
        module: its `register` adds the command to an application.
        summary: the line in the list of commands; the first one of the command's own help.
    """

    module: str
    summary: str


COMMANDS: Mapping[str, Entry] = {
    "init": Entry("configuration", "Write a commented starter configuration; an existing file is never touched."),
    "check-config": Entry("configuration", "Say everything that is wrong with the configuration."),
    "schema": Entry("configuration", "Print the JSON Schema of the configuration, for editors."),
    "run": Entry("running", "Watch every site until stopped."),
    "probe": Entry("probing", "Probe once, now."),
    "status": Entry("books", "Show every check as it was last seen."),
    "incident": Entry("incidents", "Incidents and their failure reports."),
    "ticket": Entry("tickets", "Tickets with their unalterable histories."),
    "verify": Entry("tickets", "Prove that no history of a ticket was touched."),
    "ledger": Entry("books", "Show the minutes of a site's month, and what counted them."),
    "budget": Entry("books", "Show what each site may still be down this month, and the verdict."),
    "maintenance": Entry("maintenance", "Maintenance windows: announced work."),
    "report": Entry("reports", "Write the monthly report of a client to standard output."),
    "audit": Entry("audits", "Look through a site for malware, holes and what is exposed."),
    "pack": Entry("packs", "Packs: what systems, plugins and themes consist of as they were published."),
    "clean": Entry(
        "cleaning", "Clean what an audit finds: restore, else cut out, else take away whole, else propose."
    ),
    "quarantine": Entry("cleaning", "Files that were cleaned, as they were."),
    "suspend": Entry("suspensions", "Close a site to visitors while it is disinfected, with 503."),
    "unsuspend": Entry("suspensions", "Open a site that was closed; only what is ours is taken away."),
    "demo": Entry("demo", "Show a whole outage, from first failure to report, on this machine."),
}
"""Every command by its name, in the order of the help."""


class Commands(TyperGroup):
    """The list of commands; each one takes the place of its entry when it is called."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401  # whatever typer gives a group
        """Lists every command without importing it."""
        super().__init__(**attributes)
        for name, entry in COMMANDS.items():
            self.commands[name] = TyperCommand(name=name, help=entry.summary)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401  # types that typer keeps to itself
        """Imports the command that is called, and returns it with what is left of the line."""
        self.load(*args[:1])
        return super().resolve_command(ctx, args)

    def load(self, *names: str) -> None:
        """Puts the commands of these names in place; names of no command are left alone."""
        for name in COMMANDS.keys() & set(names):
            app = typer.Typer()
            app.callback()(_together)
            import_module(f"sentry.cli.{COMMANDS[name].module}").register(app)
            loaded = get_command(app)
            assert isinstance(loaded, TyperGroup)  # noqa: S101  # an application with a callback is a group
            self.commands[name] = loaded.commands[name]


def _together() -> None:
    """Keeps an application of one command a group."""
