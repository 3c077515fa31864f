"""How far an audit has come, for whoever looks on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.progress import Task as Row
from rich.text import Text

from sentry.app.auditing.frames import Progress
from sentry.cli.shell import err


class Pace(ProgressColumn):
    """How many a second are done."""

    def render(self, task: Row) -> Text:
        """Returns it, and nothing while it is not known."""
        pace = task.finished_speed or task.speed
        return Text("" if pace is None else f"{pace:,.0f}/s", style="cyan")


@contextmanager
def followed() -> Iterator[Callable[[Progress], None]]:
    """Shows a bar for each part of an audit on a terminal; nothing where the output goes to a file or a program."""
    if not err.is_terminal:
        yield lambda _progress: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Pace(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Bar(*columns, console=err) as bar:
        rows: dict[str, TaskID] = {}

        def show(progress: Progress) -> None:
            if progress.part not in rows:
                rows[progress.part] = bar.add_task(progress.part, total=None)
            bar.update(rows[progress.part], completed=progress.done, total=progress.whole or None)

        yield show
