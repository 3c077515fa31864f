"""`run`: the agent itself, until it is told to stop."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.markup import escape

from sentry.app.agent import Agent, open_agent
from sentry.app.books import Books
from sentry.cli.logs import configure_logs
from sentry.cli.shell import command, config_of, out
from sentry.domain.errors import ConfigurationError, StoreError
from sentry.settings.advice import lacks_anchors
from sentry.settings.model import MAX_WORKERS

_log = structlog.get_logger()


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("run")(command(run))


WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        max=MAX_WORKERS,
        help="Processes that share the probes out; as `probe.workers` says when absent.",
    ),
]


async def run(context: typer.Context, workers: WorkersOption = None) -> None:
    """Watch every site until stopped. SIGHUP reads the configuration again, SIGTERM and Ctrl-C stop in order."""
    configure_logs(sys.stderr)
    config = config_of(context)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with open_agent(config, workers=workers) as agent:
        reloads: set[asyncio.Task[None]] = set()

        def reload() -> None:
            task = asyncio.ensure_future(_reload(agent))
            reloads.add(task)
            task.add_done_callback(reloads.discard)

        loop.add_signal_handler(signal.SIGHUP, reload)
        _welcome(config, agent)
        await stop.wait()
        out.print("stopping: what was seen is being written")


async def _reload(agent: Agent) -> None:
    try:
        await agent.reload()
    except (ConfigurationError, StoreError):
        return  # said in the log, and on the page of metrics
    except Exception:  # noqa: BLE001  # a reload that fails must not end the watch
        _log.exception("the configuration was not loaded again")


def _welcome(config: Path, agent: Agent) -> None:
    settings = agent.books.settings
    root = _root(agent.books, agent.port)
    out.print(
        f"[bold]Online Sentry[/bold] watches {len(settings.sites)} site(s) with {len(settings.checks())} check(s)"
    )
    for label, value in (
        ("pages", f"{root}/"),
        ("metrics", f"{root}/metrics"),
        ("configuration", f"{config.resolve()}  (kill -HUP {agent.process_id} reads it again)"),
        ("store", settings.store),
    ):
        out.print(f"  {label:<14}{escape(value)}")
    if agent.workers > 1:
        out.print(f"  {'workers':<14}{agent.workers} processes probe")
    if lacks_anchors(settings):
        out.print("  [yellow]no anchors are configured: the agent's own dead line may look like outages[/yellow]")
    if not settings.channels:
        out.print("  [yellow]no channel is configured: nobody will be told of an outage[/yellow]")


def _root(books: Books, port: int) -> str:
    host, _ = books.settings.web.address
    return f"http://{'127.0.0.1' if host in {'', '0.0.0.0', '::'} else host}:{port}"
