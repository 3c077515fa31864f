"""Tables for people, JSON for programs, from the same rows."""

from collections.abc import Sequence
from datetime import datetime

from rich.markup import escape
from rich.table import Table

from sentry.cli.shell import out

AGENT = "(agent)"
"""Stands for the site of what is about the agent itself."""


def show(columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
    """Prints rows as a table, or a sentence where there are none."""
    if not rows:
        out.print(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(_shown(value)) for value in row))
    out.print(table)


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)
