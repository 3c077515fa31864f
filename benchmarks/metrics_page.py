"""The metrics page of 10,000 checks, 150,000 series: the agent's, beside two ways of prometheus_client.

Each side has a process of its own, keeps the same series and is scraped as its web server would scrape it. Counted
is the CPU of the event loop's thread, in which no probe can go on meanwhile, that of the whole process, and what it
costs to bring the series of one probe up to date: a page that is made beforehand is paid there.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.measure import Contestant, RunRejected, cores, interleaved, pinned
from benchmarks.metrics_page_side import SERIES_PER_CHECK, SIDES, Measured
from benchmarks.report import Owed, Report, Row, arguments, compared, finish

ROOT = Path(__file__).resolve().parent.parent
SIDE_WITHIN_S = 300.0
AGENT, GZIPPED = "online-sentry", "online-sentry, gzip"
OWED_LOOP_MS = 30.0
CASES = {
    "one scrape, event loop": "loop_ms",
    "one scrape, all threads": "cpu_ms",
    "one probe brought up to date": "update_ms",
}
"""Case → the figure of `Measured` that it compares."""

NOTES = (
    "Every page was counted: each side has exactly the same number of series of checks.",
    (
        "lag_ms: how late the loop woke at worst during a scrape, wall time, median of the scrapes; a machine with "
        "other work on it shows here first. Peers send their pages uncompressed."
    ),
)


def main(words: Sequence[str] | None = None) -> None:
    """Runs the benchmark as the command line says."""
    parser = arguments(__doc__.partition("\n")[0])
    parser.add_argument("--checks", type=int, default=10_000, help=f"checks of {SERIES_PER_CHECK} series each")
    options = parser.parse_args(words)
    finish(lambda: run(options), options.json)


def run(options: argparse.Namespace) -> Report:
    """Measures every side in interleaved rounds.

    Raises:
        RunRejected: a page lacked series.
    """
    found: dict[str, list[Measured]] = {name: [] for name in SIDES}
    sides = [Contestant(name, partial(_round, name, options.checks, found[name])) for name in SIDES]
    interleaved(sides, options.rounds, lambda line: print(line, file=sys.stderr))
    rows: list[Row] = []
    for case, figure in CASES.items():
        costs = {name: [getattr(one, figure) for one in measured] for name, measured in found.items()}
        rows += compared(case, costs, _figures(found) if figure == "loop_ms" else None)
    series = options.checks * SERIES_PER_CHECK
    owed = [
        Owed(
            f"ms of loop time, a scrape of {series:,} series, {name}",
            OWED_LOOP_MS,
            _median(found[name], "loop_ms"),
            at_most=True,
        )
        for name in (AGENT, GZIPPED)
    ]
    return Report("metrics_page", rows, owed, NOTES)


def _round(name: str, checks: int, found: list[Measured]) -> float:
    command = [sys.executable, "-m", "benchmarks.metrics_page_side", name, "--checks", str(checks)]
    with pinned(cores().prober):
        done = subprocess.run(  # noqa: S603  # the benchmark's own program
            command, capture_output=True, text=True, timeout=SIDE_WITHIN_S, check=False, cwd=ROOT
        )
    if done.returncode:
        raise RunRejected(f"{name} ended with code {done.returncode}\n{done.stderr[-2000:]}")
    found.append(Measured(**json.loads(done.stdout)))
    return found[-1].loop_ms


def _figures(found: Mapping[str, Sequence[Measured]]) -> dict[str, dict[str, float]]:
    return {
        name: {
            "lag_ms": _median(measured, "lag_ms"),
            "page_mb": _median(measured, "page_bytes") / 1e6,
            "rss_kb_per_check": _median(measured, "rss_bytes_per_check") / 1e3,
        }
        for name, measured in found.items()
    }


def _median(measured: Sequence[Measured], figure: str) -> float:
    return float(median(getattr(one, figure) for one in measured))


if __name__ == "__main__":
    main()
