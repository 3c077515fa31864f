"""What happens to the store when the world is bad: locked, full, killed, gone, cancelled, damaged."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from sentry.domain.errors import StoreError, StoreUnavailable
from sentry.domain.ledger import MinuteState, Run
from sentry.ports import Observation, TicketNote
from sentry.store import Store, open_store
from tests.contract import store_writer
from tests.contract.conftest import HANDLERS, WAIT_S, start_or_skip
from tests.fakes.clock import ManualClock
from tests.fakes.postgres import PostgresServer
from tests.fakes.watch import NOON, minute, record, up

ROOT = Path(__file__).parents[2]
BATCH = [record(up(f"site{place}/http"), minutes=(Run(1, 2, MinuteState.UP),)) for place in range(50)]


async def _writer(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        store_writer.__file__,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


async def _count(store: Store, table: str) -> int:
    async with store.database.read() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())  # noqa: S608  # a literal of this file


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    return tmp_path / "sentry.db"


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    server = PostgresServer()
    try:
        start_or_skip(server)
        yield server
    finally:
        server.stop()


async def test_commit_while_another_process_holds_the_lock_fails_and_succeeds_after(
    sqlite_file: Path, clock: ManualClock
) -> None:
    """A really locked SQLite: the write gives up in time, readers go on, and the same batch is written afterwards."""
    async with open_store(f"sqlite:///{sqlite_file}", handlers=HANDLERS, clock=clock, wait_s=WAIT_S) as store:
        other = sqlite3.connect(sqlite_file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        async with asyncio.timeout(3):
            with pytest.raises(StoreUnavailable, match="locked"):
                await store.watch.commit(BATCH)
            assert await store.ledger.latest() == {}

        other.execute("ROLLBACK")
        other.close()
        await store.watch.commit(BATCH)
        assert await _count(store, "samples") == len(BATCH)


async def test_reads_while_a_write_is_under_way_answer_with_the_state_before_it(store: Store) -> None:
    """Pages and commands never wait for the writer."""
    await store.watch.commit(BATCH[:1])
    async with store.database.write() as connection:
        await connection.execute(text("DELETE FROM samples"))
        async with asyncio.timeout(2):
            assert len(await store.ledger.latest()) == 1


async def test_many_writers_at_once_wait_for_each_other(store: Store) -> None:
    """Writes from many tasks are put in a row and none is lost."""
    note = TicketNote("sentry", "text")

    async def file(place: int) -> int:
        filed = await store.tickets.file(key=str(place), site_key="s", client_key="c", title="t", note=note, at=NOON)
        return filed.number

    numbers = await asyncio.gather(*(file(place) for place in range(30)))

    assert sorted(numbers) == list(range(1, 31))
    assert await store.tickets.verify() == []


async def test_commit_on_a_full_database_writes_nothing_and_goes_on_once_there_is_room(
    sqlite_file: Path, clock: ManualClock
) -> None:
    """SQLite says that it is full: the batch is refused whole, and written whole when it is tried again."""
    async with open_store(f"sqlite:///{sqlite_file}", handlers=HANDLERS, clock=clock, wait_s=WAIT_S) as store:
        await store.watch.commit(BATCH[:2])
        big = [record(up(f"s{place}/http", detail="x" * 90), events=()) for place in range(5_000)]
        async with store.database.write() as connection:
            pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
            await connection.execute(text(f"PRAGMA max_page_count = {pages + 3}"))

        with pytest.raises(StoreUnavailable, match="full"):
            await store.watch.commit(big)
        assert await _count(store, "samples") == 2
        assert len(await store.checks.known()) == 2

        async with store.database.write() as connection:
            await connection.execute(text("PRAGMA max_page_count = 100000"))
        await store.watch.commit(big)
        assert await _count(store, "samples") == 5_002


async def test_file_tickets_until_no_file_can_grow_loses_none_and_leaves_no_gap(
    sqlite_file: Path, clock: ManualClock
) -> None:
    """The operating system refuses to write on: what was acknowledged is there, what was refused is not."""
    process = await _writer("fill", f"sqlite:///{sqlite_file}", "x")
    output, _ = await process.communicate()
    assert process.returncode == 0

    async with open_store(f"sqlite:///{sqlite_file}", handlers=HANDLERS, clock=clock) as store:
        filed = int(output)
        assert filed > 1
        assert [ticket.number for ticket in await store.tickets.list()] == list(range(filed, 0, -1))
        assert await store.tickets.verify() == []
    _check_integrity(sqlite_file)


async def test_agent_killed_while_it_commits_leaves_only_whole_batches(address: str, clock: ManualClock) -> None:
    """After kill -9 every acknowledged batch is there, at most one more, and no part of any other."""
    acknowledged = 0
    for wait_s in (0.25, 0.4):
        process = await _writer("batches", address, "x")
        assert process.stdout is not None
        await process.stdout.readline()
        await asyncio.sleep(wait_s)
        process.send_signal(signal.SIGKILL)
        lines = (await process.communicate())[0].split()
        acknowledged = max([acknowledged, 1, *(int(line) for line in lines)])

    if address.startswith("sqlite"):
        _check_integrity(Path(address.removeprefix("sqlite:///")))
    async with open_store(address, handlers=HANDLERS, clock=clock) as store:
        samples, events = await _count(store, "samples"), await _count(store, "events")
        batches, rest = divmod(samples, store_writer.BATCH)
        assert rest == 0
        assert batches >= acknowledged > 1
        assert events == samples
        assert await _count(store, "event_handlings") == events
        for check in range(store_writer.BATCH):
            (runs,) = (await store.ledger.runs(f"site{check}", 0, 10_000)).values()
            assert sum(run.minutes for run in runs) == batches


async def test_two_processes_filing_tickets_at_once_leave_no_gap(address: str, clock: ManualClock) -> None:
    """The agent and a command write at the same time: numbers stay without gaps and the chain holds."""
    processes = [await _writer("tickets", address, name) for name in ("agent", "command")]
    for process in processes:
        await process.communicate()
        assert process.returncode == 0

    async with open_store(address, handlers=HANDLERS, clock=clock) as store:
        filed = await store.tickets.list(limit=1_000)
        assert [ticket.number for ticket in filed] == list(range(2 * store_writer.TICKETS, 0, -1))
        assert {ticket.title for ticket in filed} == {"agent", "command"}
        assert await store.tickets.verify() == []


async def test_store_of_an_agent_takes_no_second_agent_but_every_command(address: str, clock: ManualClock) -> None:
    """The second is refused with the store's name and no password; once the first is gone there is room again."""
    async with (
        open_store(address, handlers=HANDLERS, clock=clock, wait_s=WAIT_S) as first,
        open_store(address, handlers=HANDLERS, clock=clock, wait_s=WAIT_S) as second,
    ):
        async with first.database.sole_agent():
            await second.watch.commit(BATCH)
            with pytest.raises(StoreUnavailable, match=r"another agent works on .*sentry"):
                async with second.database.sole_agent():
                    pass
            await first.watch.commit(BATCH)
        async with second.database.sole_agent():
            pass


async def test_commit_that_is_cancelled_leaves_nothing_half_written(store: Store) -> None:
    """A task that is stopped while it writes leaves all or nothing, and a store that works."""
    for steps in range(1, 60, 3):
        task = asyncio.create_task(
            store.watch.commit([record(up(at=minute(steps))), record(up("b/c", minute(steps)))])
        )
        for _ in range(steps):
            await asyncio.sleep(0.0005)
            if task.done():
                break
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await store.watch.commit(BATCH)
    samples = await store.ledger.samples("shop/http", NOON, minute(99), 999)
    assert len(samples) == len(await store.ledger.samples("b/c", NOON, minute(99), 999))
    assert await _count(store, "samples") == 2 * len(samples) + len(BATCH)


async def test_postgres_that_goes_away_and_comes_back_is_used_again(
    own_postgres: PostgresServer, clock: ManualClock
) -> None:
    """A database that is restarted costs the writes of that time, which the watch repeats, and nothing else."""
    address = own_postgres.empty_database()
    async with open_store(address, handlers=HANDLERS, clock=clock, wait_s=WAIT_S) as store:
        await store.watch.commit(BATCH[:1])
        own_postgres.halt()

        with pytest.raises(StoreUnavailable):
            await store.watch.commit(BATCH)
        with pytest.raises(StoreUnavailable):
            await store.ledger.latest()

        own_postgres.launch()
        await store.watch.commit(BATCH)
        assert await _count(store, "samples") == len(BATCH)


async def _cannot_be_opened(file: Path, clock: ManualClock) -> None:
    with pytest.raises(StoreError, match="not a database"):
        async with open_store(f"sqlite:///{file}", handlers=HANDLERS, clock=clock):
            pass


def test_open_a_file_that_is_no_database_says_so(sqlite_file: Path, clock: ManualClock) -> None:
    """A wrong file is not overwritten."""
    sqlite_file.write_text("These are my notes, and certainly not a database of anything at all. " * 20)
    before = sqlite_file.read_bytes()

    asyncio.run(_cannot_be_opened(sqlite_file, clock))

    assert sqlite_file.read_bytes() == before


def _check_integrity(file: Path) -> None:
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


async def test_observation_that_is_damaged_is_left_out_and_costs_no_other(store: Store) -> None:
    """An agent must start whatever a disk has done to what it can find out again."""
    for subject in ("a.example", "b.example"):
        await store.observations.keep("domain", subject, Observation(NOON, {"domain": subject}))
    async with store.database.write() as connection:
        await connection.execute(text("UPDATE findings SET facts = '{\"domain\": ' WHERE subject = 'a.example'"))

    assert await store.observations.all("domain") == {"b.example": Observation(NOON, {"domain": "b.example"})}
