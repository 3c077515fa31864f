"""How long an audit of a site over SSH takes, the first time and when nothing has changed, and what it costs.

A site of as many files as asked for is made of a real tree and of changed copies of it, which no pack knows. It is
audited as the agent does it, in a process of its own, through a real sshd on loopback.
"""

import argparse
import asyncio
import os
import resource
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Self

from benchmarks.measure import RunRejected, family, rss_bytes
from benchmarks.report import Owed, Report, Row, arguments, finish
from benchmarks.servers import LOOPBACK
from benchmarks.sshd import Door, sshd
from scanners.packs.building import Order, build
from sentry.app.auditing.errand import audited
from sentry.app.auditing.order import AuditOrder
from sentry.app.pack_access import PackAccess
from sentry.domain.audit_visits import AuditVisits
from sentry.domain.finding import AuditReport, FindingClass
from sentry.domain.site import Site

AGENT = "online-sentry"
FILES = 5_000
TREE = Path("/usr/share/wordpress")
WITHIN_S = 3_600.0
LOOK_EVERY_S = 0.1
FIRST_S, UNCHANGED_S, PEAK_MB = 60.0, 3.0, 400.0
FIRST, UNCHANGED, KNOWN = "first", "unchanged", "first, the tree known by packs"
NOTES = (
    "Looking at the site from outside is left out: its pauses are politeness, and no cost.",
    "seconds: from the order to the report, with the start of the audit's process.",
    "cpu_ms: of one file, with all processes that the audit starts on this side.",
    "peak_mb: of those processes together, so what they share counts several times.",
)


@dataclass(frozen=True, slots=True)
class Timed:
    """One audit."""

    seconds: float
    cpu_s: float
    peak_bytes: int
    report: AuditReport


def main(words: Sequence[str] | None = None) -> None:
    """Runs the benchmark as the command line says."""
    parser = arguments(__doc__.partition("\n")[0], rounds=1)
    parser.add_argument("--files", type=int, default=FILES, metavar="N", help=f"of the site; {FILES} when absent")
    parser.add_argument(
        "--tree", type=Path, default=TREE, metavar="DIR", help=f"what the site is made of; {TREE} when absent"
    )
    options = parser.parse_args(words)
    finish(lambda: run(options), options.json)


def run(options: argparse.Namespace) -> Report:
    """Audits the site in each case.

    Raises:
        RunRejected: there is no tree, sshd is missing, or an audit did not look at everything.
    """
    if not options.tree.is_dir():
        raise RunRejected(f"there is no {options.tree}; as root: apt-get install wordpress, or give --tree DIR")
    rows: list[Row] = []
    timed: dict[str, list[Timed]] = {FIRST: [], UNCHANGED: [], KNOWN: []}
    with tempfile.TemporaryDirectory(prefix="audit-speed-") as name:
        folder = Path(name)
        made = make_site(options.tree, folder / "site", options.files)
        packs = _packed(options.tree, folder)
        with sshd(folder / "sshd") as door:
            order = _order(folder / "site", door)
            for number in range(options.rounds):
                mine = replace(order, cache=str(folder / f"cache{number}"))
                timed[FIRST].append(_timed(FIRST, mine, made))
                timed[UNCHANGED].append(_timed(UNCHANGED, mine, made))
                known = replace(order, cache=str(folder / f"known{number}"), packs=packs)
                timed[KNOWN].append(_timed(KNOWN, known, made))
    rows = [_row(case, sorted(found, key=lambda one: one.seconds)[len(found) // 2]) for case, found in timed.items()]
    return Report("audit_speed", rows, owed(timed), NOTES)


def make_site(tree: Path, site: Path, files: int) -> int:
    """Copies a tree, and copies its files again, each with a line more, until there are enough; returns how many.

    Raises:
        RunRejected: the tree is empty.
    """
    _copy(tree, site)
    known = sorted(path for path in site.rglob("*") if path.is_file())
    if not known:
        raise RunRejected(f"{tree} holds no files")
    made = len(known)
    for round_number in count(1):
        for path in known:
            if made >= files:
                return made
            copy = site / "wp-content/plugins" / f"copy{round_number}" / path.relative_to(site)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes() + f"\n/* {round_number} {made} */\n".encode())
            made += 1
    raise AssertionError


def _copy(tree: Path, to: Path) -> None:
    """Copies a tree with what its links lead to; those that lead nowhere are told at the end, and do not matter."""
    with suppress(shutil.Error):
        shutil.copytree(tree, to)


def _packed(tree: Path, folder: Path) -> PackAccess:
    published = folder / tree.name
    _copy(tree, published)
    build(Order(published, folder / "packs", date(2026, 1, 1), keep_files=False))
    shutil.rmtree(published)
    return PackAccess((str(folder / "packs"),), unsigned=True)


def _order(docroot: Path, door: Door) -> AuditOrder:
    ssh = {"host": LOOPBACK, "port": door.port, "user": door.user, "key_file": str(door.key_file)}
    site = {
        "key": "site",
        "url": f"http://{LOOPBACK}:9/",
        "checks": [{"kind": "http"}],
        "access": {"docroot": str(docroot), "ssh": {**ssh, "host_keys": [door.host_key]}},
    }
    return AuditOrder(site=Site.model_validate(site), visits=AuditVisits(enabled=False))


def _timed(case: str, order: AuditOrder, files: int) -> Timed:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with _Peak() as peak:
        began = time.monotonic()
        report = asyncio.run(audited(order, lambda _progress: None, within_s=WITHIN_S))
        seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{case}: {seconds:.1f} s", file=sys.stderr)
    if report.manifest.files != files:
        raise RunRejected(f"{report.manifest.files:,} of {files:,} files were looked at")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timed(seconds, cpu_s, peak.peak_bytes, report)


class _Peak:
    """Watches the memory of all processes that are started below this one, until the block ends."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._ended = threading.Event()
        self._others = set(family(os.getpid()))
        self._watch = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ended.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            with suppress(RunRejected):  # one of them ended just now
                mine = [pid for pid in family(os.getpid()) if pid not in self._others]
                self.peak_bytes = max(self.peak_bytes, rss_bytes(*mine))


def _row(case: str, timed: Timed) -> Row:
    manifest = timed.report.manifest
    alarms = (FindingClass.CONFIRMED, FindingClass.SUSPICIOUS)
    return Row(
        AGENT,
        case,
        timed.cpu_s * 1000 / manifest.files,
        figures={
            "seconds": timed.seconds,
            "files": manifest.files,
            "known": manifest.known,
            "mb": manifest.size_bytes / 1e6,
            "files_per_s": manifest.files / timed.seconds,
            "peak_mb": timed.peak_bytes / 1e6,
            "alarms": sum(finding.verdict in alarms for finding in timed.report.findings),
            "skipped": len(manifest.skipped),
        },
    )


def owed(timed: dict[str, list[Timed]]) -> list[Owed]:
    """Returns what an audit owes, with the worst that was measured of it."""
    peak = max(one.peak_bytes for found in timed.values() for one in found)
    return [
        Owed("seconds of a first audit, no pack known", FIRST_S, _worst(timed[FIRST]), at_most=True),
        Owed("seconds of an audit of what has not changed", UNCHANGED_S, _worst(timed[UNCHANGED]), at_most=True),
        Owed("MB of memory at most", PEAK_MB, peak / 1e6, at_most=True),
    ]


def _worst(found: Sequence[Timed]) -> float:
    return max(one.seconds for one in found)


if __name__ == "__main__":
    main()
