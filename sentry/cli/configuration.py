"""`init`, `check-config` and `schema`: making, proving and editing the configuration."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape

from sentry.app.kinds import json_schema, load_settings
from sentry.app.probing import prove
from sentry.cli.shell import ExitCode, JsonOption, config_of, err, out, print_json, reported
from sentry.domain.errors import ConfigurationError, Problem
from sentry.settings import Settings
from sentry.settings.starter_file import starter, write_new

ALIKE_SHOWN = 3
"""So many warnings of the same words are printed one by one."""


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("init")(init)
    app.command("check-config")(reported()(check_config))
    app.command("schema")(reported()(schema))


def init(
    context: typer.Context,
    urls: Annotated[list[str] | None, typer.Argument(help="Sites to watch from the start.", metavar="URL")] = None,
) -> None:
    """Write a commented starter configuration; an existing file is never touched."""
    path = config_of(context)
    with reported():
        write_new(path, starter(urls or []))
    out.print(f"wrote {escape(str(path))}; now run: online-sentry --config {escape(str(path))} run")


def check_config(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Say everything that is wrong with the configuration. Exit code 0 when it can be used, 3 when not."""
    path = config_of(context)
    try:
        settings = load_settings(path)
        prove(settings)
    except ConfigurationError as error:
        if as_json:
            print_json({"ok": False, "problems": [_document(one) for one in error.problems], "warnings": []})
            raise typer.Exit(ExitCode.CONFIGURATION) from None
        for problem in error.problems:
            err.print(f"[red]error[/red] {escape(str(problem))}")
        err.print(f"{len(error.problems)} problem(s) in {escape(str(path))}")
        raise typer.Exit(ExitCode.CONFIGURATION) from None
    if as_json:
        warnings = [_document(one) for one in settings.warnings]
        print_json({"ok": True, "problems": [], "warnings": warnings, "settings": settings.shown()})
        return
    _warn(settings.warnings)
    out.print(_counted(settings))


def _warn(warnings: Sequence[Problem]) -> None:
    """Prints warnings; one that hundreds of sites share must not hide the others."""
    alike: Counter[str] = Counter()
    for warning in warnings:
        alike[warning.message] += 1
        if alike[warning.message] <= ALIKE_SHOWN:
            err.print(f"[yellow]warning[/yellow] {escape(str(warning))}")
    for message, times in alike.items():
        if times > ALIKE_SHOWN:
            err.print(f"[yellow]warning[/yellow] {times - ALIKE_SHOWN} more (all with --json): {escape(message)}")


def schema() -> None:
    """Print the JSON Schema of the configuration, for editors. They complete and check YAML by it."""
    print_json(json_schema())


def _document(problem: object) -> dict[str, object]:
    return {name: getattr(problem, name) for name in ("file", "line", "path", "message")}


def _counted(settings: Settings) -> str:
    counts = {
        "site": len(settings.sites),
        "check": len(settings.checks()),
        "client": len(settings.clients),
        "channel": len(settings.channels),
    }
    return "the configuration can be used: " + ", ".join(
        f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items()
    )
