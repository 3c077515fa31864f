"""What a prober's process is told to do, and what it tells back: probes that went well or not, and CPU."""

import argparse
import json
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Self

from benchmarks.measure import RunRejected, own_cpu_s, pinned

WORKER_WITHIN_S = 600.0


@dataclass(slots=True)
class Outcome:
    """A number of probes of one prober.

    Attributes:
        ok: probes that saw a verified connection, status 200 and the text in the page.
        failed: all others.
        cpu_s: user and system time that the prober spent on all of them.
        failures: why, and how often.
    """

    ok: int = 0
    failed: int = 0
    cpu_s: float = 0.0
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, *, ok: bool, why: str = "") -> None:
        """Counts one probe."""
        if ok:
            self.ok += 1
        else:
            self.failed += 1
            self.failures[why] += 1

    @property
    def ended(self) -> int:
        """How many probes there were."""
        return self.ok + self.failed

    def print(self) -> None:
        """Tells the benchmark."""
        print(json.dumps({"ok": self.ok, "failed": self.failed, "cpu_s": self.cpu_s, "failures": self.failures}))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads what a prober printed."""
        said = json.loads(text)
        return cls(said["ok"], said["failed"], said["cpu_s"], Counter(said.get("failures", {})))


class Stopwatch:
    """CPU of this process from here on."""

    def __init__(self) -> None:
        self._before = own_cpu_s()

    def cpu_s(self) -> float:
        """Returns the CPU seconds since it was made."""
        return own_cpu_s() - self._before


@dataclass(frozen=True, slots=True)
class Task:
    """What a prober is to do.

    Attributes:
        host: the name that is sent, and that the certificate must be for; the address is always the loopback's.
        ca: the only trusted root; None for plain HTTP.
        count: probes that are measured.
        in_flight: probes at a time.
        text: what the page must hold.
    """

    port: int
    host: str
    text: str
    count: int
    in_flight: int
    ca: str | None = None

    @property
    def url(self) -> str:
        """The page's address."""
        return f"{'https' if self.ca else 'http'}://127.0.0.1:{self.port}/"

    @property
    def warm_up(self) -> int:
        """Probes before those that are measured."""
        return 2 * self.in_flight

    def arguments(self) -> list[str]:
        """Returns the command line that `from_arguments` reads."""
        return [f"--{name.replace('_', '-')}={value}" for name, value in asdict(self).items() if value is not None]


def prober_arguments(description: str) -> argparse.ArgumentParser:
    """Returns the parser of a prober's process, which `task_of` understands."""
    parser = argparse.ArgumentParser(description=description)
    for name in ("port", "count", "in-flight"):
        parser.add_argument(f"--{name}", type=int, required=True)
    for name in ("host", "text"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--ca")
    return parser


def task_of(options: argparse.Namespace) -> Task:
    """Returns the task that a command line names."""
    return Task(options.port, options.host, options.text, options.count, options.in_flight, options.ca)


def outcome_of(command: Sequence[str], on: frozenset[int], environment: Mapping[str, str]) -> Outcome:
    """Runs a prober's process on some cores and returns what it told.

    Raises:
        RunRejected: it did not end well.
    """
    with pinned(on):
        done = subprocess.run(  # noqa: S603  # the benchmark's own programs
            command, capture_output=True, text=True, timeout=WORKER_WITHIN_S, check=False, env=dict(environment)
        )
    if done.returncode:
        raise RunRejected(f"{' '.join(command[:3])} ended with code {done.returncode}\n{done.stderr[-2000:]}")
    return Outcome.parse(done.stdout)
