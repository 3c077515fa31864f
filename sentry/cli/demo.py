"""`demo`: the whole story in two minutes, on the user's own machine."""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from sentry.cli.logs import configure_logs
from sentry.cli.shell import ExitCode, command, err, out
from sentry.demo.story import DemoFailed, Story
from sentry.domain.site import Language


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo")(command(demo))


async def demo(
    *,
    language: Annotated[Language, typer.Option(help="Of reports and alerts.")] = Language.EN,
    stay: Annotated[bool, typer.Option("--stay", help="Leave the pages up at the end, until Ctrl-C.")] = False,
) -> ExitCode:
    """Show a whole outage, from first failure to report, on this machine. Real sites are started for it."""
    configure_logs(sys.stderr, quiet=True)
    folder = Path(tempfile.mkdtemp(prefix="online-sentry-demo-"))
    try:
        await Story(folder, out, language).play(stay=stay)
    except DemoFailed as error:
        err.print(f"the demonstration stopped: {error}")
        return ExitCode.NEGATIVE
    return ExitCode.OK
