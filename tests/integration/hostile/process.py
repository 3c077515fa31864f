"""Runs servers in a process of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Served:
    """A running process of servers.

    Attributes:
        said: the line that it printed once it served.
    """

    process_id: int
    said: str


@contextmanager
def serving(module: str, variables: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Runs a module of servers until the end of the block."""
    with subprocess.Popen(
        (sys.executable, "-m", module),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(variables or {})},
    ) as process:
        assert process.stdout is not None
        yield Served(process.pid, process.stdout.readline())
        process.communicate(timeout=10)  # the end of its standard input ends it
