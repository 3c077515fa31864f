"""The sample store: what a probe costs to write, a day to seal, a month to read, and 13 months to keep.

One day of every site is written raw and sealed by the agent's own code; the further days of the month are that day
with the sites exchanged. The peer keeps a row for each sample in plain SQLite.
"""

import argparse
import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, process_time, thread_time

from benchmarks.measure import RunRejected
from benchmarks.report import Owed, Report, Row, arguments, compared, finish
from benchmarks.store_build import EPOCH, FIRST_DAY, Sites, build_like_days, build_raw_day, number_of, register
from benchmarks.store_naive import NaiveStore
from sentry.domain.day import MINUTES_PER_DAY
from sentry.domain.ledger import Totals
from sentry.domain.ledger import totals as count_minutes
from sentry.ports import SampleKind, Timer
from sentry.store import Store, open_store
from sentry.store.samples import sample_row

OURS, NAIVE = "online-sentry", "a row for each sample"
FULL_CHECKS = 10_000
DAYS_KEPT = 396
RAW_DAYS = 49 / 24
"""Raw samples are kept for 48 hours and dropped within the hour after."""

ONE, ALL = "one site's month", "all sites' month"
OWED_SITE_MS, OWED_ALL_S, OWED_GB = 2.0, 0.5, 6.0
WRITTEN_MINUTES = 2
NAIVE_SITES = 40
ZONE_MINUTES = 120
"""The month asked for begins and ends within a UTC day, as one of Madrid does: both edges take the ledger."""

PREFILLED_MINUTES = 60
"""The peer's sites stand on pages of their own before it is measured, as they soon would."""

READS = 50
SEAL_WITHIN_S = 1800.0
BEAT_S = 0.005


class StoppedClock:
    """Fills the `Clock` port: the wall clock stands at an instant, the monotonic one goes on."""

    def __init__(self, day: int) -> None:
        self._now = EPOCH + timedelta(days=day, hours=3)

    def now(self) -> datetime:
        """Returns the instant."""
        return self._now

    def monotonic(self) -> float:
        """Returns seconds of the machine."""
        return perf_counter()

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Calls later."""
        return asyncio.get_running_loop().call_later(seconds, callback)


@dataclass(slots=True)
class Found:
    """What was measured of the agent's store, in the units of the names."""

    raw_day_bytes: float = 0.0
    sealed_day_bytes: float = 0.0
    seal_cpu_s: float = 0.0
    seal_worst_gap_ms: float = 0.0


def main(words: Sequence[str] | None = None) -> None:
    """Runs the benchmark as the command line says."""
    parser = arguments(__doc__.partition("\n")[0])
    parser.add_argument("--checks", type=int, default=FULL_CHECKS, help="sites with a check each")
    parser.add_argument("--days", type=int, default=30, help="days of the month")
    parser.add_argument("--folder", type=Path, help="where both stores are built: 2 GB for the whole of it")
    parser.add_argument("--batch", type=int, default=83, help="records of a commit: what comes in half a second")
    options = parser.parse_args(words)
    finish(lambda: asyncio.run(run(options)), options.json)


async def run(options: argparse.Namespace) -> Report:
    """Builds both stores and measures them.

    Raises:
        RunRejected: a figure of a store is not the one that was put in.
    """
    sites, found = Sites(options.checks), Found()
    today = FIRST_DAY + options.days + 3
    with tempfile.TemporaryDirectory(prefix="store", dir=options.folder) as folder:
        file = Path(folder) / "sentry.db"
        async with open_store(f"sqlite:///{file}", handlers=(), clock=StoppedClock(today)) as store:
            await register(store, sites)
            rows = await _write(store, NaiveStore(Path(folder) / "written.db"), sites, today, options)
            await _build(store, file, sites, options.days, found)
            naive = NaiveStore(Path(folder) / "read.db")
            _say(f"filling the peer with the month of {NAIVE_SITES} sites")
            naive.fill(sites, NAIVE_SITES, FIRST_DAY * MINUTES_PER_DAY, options.days * MINUTES_PER_DAY)
            rows += await _read(store, naive, sites, options)
            naive_bytes = naive.bytes() / (NAIVE_SITES * options.days)
            naive.close()
    return _report(options, rows, found, naive_bytes)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


async def _write(store: Store, naive: NaiveStore, sites: Sites, today: int, options: argparse.Namespace) -> list[Row]:
    """Commits what comes in some minutes to both, in interleaved rounds."""
    _say("writing, batch by batch")
    costs: dict[str, list[float]] = {OURS: [], NAIVE: []}
    loop_us: list[float] = []
    minute = today * MINUTES_PER_DAY
    naive.fill(sites, options.checks, minute - PREFILLED_MINUTES, PREFILLED_MINUTES)
    for number in range(options.rounds + 1):
        records = [record for place in range(WRITTEN_MINUTES) for record in sites.minute(minute + place)]
        minute += WRITTEN_MINUTES
        batches = [records[place : place + options.batch] for place in range(0, len(records), options.batch)]
        cpu, loop = process_time(), thread_time()
        for batch in batches:
            await store.watch.commit(batch)
        ours, in_loop = process_time() - cpu, thread_time() - loop
        cpu = process_time()
        for batch in batches:
            naive.write(sample_row(number_of(one.result.check_key), one.result, SampleKind.SLOT) for one in batch)
        if number:  # the first round reads what stands, as a start of the agent does
            costs[OURS].append(ours * 1e3 / len(records))
            costs[NAIVE].append((process_time() - cpu) * 1e3 / len(records))
            loop_us.append(in_loop * 1e6 / len(records))
    naive.close()
    return compared(f"write a probe, {options.batch} in a commit", costs, {OURS: {"loop_us": median(loop_us)}})


async def _build(store: Store, file: Path, sites: Sites, days: int, found: Found) -> None:
    """Seals a day that was written raw, and fills the month with days like it."""
    probes = len(sites.all) * MINUTES_PER_DAY
    _say(f"writing {probes:,} raw samples of one day")
    await build_raw_day(store, sites, FIRST_DAY)
    found.raw_day_bytes = _bytes(file, "samples") * probes / await _count(store, "samples")
    _say("sealing them")
    cpu = process_time()
    found.seal_worst_gap_ms = await _worst_gap_ms(store.sealing.work(SEAL_WITHIN_S))
    found.seal_cpu_s = process_time() - cpu
    if await _count(store, "day_blobs") != len(sites.all):
        raise RunRejected(f"the day was not sealed within {SEAL_WITHIN_S:.0f} s")
    _say(f"filling {days - 1} further days")
    await build_like_days(store, sites, FIRST_DAY, days - 1)
    found.sealed_day_bytes = _bytes(file, "day_blobs", "day_summaries", "ledger_runs") / days


def _bytes(file: Path, *tables: str) -> float:
    """Returns how many bytes of the file tables take, their indexes included."""
    query = "SELECT sum(pgsize) FROM dbstat('main', 1) JOIN sqlite_master USING (name) WHERE tbl_name = ?"
    with closing(sqlite3.connect(file)) as connection:
        return float(sum(connection.execute(query, [table]).fetchone()[0] for table in tables))


async def _count(store: Store, table: str) -> int:
    async with store.database.read() as connection:
        query = f"SELECT count(*) FROM {table}"  # noqa: S608  # a literal of this file
        return int((await connection.exec_driver_sql(query)).scalar_one())


async def _worst_gap_ms(work: Awaitable[bool]) -> float:
    """Returns how late the event loop woke at worst, of beats each 5 ms, while something was done."""
    done = asyncio.ensure_future(work)
    worst = 0.0
    while not done.done():
        before = perf_counter()
        await asyncio.sleep(BEAT_S)
        worst = max(worst, perf_counter() - before - BEAT_S)
    await done
    return worst * 1e3


async def _read(store: Store, naive: NaiveStore, sites: Sites, options: argparse.Namespace) -> list[Row]:
    """Asks both for a local month: of one site, and of all sites at once."""
    start = FIRST_DAY * MINUTES_PER_DAY + ZONE_MINUTES
    end = (FIRST_DAY + options.days) * MINUTES_PER_DAY - ZONE_MINUTES
    totals = await store.ledger.totals(start, end)
    await _check(store, sites, totals, start, end)
    scale = len(sites.all) / NAIVE_SITES
    site = sites.all[0]
    costs: dict[str, dict[str, list[float]]] = {ONE: {OURS: [], NAIVE: []}, ALL: {OURS: [], NAIVE: []}}
    walls: dict[str, list[float]] = {ONE: [], ALL: []}
    for _ in range(options.rounds):
        for case, key, times in ((ONE, site.key.partition("/")[0], READS), (ALL, None, 1)):
            cpu, wall = process_time(), perf_counter()
            for _ in range(times):
                await store.ledger.totals(start, end, key)
            costs[case][OURS].append((process_time() - cpu) * 1e3 / times)
            walls[case].append((perf_counter() - wall) * 1e3 / times)
        for case, number, factor in ((ONE, site.number, 1.0), (ALL, None, scale)):
            cpu = process_time()
            naive.month(start, end, number)
            costs[case][NAIVE].append((process_time() - cpu) * 1e3 * factor)
    return [
        row for case in (ONE, ALL) for row in compared(case, costs[case], {OURS: {"wall_ms": median(walls[case])}})
    ]


async def _check(store: Store, sites: Sites, totals: Mapping[str, Totals], start: int, end: int) -> None:
    """Holds the figures of some sites against their ledgers, minute by minute.

    Raises:
        RunRejected: they differ.
    """
    if len(totals) != len(sites.all):
        raise RunRejected(f"{len(totals)} sites have a month, not {len(sites.all)}")
    for site in sites.all[:: max(1, len(sites.all) // 100)]:
        runs = (await store.ledger.runs(site.key.partition("/")[0], start, end))[site.key]
        if totals[site.key] != count_minutes(runs):
            raise RunRejected(f"the month of {site.key} is {totals[site.key]}, its ledger says {count_minutes(runs)}")


def _report(options: argparse.Namespace, rows: Sequence[Row], found: Found, naive_bytes: float) -> Report:
    by_case = {(row.case, row.name): row.cpu_ms for row in rows}
    raw_gb = found.raw_day_bytes * RAW_DAYS / 1e9
    months_gb = raw_gb + found.sealed_day_bytes * DAYS_KEPT / 1e9
    full = FULL_CHECKS / options.checks
    owed = [
        Owed("ms of CPU, one site's month", OWED_SITE_MS, by_case[ONE, OURS], at_most=True),
        Owed(f"s of CPU, all {options.checks:,} sites' month", OWED_ALL_S, by_case[ALL, OURS] / 1e3, at_most=True),
        Owed(f"GB, 13 months of {FULL_CHECKS:,} sites", OWED_GB, months_gb * full, at_most=True),
    ]
    return Report("store", rows, owed, _notes(options, found, naive_bytes, months_gb * full))


def _notes(options: argparse.Namespace, found: Found, naive_bytes: float, months_gb: float) -> list[str]:
    probes = options.checks * MINUTES_PER_DAY
    return [
        (
            f"{options.checks:,} sites, a probe a minute: {probes:,} samples a day. One day was written raw and"
            f" sealed by the agent's code; the other {options.days - 1} are that day with the sites exchanged."
        ),
        (
            f"raw: {found.raw_day_bytes / 1e6:,.0f} MB a day ({found.raw_day_bytes / probes:.1f} bytes a sample),"
            f" kept for 48 hours. Sealed: {found.sealed_day_bytes / 1e6:,.1f} MB a day"
            f" ({found.sealed_day_bytes / options.checks:,.0f} bytes a site), the ledger included."
            f" 13 months of {FULL_CHECKS:,} sites: {months_gb:.2f} GB by extrapolation;"
            f" a row for each sample: {naive_bytes * FULL_CHECKS * DAYS_KEPT / 1e9:,.0f} GB."
        ),
        (
            f"sealing a day, and dropping its raw samples: {found.seal_cpu_s:.1f} s of CPU"
            f" ({found.seal_cpu_s / probes * 1e6:.2f} us a sample), beside an event loop that was"
            f" {found.seal_worst_gap_ms:.0f} ms late at worst; other work on the machine shows here."
        ),
        (
            "A commit of the agent also writes the ledger's minutes and the newest sample of each check; the peer's"
            " has the samples only, and an hour of all sites before it. The peer's month of all sites is that of"
            f" {NAIVE_SITES} sites by extrapolation."
        ),
    ]


if __name__ == "__main__":
    main()
