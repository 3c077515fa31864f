"""The command line: every command in its module, all of them by name in `sentry.cli.commands`."""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from sentry.cli.commands import Commands
from sentry.cli.shell import DEFAULT_CONFIG

HELP = """Watch web sites: a probe a minute, incidents with a failure report, alerts, tickets, a monthly figure.

Exit codes: 0 done; 1 done, and the answer is no; 2 wrong command line;
3 configuration cannot be used; 4 store cannot be used; 5 no such thing;
6 an audit failed; 10, 11 and 12 the worst that an audit found: exposed, vulnerable, malware."""


def build() -> typer.Typer:
    """Returns the application with every command."""
    app = typer.Typer(
        name="online-sentry",
        help=HELP,
        cls=Commands,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_before)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"online-sentry {version('online-sentry')}")
        raise typer.Exit


def _before(
    context: typer.Context,
    *,
    config: Annotated[
        Path,
        typer.Option("--config", "-c", envvar="ONLINE_SENTRY_CONFIG", help="The configuration file.", metavar="FILE"),
    ] = DEFAULT_CONFIG,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    context.obj = config


def main() -> None:
    """Runs the command that the command line names."""
    build()()
