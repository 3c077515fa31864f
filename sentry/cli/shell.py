"""What every command shares: where the configuration is, how answers are printed, and what exit codes mean."""

import asyncio
import getpass
import json
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from enum import IntEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from sentry.domain.errors import AuditFailed, ConfigurationError, NotFound, SentryError, StoreError, TransitionRefused


class ExitCode(IntEnum):
    """What a shell script can rely on."""

    OK = 0
    NEGATIVE = 1
    """The command did its work and its answer is no: a probe is not up, a check found problems."""
    USAGE = 2
    """The command line is wrong."""
    CONFIGURATION = 3
    """The configuration cannot be used; every problem is on standard error."""
    STORE = 4
    """The store cannot be opened, read or written."""
    NOT_FOUND = 5
    """There is no such site, client, incident or ticket."""
    AUDIT_FAILED = 6
    """An audit did not come to its end: nothing is known of the site."""
    EXPOSED = 10
    """The worst that an audit found: something that is nobody's business can be fetched or written."""
    VULNERABLE = 11
    """The worst that an audit found: a component with a known hole."""
    CONFIRMED = 12
    """The worst that an audit found: malware."""


FAILURES: dict[type[Exception], ExitCode] = {
    ConfigurationError: ExitCode.CONFIGURATION,
    StoreError: ExitCode.STORE,
    NotFound: ExitCode.NOT_FOUND,
    TransitionRefused: ExitCode.NEGATIVE,
    AuditFailed: ExitCode.AUDIT_FAILED,
    SentryError: ExitCode.NEGATIVE,
}

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]
DEFAULT_CONFIG = Path("sentry.yaml")

PIPE_COLUMNS = 240
"""Width of tables that go into a file or another program, where no line may be folded."""


class Paper(Console):
    """A console whose reader may go away: `head` has seen enough, and that is no failure."""

    def on_broken_pipe(self) -> None:
        """Ends quietly, whatever is still to be said."""
        leave_quietly()


out = Paper(highlight=False, soft_wrap=True, emoji=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def leave_quietly() -> NoReturn:
    """Ends the program after its reader has gone; Python must not complain when it flushes at exit.

    Raises:
        SystemExit: always, as done.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(ExitCode.OK)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Shows what is under way while a person looks on; nothing where the output goes to a file or a program."""
    if not err.is_terminal:
        yield
        return
    with err.status(escape(what)):
        yield


def print_json(value: Any) -> None:  # noqa: ANN401  # any JSON value
    """Prints one JSON document."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def print_text(text: str) -> None:
    """Prints plain text as it is."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


@contextmanager
def reported() -> Iterator[None]:
    """Turns what goes wrong into a message on standard error and an exit code."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except SentryError as error:
        err.print(f"[red]online-sentry:[/red] {escape(str(error))}")
        code = next(code for kind, code in FAILURES.items() if isinstance(error, kind))
        raise typer.Exit(code) from error
    except BrokenPipeError:
        leave_quietly()


def this_person() -> str:
    """Returns who gives the command, as far as the system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "command line"


def config_of(context: typer.Context) -> Path:
    """Returns the configuration file that stands before the command."""
    config: Path = context.obj
    return config


def command(function: Callable[..., Coroutine[Any, Any, ExitCode | None]]) -> Callable[..., None]:
    """Makes a coroutine into a command: runs it, reports what goes wrong, exits with its code."""

    @wraps(function)
    def run(*args: object, **kwargs: object) -> None:
        with reported():
            code = asyncio.run(function(*args, **kwargs))
        if code:
            raise typer.Exit(code)

    return run
