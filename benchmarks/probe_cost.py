"""CPU per probe of a page: the agent's probe engine beside its peers, and beside C as the limit.

Each probe opens a new connection to nginx on loopback, reads a page of 30 kB and looks for a text at its end; with
TLS it verifies the chain and the name. Counted is the user and system time of the prober's process.
"""

import argparse
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks.authority import HOST, Chain, long_chain, short_chain, stranger
from benchmarks.blackbox import Exporter, exporting, module
from benchmarks.installed import compiled, provide
from benchmarks.measure import Contestant, Cores, RunRejected, cores, interleaved
from benchmarks.nginx import serving_page
from benchmarks.outcome import Outcome, Task, outcome_of
from benchmarks.page import TEXT, page
from benchmarks.report import Owed, Report, Row, arguments, compared, finish
from sentry.settings.model import Probing

ROOT = Path(__file__).resolve().parent.parent
AGENT, BLACKBOX, AIOHTTP, LIMIT = "online-sentry", "blackbox_exporter", "aiohttp", "c_reference"
WITH_RTLS, WITH_CACHE = f"{AGENT}+rtls", f"{AGENT}+verified-chain-cache"
VARIANTS: Mapping[str, Mapping[str, str | int]] = {
    AGENT: {},
    WITH_CACHE: {"verified_chain_cache_s": 3600},
    WITH_RTLS: {"tls_library": "rtls"},
}
"""Each way to run the agent, and its keys of `probe:`."""

CONTESTANTS = (*VARIANTS, AIOHTTP, LIMIT, BLACKBOX)
CHAINS = {"http": None, "tls": short_chain, "tls_long_chain": long_chain}
OWED = (
    ("http", AGENT, BLACKBOX, 8.0),
    ("http", AGENT, LIMIT, 0.45),
    ("tls", AGENT, BLACKBOX, 1.3),
    ("tls", WITH_RTLS, BLACKBOX, 2.1),
    ("tls_long_chain", AGENT, BLACKBOX, 1.2),
    ("tls_long_chain", WITH_RTLS, BLACKBOX, 2.6),
)
"""Case, who, than whom, and how many times cheaper at least."""

REFUSED_PROBES = 20
IN_FLIGHT = 50
NOTES = (
    (
        "cpu_ms: user and system time of the prober per probe, median of the rounds. Every probe counted saw a "
        "verified certificate (TLS), status 200 and the text; before the rounds every prober had refused a "
        "stranger's root."
    ),
    (
        f"{BLACKBOX} is asked over kept-alive HTTP, without gzip: its /probe interface is how it is used and is part "
        f"of its cost. {AIOHTTP} takes no time of phases. {LIMIT} is C with epoll and OpenSSL: it has no deadlines "
        "and keeps nothing, so it is a limit and no rival."
    ),
)


Prober = Callable[[Task], Outcome]


@dataclass(frozen=True, slots=True)
class Arena:
    """What one case is run with.

    Attributes:
        task: what every contestant does in a round.
        stranger: a root that did not sign the target's chain.
    """

    case: str
    task: Task
    cores: Cores
    folder: Path
    stranger: Path


def main(words: Sequence[str] | None = None) -> None:
    """Runs the benchmark as the command line says."""
    parser = arguments(__doc__.partition("\n")[0], rounds=5)
    parser.add_argument("--cases", nargs="+", choices=CHAINS, default=list(CHAINS), help="which cases")
    parser.add_argument("--http-count", type=int, default=4000, help="probes per contestant and round, case http")
    parser.add_argument("--tls-count", type=int, default=1500, help="probes per contestant and round, other cases")
    parser.add_argument(
        "--contestants", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS), help="who takes part"
    )
    parser.add_argument("--in-flight", type=int, default=IN_FLIGHT, help="probes at a time")
    options = parser.parse_args(words)
    finish(lambda: run(options), options.json)


def run(options: argparse.Namespace) -> Report:
    """Runs the cases and returns what they cost.

    Raises:
        RunRejected: a prober failed, or took what it had to refuse.
    """
    provide("nginx", *(["prometheus-blackbox-exporter"] if BLACKBOX in options.contestants else []))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="probe-cost-") as folder:
        for case in options.cases:
            count = options.http_count if case == "http" else options.tls_count
            with (
                _arena(case, Path(folder) / case, count, options.in_flight) as arena,
                _contestants(arena, options.contestants) as those,
            ):
                costs = interleaved(those, options.rounds, partial(_say, case))
            rows += compared(case, costs)
    return Report("probe_cost", rows, _owed(rows), NOTES)


def _say(case: str, line: str) -> None:
    print(f"{case}: {line}", file=sys.stderr)


def _owed(rows: Sequence[Row]) -> list[Owed]:
    ratios = {(row.case, row.name, peer): ratio for row in rows for peer, ratio in row.ratio_to.items()}
    return [
        Owed(f"{case}: {who}, times cheaper than {peer}", bound, ratios.get((case, who, peer)))
        for case, who, peer, bound in OWED
        if any(row.case == case for row in rows)
    ]


@contextmanager
def _arena(case: str, folder: Path, count: int, in_flight: int) -> Iterator[Arena]:
    make = CHAINS[case]
    chain: Chain | None = make(folder / "tls") if make else None
    with serving_page(folder / "nginx", page(), chain, cores().target) as port:
        task = Task(port, HOST, TEXT, count, in_flight, str(chain.ca) if chain else None)
        yield Arena(case, task, cores(), folder, stranger(folder / "stranger"))


@contextmanager
def _contestants(arena: Arena, names: Sequence[str]) -> Iterator[list[Contestant]]:
    ca = Path(arena.task.ca) if arena.task.ca else None
    with _probers(arena, names, ca) as probers:
        if ca is not None:
            _must_refuse(arena, names)
        yield [Contestant(name, partial(_cost, name, prober, arena.task)) for name, prober in probers.items()]


@contextmanager
def _probers(arena: Arena, names: Sequence[str], ca: Path | None) -> Iterator[dict[str, Prober]]:
    probers: dict[str, Prober] = {
        name: partial(_agent, arena, VARIANTS[name]) for name in names if name in VARIANTS and _runs(name, arena)
    }
    others: dict[str, Prober] = {AIOHTTP: partial(_python, arena, "prober_aiohttp"), LIMIT: partial(_limit, arena)}
    probers |= {name: prober for name, prober in others.items() if name in names}
    with ExitStack() as stack:
        if BLACKBOX in names:
            page, folder = module(HOST, TEXT, ca), Path(tempfile.mkdtemp(dir=arena.folder))
            exporter = stack.enter_context(exporting(folder, page, arena.cores.prober))
            probers[BLACKBOX] = partial(_blackbox, arena, exporter)
        yield probers


def _runs(name: str, arena: Arena) -> bool:
    """Whether a variant of the agent differs in this case and can be run here: rtls is optional."""
    needed = VARIANTS[name]
    if not needed:
        return True
    there = needed.keys() <= Probing.model_fields.keys() and (
        "rtls" not in needed.values() or importlib.util.find_spec("rtls") is not None
    )
    return there and arena.case != "http"


# ── the probers ──────────────────────────────────────────────────────────────────────────────────────────────────


def _agent(arena: Arena, settings: Mapping[str, str | int], task: Task) -> Outcome:
    return _python(arena, "prober_sentry", task, "--probe-settings", json.dumps(dict(settings)))


def _python(arena: Arena, name: str, task: Task, *more: str, on: frozenset[int] | None = None) -> Outcome:
    command = [sys.executable, "-m", f"benchmarks.{name}", *task.arguments(), *more]
    return outcome_of(command, on or arena.cores.prober, os.environ | {"PYTHONPATH": str(ROOT)})


def _limit(arena: Arena, task: Task) -> Outcome:
    words = (task.port, task.count, task.in_flight, task.host, task.text, *([task.ca] if task.ca else []))
    program = compiled(Path(__file__).with_name("c_reference.c"))
    return outcome_of([program, *map(str, words)], arena.cores.prober, os.environ)


def _blackbox(arena: Arena, exporter: Exporter, task: Task) -> Outcome:
    more = ("--exporter", exporter.url, "--pid", str(exporter.pid))
    return _python(arena, "prober_blackbox", task, *more, on=arena.cores.target)


def _cost(name: str, prober: Prober, task: Task) -> float:
    outcome = prober(task)
    if outcome.failed or outcome.ok != task.count:
        raise RunRejected(f"{name}: {outcome.ok} of {task.count} probes went well; {outcome.failures.most_common(3)}")
    return outcome.cpu_s / outcome.ok * 1000


def _must_refuse(arena: Arena, names: Sequence[str]) -> None:
    """Each prober must refuse a chain that it has no reason to trust: else it verified nothing."""
    task = replace(arena.task, ca=str(arena.stranger), count=REFUSED_PROBES)
    with _probers(arena, names, arena.stranger) as probers:
        for name, prober in probers.items():
            outcome = prober(task)
            if outcome.ok or outcome.failed != REFUSED_PROBES:
                raise RunRejected(f"{name} took a certificate that a stranger's root vouches for")


if __name__ == "__main__":
    main()
