"""Many sites a minute, as an agency has them: the whole agent beside blackbox_exporter and Prometheus.

The sites answer after 50 to 300 ms, each with its own address, certificate and page, and each is probed once a minute
in its own time, however long others take. The agent runs as its users run it, with its store on disk and its metrics
scraped. Counted are all processes and threads of each side, after a first minute of warm-up.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.authority import Chain, many_leaves
from benchmarks.installed import provide
from benchmarks.measure import Contestant, cores, cpu_s, interleaved
from benchmarks.open_loop_agent import agent_window
from benchmarks.open_loop_peer import peer_window
from benchmarks.open_loop_window import Crowd, Figures, Window
from benchmarks.report import Owed, Report, Row, arguments, compared, finish
from benchmarks.slow_sites import SlowSites, slow_sites

AGENT, PEER = "online-sentry", "blackbox_exporter+prometheus"
CASES = ("http", "tls")
CONTESTANTS: Mapping[str, Window] = {AGENT: agent_window, PEER: peer_window}
DELAY_MS = (50, 300)
NOTES = (
    (
        "cpu_ms: user and system time of all processes and threads of a side per probe; core_share: the same per "
        "second. Both sides see every site up, or there is no figure. Addresses are literal: neither side resolves "
        "names. No Prometheus is counted with the agent, whose store keeps what a Prometheus would; the scrapes are."
    ),
    (
        "late_p50_ms, late_p99_ms and lag_p99_ms come from the agent's own histograms, interpolated in a bucket; "
        "late_10ms_share is the share of probes that started within 10 ms of their slot. rss_mb: resident at the "
        "end; peak_rss_mb: the highest since the start, when all sites are loaded and then probed within seconds; "
        "ready_s: from the start until the agent served its pages. server_core_share: of the process that serves the "
        "sites, on a core of its own where there are two; starved_share: time in which a side had work and no core."
    ),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One case and what its contestants measured besides the CPU, by contestant, one entry a round."""

    name: str
    crowd: Crowd
    figures: dict[str, list[Figures]]


def main(words: Sequence[str] | None = None) -> None:
    """Runs the benchmark as the command line says."""
    parser = arguments(__doc__.partition("\n")[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), help="which cases")
    parser.add_argument(
        "--contestants", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS), help="who takes part"
    )
    parser.add_argument("--sites", type=int, default=10_000, help="how many")
    parser.add_argument("--interval", type=int, default=60, help="seconds from one probe of a site to the next")
    parser.add_argument("--duration", type=float, default=60.0, help="seconds that are measured")
    parser.add_argument("--warm-up", type=float, default=75.0, help="seconds before them, after the start")
    options = parser.parse_args(words)
    finish(lambda: run(options), options.json)


def run(options: argparse.Namespace) -> Report:
    """Runs the cases and returns what they cost.

    Raises:
        RunRejected: a side missed a site, or took one for down.
    """
    provide("prometheus", "prometheus-blackbox-exporter")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="open-loop-") as folder:
        for name in options.cases:
            with _case(name, Path(folder) / name, options) as case:
                contestants = [
                    Contestant(contestant, partial(_cost, case, contestant, CONTESTANTS[contestant]))
                    for contestant in options.contestants
                ]
                costs = interleaved(contestants, options.rounds, partial(_say, name))
                rows += compared(name, costs, {one: _medians(found) for one, found in case.figures.items()})
    return Report("open_loop", rows, _owed(rows), NOTES)


def _say(case: str, line: str) -> None:
    print(f"{case}: {line}", file=sys.stderr)


@contextmanager
def _case(name: str, folder: Path, options: argparse.Namespace) -> Iterator[Case]:
    folder.mkdir()
    chain: Chain | None = many_leaves(folder / "tls", options.sites) if name == "tls" else None
    with slow_sites(folder / "sites", options.sites, DELAY_MS, chain, cores().target) as sites:
        yield Case(name, _crowd(folder, sites, chain, options), defaultdict(list))


def _crowd(folder: Path, sites: SlowSites, chain: Chain | None, options: argparse.Namespace) -> Crowd:
    return Crowd(
        folder=folder,
        urls=sites.urls,
        ca=chain.ca if chain else None,
        server_pid=sites.pid,
        interval_s=options.interval,
        warm_up_s=options.warm_up,
        duration_s=options.duration,
        cores=cores(),
    )


def _cost(case: Case, name: str, window: Window) -> float:
    crowd = case.crowd
    before = cpu_s(crowd.server_pid)
    found = window(crowd)
    took_s = crowd.warm_up_s + crowd.duration_s
    figures = {**found, "server_core_share": (cpu_s(crowd.server_pid) - before) / took_s}
    case.figures[name].append(figures)
    _say(case.name, f"{name}: {', '.join(f'{figure} {value:.4g}' for figure, value in figures.items())}")
    return found["core_share"] * crowd.duration_s / crowd.probes * 1000


def _medians(found: Sequence[Figures]) -> dict[str, float | Sequence[float]]:
    return {figure: median(one[figure] for one in found) for figure in found[0]}


def _owed(rows: Sequence[Row]) -> list[Owed]:
    ours = next((row for row in rows if (row.name, row.case) == (AGENT, "tls")), None)
    if ours is None:
        return []

    def figure(name: str) -> float | None:
        value = ours.figures.get(name)
        return value if isinstance(value, float) else None

    ratio = ours.ratio_to.get(PEER)
    return [
        Owed(f"tls: CPU of {AGENT} as a share of {PEER}'s", 0.65, 1 / ratio if ratio else None, at_most=True),
        Owed("tls: start lateness p99, ms", 10, figure("late_p99_ms"), at_most=True),
        Owed("tls: resident memory, MB", 150, figure("rss_mb"), at_most=True),
    ]


if __name__ == "__main__":
    main()
