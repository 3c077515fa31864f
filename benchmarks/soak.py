"""An hour of many sites with random faults: the agent's account against the record of whoever broke them.

The agent is a process in time lapse, over real sockets and a real store; a seed plans which site misbehaves when. In
the end every outage of the plan must be in the store and nothing else, each edge within the probe interval.
"""

import argparse
import ipaddress
import json
import os
import sqlite3
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import sleep

from benchmarks.exposition import Exposition, scraped
from benchmarks.measure import RunRejected
from benchmarks.obedient_sites import UP, Command
from benchmarks.report import machine
from benchmarks.servers import LOOPBACK, free_port, listens, serving
from benchmarks.soak_faults import Fault, plan, turns
from benchmarks.soak_verdict import MINUTE_S, Found, Verdict, judge
from benchmarks.time_lapse import Lapse

EPOCH = datetime(2025, 6, 10, 8, 0, tzinfo=UTC)
FIRST_SITE = ipaddress.IPv4Address("127.2.0.0")
INTERVAL_S = 60
READY_WITHIN_S = 120.0
WARM_UP_MINUTES, COOL_DOWN_MINUTES = 2, 4
"""Before the first fault every site was seen up; after the last one its end is confirmed and written."""

TIMEOUT_REAL_S = 1.5
COLUMNS = {
    "seed": "seed",
    "sites": "sites",
    "probes": "probes",
    "outages": "outages",
    "others": "blips, slow",
    "found": "found",
    "missed": "missed",
    "false": "false",
    "worst_edge_s": "worst edge s",
    "edges_off": "edges off",
    "minutes_broken": "min broken",
    "minutes_down": "min down",
    "minutes_off": "min off",
    "stray_minutes": "stray min",
    "unknown_minutes": "unknown min",
}


def main(words: Sequence[str] | None = None) -> None:
    """Runs the soak as the command line says; the exit code is 1 where the accounts differ."""
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--seeds", type=_numbers, default="1,2,3", help="one run for each")
    parser.add_argument("--sites", type=int, default=500)
    parser.add_argument("--minutes", type=int, default=60, help="of the agent's time in which faults happen")
    parser.add_argument("--speed", type=float, default=20, help="how many times faster the agent's time goes by")
    parser.add_argument("--faults-per-hour", type=float, default=0.5, help="of one site, on average")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    options = parser.parse_args(words)
    try:
        verdicts = [_run(seed, options) for seed in options.seeds]
    except RunRejected as rejected:
        sys.exit(f"no figure: {rejected}")
    _print(verdicts)
    if options.json is not None:
        document = {"benchmark": "soak", "machine": machine(), "runs": [verdict.figures() for verdict in verdicts]}
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    sys.exit(0 if all(verdict.agrees for verdict in verdicts) else 1)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _run(seed: int, options: argparse.Namespace) -> Verdict:
    print(f"seed {seed}: {options.sites} sites, {options.minutes} minutes at {options.speed:g}x", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="soak") as name:
        folder = Path(name)
        with _stage(folder, options) as (command, lapse, metrics_url):
            _wait(lapse, WARM_UP_MINUTES)
            start = lapse.seconds()
            faults = plan(seed, options.sites, start, start + options.minutes * MINUTE_S, options.faults_per_hour)
            record = _inject(faults, command, lapse)
            lapse.wait_until(start + options.minutes * MINUTE_S)
            _wait(lapse, COOL_DOWN_MINUTES)
            end = lapse.seconds()
            probes = Exposition.parse(scraped(metrics_url), frozenset({"sentry_checks_total"}))
        verdict = Verdict(seed, options.sites, probes=int(probes.total("sentry_checks_total")))
        outages, minutes = _account(folder / "sentry.db")
        judge(verdict, record, outages, minutes, INTERVAL_S)
        span = range(int(start // MINUTE_S), int(end // MINUTE_S) - 1)
        verdict.unknown_minutes = sum(
            of.get(minute, "unknown") == "unknown" for of in minutes.values() for minute in span
        )
        return verdict


def _wait(lapse: Lapse, minutes: float) -> None:
    lapse.wait_until(lapse.seconds() + minutes * MINUTE_S)


# ── the stage ────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _stage(folder: Path, options: argparse.Namespace) -> Iterator[tuple[Command, Lapse, str]]:
    """Runs sites and agent until the block ends; what was seen is in the store then."""
    sites_port, port, control = free_port(), free_port(), folder / "control"
    lapse = Lapse.begin(options.speed, EPOCH)
    config = _configure(folder, options, sites_port, port)
    python = [sys.executable, "-m"]
    everywhere = frozenset(os.sched_getaffinity(0))
    with ExitStack() as stack:
        sites = [*python, "benchmarks.obedient_sites", str(sites_port), str(control)]
        stack.enter_context(serving(sites, on=everywhere, folder=folder / "sites", ready=control.exists))
        agent = [*python, "benchmarks.time_lapse", str(config), *lapse.arguments()]
        url = f"http://{LOOPBACK}:{port}/metrics"
        stack.enter_context(serving(agent, on=everywhere, folder=folder, ready=lambda: listens(port)))
        _await_all_up(url, options.sites)
        yield stack.enter_context(Command(control)), lapse, url


def _configure(folder: Path, options: argparse.Namespace, sites_port: int, port: int) -> Path:
    check = {"kind": "http", "timeout_s": TIMEOUT_REAL_S * options.speed, "expect_text": "Carrito"}
    document = {
        "store": f"sqlite:///{folder}/sentry.db",
        "web": {"listen": f"{LOOPBACK}:{port}"},
        "plans": {"default": {"interval_s": INTERVAL_S, "recheck_after_s": [10, 20]}},
        "sites": [
            {"key": f"site-{number}", "url": f"http://{FIRST_SITE + number}:{sites_port}/", "checks": [check]}
            for number in range(options.sites)
        ],
    }
    config = folder / "sentry.yaml"
    config.write_text(json.dumps(document))  # JSON is YAML
    return config


def _await_all_up(url: str, sites: int) -> None:
    for _ in range(int(READY_WITHIN_S / 0.5)):
        page = Exposition.parse(scraped(url), frozenset({"probe_success"}))
        if page.total("probe_success") == sites:
            return
        sleep(0.5)
    raise RunRejected(f"not every site was up within {READY_WITHIN_S:g} s")


# ── the injector ─────────────────────────────────────────────────────────────────────────────────────────────────


def _inject(faults: Sequence[Fault], command: Command, lapse: Lapse) -> list[Fault]:
    """Breaks and mends as planned, and returns each fault with the times at which the sites had really turned."""
    record = list(faults)
    for when, place, is_end in turns(faults):
        lapse.wait_until(when)
        fault = record[place]
        at = command(str(FIRST_SITE + fault.site), UP if is_end else fault.kind)
        turned_at = lapse.epoch + (at - lapse.origin) * lapse.speed
        record[place] = replace(fault, end=turned_at) if is_end else replace(fault, start=turned_at)
    return record


# ── the agent's account ──────────────────────────────────────────────────────────────────────────────────────────


def _account(store: Path) -> tuple[list[Found], dict[int, dict[int, str]]]:
    """Returns the outages in the store, and the state of each minute of each site."""
    with closing(sqlite3.connect(store)) as connection:
        outages = connection.execute(
            "SELECT site_key, started_us, ended_us FROM outages JOIN checks ON checks.id = check_id"
        ).fetchall()
        runs = connection.execute(
            "SELECT site_key, start_minute, end_minute, state FROM ledger_runs JOIN checks ON checks.id = check_id"
        ).fetchall()
    minutes: dict[int, dict[int, str]] = defaultdict(dict)
    for key, start, end, state in runs:
        minutes[_number(key)].update(dict.fromkeys(range(start, end), state))
    found = [Found(_number(key), start / 1e6, end and end / 1e6) for key, start, end in outages]
    return found, minutes


def _number(key: str) -> int:
    return int(key.rpartition("-")[2])


def _print(verdicts: Sequence[Verdict]) -> None:
    lines = [list(COLUMNS.values())]
    lines += [[f"{verdict.figures()[name]:.6g}" for name in COLUMNS] for verdict in verdicts]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    for line in lines:
        print("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))
    for verdict in verdicts:
        for difference in verdict.differences:
            print(f"seed {verdict.seed}: {difference}")
    print("the accounts agree" if all(verdict.agrees for verdict in verdicts) else "the accounts differ")


if __name__ == "__main__":
    main()
