"""The pipe between agent and worker: whole messages, limits, and nobody who waits."""

import asyncio
import pickle
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from pydantic import AnyHttpUrl, SecretStr, TypeAdapter

from probes.http_options import HttpOptions
from sentry.app.workers.beat import Beat, beat_bytes, read_beat
from sentry.app.workers.commands import Recheck, Setup, Stage, pickled, unpickled
from sentry.app.workers.frames import FrameKind, Link
from sentry.app.workers.outbox import BATCH_BYTES, Outbox, WorkerTelemetry
from sentry.app.workers.results import ResultReader
from sentry.domain.result import Status
from sentry.ports import SampleKind
from sentry.settings.concealment import HIDDEN, Concealed, Curtain
from sentry.settings.model import Probing
from sentry.wheel import Finished
from tests.fakes.checks import START, make_check, make_result
from tests.fakes.results import a_bad_result

LIMIT = 1_000_000


@dataclass
class End:
    """One end of a pipe and what came out of it."""

    link: Link
    came: list[tuple[int, bytes]] = field(default_factory=list)


async def end_of(pipe: socket.socket, limit_bytes: int = LIMIT) -> End:
    """Takes one end of a socket pair."""
    came: list[tuple[int, bytes]] = []
    link = Link(lambda kind, payload: came.append((kind, payload)), limit_bytes=limit_bytes)
    pipe.settimeout(0)
    await asyncio.get_running_loop().create_unix_connection(lambda: link, sock=pipe)
    return End(link, came)


@asynccontextmanager
async def piped() -> AsyncIterator[tuple[End, socket.socket]]:
    """A link, and the bare other end of it."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(0)
    end = await end_of(ours)
    try:
        yield end, theirs
    finally:
        end.link.abort()
        theirs.close()
        await asyncio.wait([end.link.lost])


async def settle() -> None:
    """Lets the loop read what there is."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_messages_cut_anywhere_arrive_whole() -> None:
    """A stream has no borders: each byte may come by itself, and many messages at once."""
    messages = [(FrameKind.BEAT, b"one"), (FrameKind.STAGED, b""), (FrameKind.RESULTS, b"x" * 300)]
    stream = b"".join(struct.pack(">BI", kind, len(payload)) + payload for kind, payload in messages)
    async with piped() as (end, theirs):
        for position in range(len(stream)):
            theirs.send(stream[position : position + 1])
            await settle()
        theirs.send(stream)
        await settle()
    assert end.came == messages * 2


async def test_message_above_the_limit_cuts_the_link() -> None:
    """Four gigabytes are announced; not one byte of them is waited for."""
    async with piped() as (end, theirs):
        theirs.send(struct.pack(">BI", FrameKind.RESULTS, 2**32 - 1))
        why = await asyncio.wait_for(end.link.lost, 5)
    assert why is not None
    assert "4294967295 bytes" in why


async def test_end_of_the_other_side_is_seen() -> None:
    """That is how a worker learns that its agent is gone."""
    async with piped() as (end, theirs):
        theirs.close()
        assert await asyncio.wait_for(end.link.lost, 5) is None
        end.link.send(FrameKind.STOP)  # goes nowhere, and harms nobody


def finished(number: int) -> Finished:
    """A failure with a long body."""
    check = make_check(f"site{number}/http")
    return Finished(check, a_bad_result(check.key, body_head="x" * 1000), SampleKind.SLOT, 0.0)


async def test_worker_whose_agent_does_not_read_keeps_a_bounded_lot_and_counts_the_rest() -> None:
    """It never waits; what it kept arrives, in order, once the agent reads again."""
    async with piped() as (end, theirs):
        outbox = Outbox(end.link, Counter(), waiting_bytes=500_000)
        for number in range(5000):
            outbox.put(finished(number))
            if number % 50 == 0:
                outbox.flush()
        assert end.link.paused
        kept = 5000 - outbox.lost
        assert 500 < kept < 2000

        reader = await end_of(theirs)
        async with asyncio.timeout(10):
            while sum(len(keys) for keys in _keys(reader)) < kept:  # noqa: ASYNC110  # nobody tells of its end
                await asyncio.sleep(0.01)
        assert [key for keys in _keys(reader) for key in keys] == [f"site{number}/http" for number in range(kept)]
        assert max(len(payload) for _, payload in reader.came) < BATCH_BYTES + 5000
        reader.link.abort()


def _keys(end: End) -> list[list[str]]:
    rows = ResultReader()
    return [[one.result.check_key for one in rows.read(payload)[1]] for _, payload in end.came]


async def test_missed_slots_travel_with_the_result_that_tells_of_them() -> None:
    """The agent counts as many as the worker's wheel did, for the right check."""
    telemetry = WorkerTelemetry()
    async with piped() as (end, theirs):
        outbox = Outbox(end.link, telemetry.missed)
        outbox.generation = 7
        for _ in range(3):
            telemetry.slot_missed("shop/http")
        result = make_result(Status.UNKNOWN)
        outbox.put(Finished(make_check("shop/http"), result, SampleKind.MISSED, 0.0))
        outbox.put(Finished(make_check("shop/http"), result, SampleKind.MISSED, 0.0))
        outbox.flush()
        await settle()
        _, length = struct.unpack(">BI", theirs.recv(5))
        generation, arrivals = ResultReader().read(theirs.recv(length))
    assert generation == 7
    assert [one.missed_slots for one in arrivals] == [3, 0]


def test_figures_of_a_worker_travel_with_its_next_beat() -> None:
    """The worst lag, and sums; the jump of a clock that everybody sees is the agent's own to count."""
    telemetry = WorkerTelemetry()
    telemetry.gauge("loop_lag_seconds", 0.5)
    telemetry.gauge("loop_lag_seconds", 0.1)
    telemetry.count("stalls_total")
    telemetry.count("stalled_seconds_total", 2.5)
    telemetry.count("clock_jumps_total")
    beat = telemetry.beat(tick_age_s=0.01, running=4, lost=2)
    assert read_beat(beat_bytes(beat)) == Beat(0.01, 0.5, 4, 1, 2.5, 2)
    assert telemetry.beat(tick_age_s=0.01, running=0, lost=0) == Beat(0.01, 0.0, 0, 0, 0.0, 0)


@pytest.mark.parametrize("payload", [b"", b"{}", b"[1]", b'[1,2,3,4,5,"x"]', pickle.dumps(1)])
def test_beat_that_is_none_is_refused(payload: bytes) -> None:
    """A worker that was taken over says what it likes."""
    with pytest.raises(ValueError, match="validation error"):
        read_beat(payload)


def test_command_keeps_secrets_usable_and_unseen() -> None:
    """A password still works in the worker, and no representation shows it there either."""
    options = HttpOptions(username="shop", password=SecretStr("secret-1"))
    url = Concealed("http://shop.example/secret-2", "http://shop.example/${NAME}")
    check = make_check(options=options, url=url)
    command = Stage(3, (check,))
    arrived = unpickled(pickled(command))
    assert arrived == command
    assert arrived.checks[0].options.password.get_secret_value() == "secret-1"
    assert arrived.checks[0].url == "http://shop.example/secret-2"
    assert "secret-" not in repr(arrived)


def test_address_that_hides_itself_does_so_in_the_worker_too() -> None:
    """Its class is made at run time, so pickle alone could not bring it over."""
    url = TypeAdapter(AnyHttpUrl).validate_python("http://proxy:secret-3@proxy.example:3128/")
    hidden = Curtain({("url",): HIDDEN}).concealed({"url": url})["url"]
    arrived = unpickled(pickled(Recheck(hidden, datetime.now(UTC)))).check_key
    assert arrived == hidden
    assert str(arrived) == str(url)
    assert "secret-3" not in repr(arrived)


def test_setup_arrives_as_it_left() -> None:
    """How to probe is the agent's own section of the configuration."""
    setup = Setup(Probing(user_agent="ours", resolvers=("192.0.2.53",)), 17)
    assert unpickled(pickled(setup)) == setup
    assert unpickled(pickled(Recheck("shop/http", START))) == Recheck("shop/http", START)
