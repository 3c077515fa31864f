"""Sealing when the world is bad: killed at any point, a full disk, a lock, two at once; and stores of before it."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from sentry.domain.day import MINUTES_PER_DAY, MS_PER_MINUTE, DayProbes, gather
from sentry.domain.day_blob import encode
from sentry.domain.errors import StoreUnavailable
from sentry.domain.ledger import MinuteState, Run, Totals
from sentry.domain.result import ProbeResult, Status
from sentry.ports import WatchRecord
from sentry.store import Store, open_store
from sentry.store.address import parse_address
from sentry.store.database import Database
from sentry.store.migrate import MIGRATIONS
from sentry.store.sealing import Sealing
from tests.contract import store_sealer
from tests.contract.conftest import HANDLERS, WAIT_S
from tests.fakes.clock import ManualClock
from tests.fakes.watch import record

ROOT = Path(__file__).parents[2]
DAY = 20_700
FIRST = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=DAY)
LATER = FIRST + timedelta(days=9)
KEYS = [f"site{place:03}/http" for place in range(120)]
EVERY = 120
UP = MinuteState.UP


def probed(key: str, minute: int) -> WatchRecord:
    when = FIRST + timedelta(minutes=minute, seconds=2)
    result = ProbeResult(key, when, when, 0.1 + minute / 10_000, Status.UP)
    return record(result, minutes=(Run(DAY * MINUTES_PER_DAY + minute, DAY * MINUTES_PER_DAY + minute + 1, UP),))


async def fill(store: Store, minutes: Sequence[int]) -> None:
    """One probe of every check in each of these minutes."""
    for minute in minutes:
        await store.watch.commit([probed(key, minute) for key in KEYS])


def expected_blob(minutes: Sequence[int]) -> bytes:
    """What a day of these minutes is sealed to, made without any store."""
    moments = [minute % MINUTES_PER_DAY * MS_PER_MINUTE + 2_000 for minute in minutes]
    durations = [round((0.1 + minute / 10_000) * 1e6) for minute in minutes]
    return encode(gather(DayProbes(moments, [0] * len(moments), durations))[0])


async def sealed(store: Store) -> tuple[set[tuple[int, bytes]], set[tuple[int, int, int]], int]:
    """Every blob by day, the probes and minutes up by summary, and how many rows there are."""
    async with store.database.read() as connection:
        blobs = (await connection.execute(text("SELECT day, blob FROM day_blobs"))).all()
        summaries = await connection.execute(text("SELECT day, slots, up FROM day_summaries"))
        return {(row.day, bytes(row.blob)) for row in blobs}, {tuple(row) for row in summaries}, len(blobs)


async def count(store: Store, table: str) -> int:
    async with store.database.read() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())  # noqa: S608  # a literal of this file


@pytest.mark.timeout(120)
async def test_agent_killed_while_it_seals_leaves_nothing_lost_or_counted_twice(address: str) -> None:
    """After kill -9, again and again, every probe is in its day once, and the raw ones went only when it was."""
    days = [list(range(0, MINUTES_PER_DAY, EVERY)), list(range(MINUTES_PER_DAY, 2 * MINUTES_PER_DAY, EVERY))]
    clock = ManualClock(LATER)
    async with open_store(address, handlers=HANDLERS, clock=clock) as store:
        await fill(store, days[0] + days[1])

    for wait_s in (0.005, 0.02, 0.04, 0.08, 0.16):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, store_sealer.__file__, address, LATER.isoformat()),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        await process.stdout.readline()
        await asyncio.sleep(wait_s)
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.communicate()
        async with open_store(address, handlers=HANDLERS, clock=clock) as store:
            found = await store.ledger.samples(KEYS[7], FIRST, LATER, 999)
            assert len(found) == len(days[0] + days[1])
            totals = await store.ledger.totals(DAY * MINUTES_PER_DAY, (DAY + 2) * MINUTES_PER_DAY)
            assert set(totals.values()) == {Totals(up=24, unknown=2 * MINUTES_PER_DAY - 24)}

    if address.startswith("sqlite"):
        with sqlite3.connect(address.removeprefix("sqlite:///")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
    async with open_store(address, handlers=HANDLERS, clock=clock) as store:
        assert await store.sealing.work(60)
        blobs, summaries, rows = await sealed(store)
        assert blobs == {(DAY + place, expected_blob(minutes)) for place, minutes in enumerate(days)}
        assert summaries == {(DAY, 12, 12), (DAY + 1, 12, 12)}
        assert rows == 2 * len(KEYS)
        assert await count(store, "samples") == 0


async def test_seal_on_a_full_disk_keeps_the_raw_samples_and_goes_on_once_there_is_room(tmp_path: Path) -> None:
    """SQLite says that it is full: nothing is half sealed, nothing is dropped, the watch may still write."""
    async with open_store(f"sqlite:///{tmp_path}/sentry.db", handlers=HANDLERS, clock=ManualClock(LATER)) as store:
        minutes = list(range(0, MINUTES_PER_DAY, 20))
        await fill(store, minutes)
        async with store.database.write() as connection:
            pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
            await connection.execute(text(f"PRAGMA max_page_count = {pages}"))

        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="full"):
                await store.sealing.work(60)
        assert await count(store, "samples") == len(minutes) * len(KEYS)
        assert len(await store.ledger.samples(KEYS[0], FIRST, LATER, 999)) == len(minutes)

        async with store.database.write() as connection:
            await connection.execute(text("PRAGMA max_page_count = 100000"))
        assert await store.sealing.work(60)
        assert (await sealed(store))[0] == {(DAY, expected_blob(minutes))}
        assert await count(store, "samples") == 0


async def test_seal_while_another_writes_for_long_gives_up_and_goes_on_later(store: Store, address: str) -> None:
    """The duty fails in time and is tried again; what was sealed by then stands."""
    await fill(store, range(0, 90, 30))
    clock = ManualClock(LATER)
    async with open_store(address, handlers=HANDLERS, clock=clock, wait_s=WAIT_S) as other:
        async with store.database.write() as connection:
            await connection.execute(text("UPDATE counters SET value = value"))
            with pytest.raises(StoreUnavailable):
                await other.sealing.work(60)
        assert await other.sealing.work(60)
        assert (await sealed(other))[0] == {(DAY, expected_blob(range(0, 90, 30)))}


async def test_two_that_seal_at_once_seal_what_one_would(store: Store, address: str) -> None:
    """There is one agent for a store; were there two, they would write the same bytes."""
    await fill(store, range(0, 2 * MINUTES_PER_DAY, 480))
    async with (
        open_store(address, handlers=HANDLERS, clock=ManualClock(LATER)) as one,
        open_store(address, handlers=HANDLERS, clock=ManualClock(LATER)) as other,
    ):
        await asyncio.gather(one.sealing.work(60), other.sealing.work(60))
        assert await one.sealing.work(60)
        blobs, summaries, rows = await sealed(one)
        assert summaries == {(DAY, 3, 3), (DAY + 1, 3, 3)}
        assert rows == 2 * len(KEYS) == 2 * len(blobs) * len(KEYS) // 2
        assert await count(one, "samples") == 0


async def test_watch_goes_on_while_a_day_is_sealed(store: Store) -> None:
    """Neither the writer nor the event loop is held for long: a batch is written between two slices."""
    await fill(store, range(0, MINUTES_PER_DAY, 60))
    sealing = asyncio.create_task(_sealing_of(store).work(60))
    loop = asyncio.get_running_loop()
    written, gaps, last = 0, [], loop.time()
    while not sealing.done():
        await store.watch.commit([probed(KEYS[0], 9 * MINUTES_PER_DAY + written)])
        written += 1
        await asyncio.sleep(0)
        gaps.append(loop.time() - last)
        last = loop.time()

    assert await sealing
    assert written >= 3
    assert max(gaps) < 1.0  # with a write in it; a held writer would take seconds on a busy machine


def _sealing_of(store: Store) -> Sealing:
    return Sealing(store.database, ManualClock(LATER))


async def test_ledger_after_a_write_that_failed_goes_on_from_what_stands(store: Store, address: str) -> None:
    """What the writer remembers is what was committed, whoever wrote meanwhile and whatever was taken back."""
    await store.watch.commit([probed("shop/http", 1)])
    await store.watch.commit([probed("shop/http", 2)])
    async with open_store(address, handlers=HANDLERS, clock=ManualClock(LATER), wait_s=WAIT_S) as other:
        async with other.database.write() as connection:
            await connection.execute(text("UPDATE counters SET value = value"))
            with pytest.raises(StoreUnavailable):
                await store.watch.commit([probed("shop/http", 3)])
        await other.watch.commit([probed("shop/http", 4)])

    await store.watch.commit([probed("shop/http", 5)])

    start = DAY * MINUTES_PER_DAY
    runs = await store.ledger.runs("shop", start, start + 99)
    assert runs == {"shop/http": [Run(start + 1, start + 3, UP), Run(start + 4, start + 6, UP)]}


def _upgrade(connection: Connection, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


async def _store_of_before(address: str) -> None:
    """Makes a store as the first version left it, with samples of three days."""
    database = Database(parse_address(address), wait_s=WAIT_S)
    rows = [
        {"id": check_id, "ms": (DAY * MINUTES_PER_DAY + minute) * MS_PER_MINUTE + 2_000, "us": 100_000 + minute * 100}
        for check_id in (1, 2)
        for minute in range(0, 3 * MINUTES_PER_DAY, EVERY)
    ]
    async with database.write() as connection:
        await connection.run_sync(_upgrade, "0001")
        await connection.execute(
            text(
                "INSERT INTO checks (id, key, site_key, first_seen_us) VALUES (1, 'a/x', 'a', 0), (2, 'b/x', 'b', 0)"
            )
        )
        sample = "INSERT INTO samples (check_id, scheduled_ms, kind, status, duration_us, tls_us)"
        await connection.execute(text(f"{sample} VALUES (:id, :ms, 0, 0, :us, 7)"), rows)
        await connection.execute(
            text(f"{sample[:-7]}reason) VALUES (1, :ms, 1, 1, 5, 'r')"), {"ms": rows[0]["ms"] + 30_000}
        )
    await database.aclose()


async def test_store_of_before_sealing_is_carried_over_whole(address: str) -> None:
    """A store with data opens, loses nothing, and the next nights seal what it had."""
    await _store_of_before(address)
    now = FIRST + timedelta(days=3)

    async with open_store(address, handlers=HANDLERS, clock=ManualClock(now)) as store:
        before = await store.ledger.samples("a/x", FIRST, now, 999)
        assert len(before) == 37
        assert before[0].phases == {"tls": 7e-6}
        assert (before[1].status, before[1].reason, before[1].kind, before[1].duration_s) == (
            "down",
            "r",
            "recheck",
            5e-6,
        )
        latest = await store.ledger.latest()
        assert {key: sample.scheduled_at for key, sample in latest.items()} == dict.fromkeys(
            ("a/x", "b/x"), before[-1].scheduled_at
        )
        assert await store.sealing.work(60)
        minutes = range(MINUTES_PER_DAY, 2 * MINUTES_PER_DAY, EVERY)
        assert (DAY + 1, expected_blob(minutes)) in (await sealed(store))[0]
        assert await count(store, "samples") == 2 * 24
        assert len(await store.ledger.samples("b/x", FIRST, now, 999)) == 36
