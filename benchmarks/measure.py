"""How every benchmark measures: contestants in interleaved rounds, medians, CPU of processes, cores of their own."""

import os
import resource
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

MIN_ROUNDS = 3
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PARENT, CPU_TIMES = 1, slice(11, 15)
"""Fields of /proc/PID/stat after the name, proc(5): ppid; utime, stime and those of children that were waited for."""


class RunRejected(Exception):  # noqa: N818  # a verdict on a run, not an error of ours
    """A run whose work was not done as asked gives no figure."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One side of a comparison.

    Attributes:
        name: as the table and the JSON call it.
        run: does one round and returns its cost, milliseconds of CPU per piece of work.
            Raises `RunRejected` where the work was not done.
    """

    name: str
    run: Callable[[], float]


def interleaved(
    contestants: Sequence[Contestant], rounds: int, said: Callable[[str], None] = lambda _: None
) -> Mapping[str, tuple[float, ...]]:
    """Runs every contestant once a round, each round with another one first: all share what drifts.

    Args:
        contestants: whose `run` is called `rounds` times each.
        rounds: how many.
        said: is told each figure as it comes.

    Returns:
        The costs of each contestant by its name, in the order of the rounds.

    Raises:
        RunRejected: one did not do its work; no figure of any is kept.
    """
    costs: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for number in range(rounds):
        first = number % len(contestants)
        for contestant in (*contestants[first:], *contestants[:first]):
            cost = contestant.run()
            if cost <= 0:
                raise RunRejected(f"{contestant.name} cost nothing: the run was too short to be measured")
            costs[contestant.name].append(cost)
            said(f"round {number + 1}: {contestant.name} {cost:.4g}")
    return {name: tuple(values) for name, values in costs.items()}


def medians(costs: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Returns the median cost of each contestant."""
    return {name: median(values) for name, values in costs.items()}


# ── CPU and memory ───────────────────────────────────────────────────────────────────────────────────────────────


def own_cpu_s() -> float:
    """Returns the CPU seconds (user and system) of this process, its threads, and its children that have ended."""
    used = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def cpu_s(*pids: int) -> float:
    """Returns the CPU seconds (user and system) of processes, all their threads and all their descendants."""
    return sum(int(ticks) for pid in family(*pids) for ticks in _fields(pid)[CPU_TIMES]) / TICKS_PER_S


def rss_bytes(*pids: int) -> int:
    """Returns the resident memory of processes and all their descendants; what they share counts for each."""
    return sum(int(_read(pid, "statm").split()[1]) for pid in family(*pids)) * PAGE_BYTES


def peak_rss_bytes(*pids: int) -> int:
    """Returns the sum of the highest resident memory of processes and all their descendants."""
    lines = (line for pid in family(*pids) for line in _read(pid, "status").splitlines())
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def starved_s(*pids: int) -> float:
    """Returns the seconds for which processes and their descendants could run but got no core.

    Where it is a large share of a span, others kept the machine busy: what came late then says little.
    """
    threads = (task.parent for pid in family(*pids) for task in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(float(_words(thread / "schedstat")[1]) for thread in threads) / 1e9


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").split()
    except OSError:  # the thread ended meanwhile
        return ["0", "0", "0"]


def family(*pids: int) -> list[int]:
    """Returns processes and all their descendants, each once."""
    parents = {int(folder.name): _parent(folder) for folder in Path("/proc").iterdir() if folder.name.isdigit()}
    found = dict.fromkeys(pids)
    waiting = list(pids)
    while waiting:
        parent = waiting.pop()
        waiting += (children := [pid for pid, its in parents.items() if its == parent and pid not in found])
        found |= dict.fromkeys(children)
    return list(found)


def _parent(folder: Path) -> int:
    try:
        return int(_fields(int(folder.name))[PARENT])
    except RunRejected:  # it ended while the folder was read, and was none of ours
        return 0


def _fields(pid: int) -> list[str]:
    return _read(pid, "stat").rpartition(")")[2].split()


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise RunRejected(f"process {pid} ended while it was measured") from None


# ── cores ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Cores:
    """Who runs where.

    Attributes:
        target: what is probed, and who drives a peer.
        prober: what is measured.
    """

    target: frozenset[int]
    prober: frozenset[int]


def cores() -> Cores:
    """Returns one core for the targets and one for the prober; the same one where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(frozenset(usable[:1]), frozenset(usable[-1:]))


@contextmanager
def pinned(to: frozenset[int]) -> Iterator[None]:
    """Whatever this process does or starts in the block runs on these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, to)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
