"""The agent's side of the open loop: `online-sentry run` as a user starts it, measured from outside."""

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.authority import HOST
from benchmarks.exposition import Exposition, quantile, scraped
from benchmarks.measure import RunRejected
from benchmarks.open_loop_window import Crowd, Figures, Span
from benchmarks.page import TEXT
from benchmarks.servers import LOOPBACK, free_port, listens, serving

READY_WITHIN_S = 120.0
LATE, LAG, UP, MISSED = (
    "sentry_schedule_delay_seconds",
    "sentry_loop_delay_seconds",
    "sentry_checks_total",
    "sentry_missed_slots_total",
)
STALLS, DROPPED, LAST_LAG = "sentry_stalls_total", "sentry_store_dropped_total", "sentry_loop_lag_seconds"
NAMES = frozenset({f"{LATE}_bucket", f"{LAG}_bucket", UP, MISSED, STALLS, DROPPED, LAST_LAG})
QUANTILES = {"late_p50_ms": (LATE, 0.5), "late_p99_ms": (LATE, 0.99), "lag_p99_ms": (LAG, 0.99)}
PROBED_AT_LEAST, CUT_AT_THE_ENDS = 0.99, 10
"""Of the probes that the measured span should hold, less those that its two ends cut through."""

MISSED_AT_MOST = 0.001
"""Of the slots; what the agent promises (001-29)."""


def agent_window(crowd: Crowd) -> Figures:
    """Runs and measures the agent; see `Window`."""
    with TemporaryDirectory(dir=crowd.folder, prefix="agent-") as name:
        folder = Path(name)
        port = free_port()
        _configure(folder / "sentry.yaml", port, crowd)
        program = Path(sys.executable).with_name("online-sentry")
        command: list[str | Path] = [program, "--config", folder / "sentry.yaml", "run"]
        began = time.monotonic()
        with serving(
            command,
            on=crowd.cores.prober,
            folder=folder,
            ready=lambda: listens(port),
            ready_within_s=READY_WITHIN_S,
        ) as pid:
            ready_s = time.monotonic() - began
            figures = _measured(crowd, pid, f"http://{LOOPBACK}:{port}/metrics")
        store_mb = sum(file.stat().st_size for file in folder.glob("*.db*")) / 1e6
        return figures | {"ready_s": ready_s, "store_mb": store_mb}


def _configure(file: Path, port: int, crowd: Crowd) -> None:
    check = {"kind": "http", "expect_text": TEXT, "server_name": HOST, "host_header": HOST}
    document = {
        "store": "sqlite:///sentry.db",
        "web": {"listen": f"{LOOPBACK}:{port}"},
        "probe": {"ca_file": str(crowd.ca)} if crowd.ca else {},
        "plans": {"default": {"interval_s": crowd.interval_s}},
        "sites": [{"key": f"site-{number}", "url": url, "checks": [check]} for number, url in enumerate(crowd.urls)],
    }
    file.write_text(json.dumps(document))  # JSON is YAML


def _measured(crowd: Crowd, pid: int, metrics_url: str) -> dict[str, float]:
    for _ in Span(pid).scrapes(crowd.warm_up_s):
        scraped(metrics_url)
    first = _scrape(metrics_url)
    span = Span(pid)
    lags = [_scrape(metrics_url).total(LAST_LAG) for _ in span.scrapes(crowd.duration_s)]
    figures = span.figures()
    last = _scrape(metrics_url)
    _must_be_well(crowd, first, last)
    quantiles = {name: quantile(*of, first, last) for name, of in QUANTILES.items()}
    return figures | {
        **{name: value * 1000 for name, value in quantiles.items() if value is not None},
        "late_10ms_share": _share_within(0.01, first, last),
        "worst_lag_ms": max(lags, default=last.total(LAST_LAG)) * 1000,
        "missed_slots": last.total(MISSED) - first.total(MISSED),
    }


def _scrape(metrics_url: str) -> Exposition:
    return Exposition.parse(scraped(metrics_url), NAMES)


def _share_within(bound_s: float, first: Exposition, last: Exposition) -> float:
    before, after = first.buckets(LATE), last.buckets(LATE)
    return (after[bound_s] - before[bound_s]) / (after[float("inf")] - before[float("inf")])


def _must_be_well(crowd: Crowd, first: Exposition, last: Exposition) -> None:
    up = last.total(UP, 'result="up"') - first.total(UP, 'result="up"')
    probed = last.total(UP) - first.total(UP)
    missed, stalls, dropped = (last.total(name) - first.total(name) for name in (MISSED, STALLS, DROPPED))
    too_few = probed < PROBED_AT_LEAST * crowd.probes - CUT_AT_THE_ENDS
    if too_few or up < probed or missed > MISSED_AT_MOST * crowd.probes or stalls or dropped:
        raise RunRejected(
            f"the agent made {probed:g} of {crowd.probes:g} probes, of which {up:g} were up; {missed:g} slots "
            f"missed, {stalls:g} stalls of its loop, {dropped:g} results dropped"
        )
