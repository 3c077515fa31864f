"""The engine: coroutines stepped by readiness, on both kinds of it, with deadlines that need no timer each."""

import asyncio
import gc
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from probes.connection import Connection
from probes.engine import (
    BUFFER_BYTES,
    PAUSE,
    TICK_S,
    DeadlinePassedError,
    Engine,
    EpollReadiness,
    LoopReadiness,
    ReadinessKind,
)
from probes.trace import Trace
from sentry.clock import SystemClock

pytestmark = pytest.mark.promise("001-29")

KINDS: tuple[ReadinessKind, ...] = (EpollReadiness, LoopReadiness)
LONG_S = 30.0


@pytest.fixture(params=KINDS, ids=["epoll", "loop"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """An engine of each kind of readiness."""
    return Engine(request.param)


class Pair:
    """A connection of the engine and its peer."""

    def __init__(self, engine: Engine) -> None:
        ours, self.peer = socket.socketpair()
        self.fd = ours.detach()
        opened = socket.SocketType(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, 0, self.fd)
        opened.setblocking(False)  # noqa: FBT003  # the standard library's own signature; a given one keeps its mode
        self.connection = Connection(opened, engine, "127.0.0.1", 1, Trace(SystemClock()))


@pytest.fixture
def pairs() -> Iterator[Callable[[Engine], Pair]]:
    """Makes pairs, and closes what a test leaves open."""
    made: list[Pair] = []

    def make(engine: Engine) -> Pair:
        made.append(Pair(engine))
        return made[-1]

    yield make
    for pair in made:
        pair.peer.close()
        pair.connection.close()


async def soon(condition: Callable[[], object], within_s: float = 5.0) -> None:
    """Waits until something holds."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  # there is nothing to be told by
            await asyncio.sleep(0.005)


def _is_last(heard: list[bytes], word: bytes) -> bool:
    return heard[-1:] == [word]


async def test_attempt_is_stepped_when_its_socket_is_ready(engine: Engine, pairs: Callable[[Engine], Pair]) -> None:
    """Each arrival wakes the coroutine, and the end of the stream is an empty read."""
    pair, heard = pairs(engine), list[bytes]()

    async def listen() -> None:
        while data := bytes(await pair.connection.receive()):
            heard.append(data)
        heard.append(b"end")

    engine.start(listen(), LONG_S)
    for word in (b"one", b"two"):
        pair.peer.send(word)
        await soon(partial(_is_last, heard, word))
    pair.peer.close()
    await soon(lambda: heard[-1] == b"end")
    assert heard == [b"one", b"two", b"end"]


async def test_last_bytes_and_the_end_in_one_edge_are_both_read(
    engine: Engine, pairs: Callable[[Engine], Pair]
) -> None:
    """Where data and the peer's farewell come together there is one edge only; neither may be waited for in vain."""
    pair, heard = pairs(engine), list[bytes]()

    async def listen() -> None:
        heard.extend([bytes(await pair.connection.receive()), bytes(await pair.connection.receive())])

    pair.peer.send(b"last words")
    pair.peer.close()
    engine.start(listen(), LONG_S)
    await soon(lambda: len(heard) == 2)
    assert heard == [b"last words", b""]


async def test_send_larger_than_the_socket_takes_waits_for_the_peer(
    engine: Engine, pairs: Callable[[Engine], Pair]
) -> None:
    """What does not go at once goes when there is room."""
    pair, sent = pairs(engine), list[bool]()
    data = os.urandom(4 * BUFFER_BYTES)

    async def send() -> None:
        await pair.connection.send(data)
        sent.append(True)

    engine.start(send(), LONG_S)
    assert not sent
    got = b""
    loop = asyncio.get_running_loop()
    pair.peer.setblocking(False)  # noqa: FBT003  # the standard library's own signature
    while len(got) < len(data):
        got += await asyncio.wait_for(loop.sock_recv(pair.peer, BUFFER_BYTES), 5)
    await soon(lambda: sent)
    assert got == data


async def test_deadline_ends_an_attempt_within_a_tick(engine: Engine, pairs: Callable[[Engine], Pair]) -> None:
    """The deadline is raised where the coroutine waits; its clean-up runs."""
    pair, ended = pairs(engine), list[float]()
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def listen() -> None:
        try:
            with pair.connection:
                await pair.connection.receive()
        except DeadlinePassedError:
            ended.append(loop.time() - began)

    engine.start(listen(), 0.1)
    await soon(lambda: ended)
    assert ended[0] >= 0.1
    assert ended[0] < 0.1 + 2 * TICK_S + 0.5  # half a second for a machine that is busy
    assert pair.connection._socket.fileno() == -1  # that it is closed shows nowhere else


async def test_attempt_that_ended_has_no_deadline_any_more(engine: Engine) -> None:
    """Nothing is raised into a coroutine that has returned, neither by its deadline nor by a late caller."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    async def nothing() -> None:
        await asyncio.sleep(0)

    attempt = engine.start(nothing(), 0.05)
    await asyncio.sleep(0.15)
    attempt.throw(AssertionError("it has ended"))
    attempt.cancel()
    assert not told


async def test_cancelled_attempt_closes_its_socket_and_hears_nothing_more(
    engine: Engine, pairs: Callable[[Engine], Pair]
) -> None:
    """`cancel` runs the clean-up at once; bytes that come later wake nobody."""
    pair, heard = pairs(engine), list[bytes]()

    async def listen() -> None:
        with pair.connection:
            heard.append(bytes(await pair.connection.receive()))

    attempt = engine.start(listen(), LONG_S)
    attempt.cancel()
    assert pair.connection._socket.fileno() == -1  # that it is closed shows nowhere else
    with suppress(BrokenPipeError):
        pair.peer.send(b"too late")
    await asyncio.sleep(0.02)
    assert not heard


async def test_cancelled_while_it_waits_for_a_future_cancels_that_too(engine: Engine) -> None:
    """A lookup under way is not left behind, where its failure would be nobody's."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait() -> None:
        await future

    engine.start(wait(), LONG_S).cancel()
    assert future.cancelled()


async def test_future_is_awaited_like_a_socket(engine: Engine) -> None:
    """What asyncio's own future brings, a value or an error, comes out of the `await`."""
    loop, seen = asyncio.get_running_loop(), list[object]()
    good: asyncio.Future[int] = loop.create_future()
    bad: asyncio.Future[int] = loop.create_future()

    async def wait() -> None:
        seen.append(await good)
        try:
            await bad
        except ValueError as error:
            seen.append(error)

    engine.start(wait(), LONG_S)
    good.set_result(7)
    await asyncio.sleep(0.01)
    error = ValueError("said no")
    bad.set_exception(error)
    await soon(lambda: len(seen) == 2)
    assert seen == [7, error]


async def test_pause_lets_others_go_on_between_long_stretches(engine: Engine) -> None:
    """Two attempts that pause take turns."""
    turns: list[str] = []

    async def work(name: str) -> None:
        for _ in range(3):
            turns.append(name)
            await PAUSE

    engine.start(work("a"), LONG_S)
    engine.start(work("b"), LONG_S)
    await soon(lambda: len(turns) == 6)
    assert turns == ["a", "b", "a", "b", "a", "b"]


async def test_flood_from_one_peer_leaves_the_loop_to_others(engine: Engine, pairs: Callable[[Engine], Pair]) -> None:
    """A peer that never stops sending is read in shares; the loop beats on meanwhile."""
    pair = pairs(engine)
    pair.peer.setblocking(False)  # noqa: FBT003  # the standard library's own signature
    read, beats = 0, 0

    async def swallow() -> None:
        nonlocal read
        while read < 200 * BUFFER_BYTES:
            read += len(await pair.connection.receive())
            with suppress(BlockingIOError):
                pair.peer.send(b"x" * BUFFER_BYTES)

    pair.peer.send(b"x" * 1000)
    engine.start(swallow(), LONG_S)
    while read < 200 * BUFFER_BYTES:
        await asyncio.sleep(0)
        beats += 1
    assert beats > 10


async def test_bug_in_one_coroutine_costs_no_other_its_wake_up(
    engine: Engine, pairs: Callable[[Engine], Pair]
) -> None:
    """What a coroutine raises goes to the loop's exception handler; those that are ready with it still go on."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    broken, sound, heard = pairs(engine), pairs(engine), list[bytes]()

    async def fail() -> None:
        await broken.connection.receive()
        raise RuntimeError("a bug of ours")

    async def listen() -> None:
        heard.append(bytes(await sound.connection.receive()))

    engine.start(fail(), LONG_S)
    engine.start(listen(), LONG_S)
    broken.peer.send(b"x")
    sound.peer.send(b"heard")
    await soon(lambda: heard)
    assert heard == [b"heard"]
    assert str(told[0]["exception"]) == "a bug of ours"


async def test_descriptor_used_again_in_the_same_batch_gets_no_edge_of_its_predecessor(
    engine: Engine, pairs: Callable[[Engine], Pair]
) -> None:
    """One attempt closes another's socket and opens a new one of the same number, while both have edges waiting."""
    first, second = pairs(engine), pairs(engine)
    opened: list[Pair] = []

    async def swap() -> None:
        await first.connection.receive()
        second.connection.close()
        opened.append(pairs(engine))

    async def listen() -> None:
        with suppress(OSError):
            await second.connection.receive()

    engine.start(swap(), LONG_S)
    victim = engine.start(listen(), LONG_S)
    first.peer.send(b"x")
    second.peer.send(b"x")
    await soon(lambda: opened)
    await asyncio.sleep(0.02)
    victim.cancel()
    assert opened[0].fd == second.fd
    assert not opened[0].connection.ready


async def test_connection_can_be_awaited_in_a_task_too(engine: Engine, pairs: Callable[[Engine], Pair]) -> None:
    """The evidence collector uses the same connections in asyncio tasks."""
    pair = pairs(engine)
    task = asyncio.create_task(pair.connection.receive())
    await asyncio.sleep(0.01)
    pair.peer.send(b"hola")
    assert bytes(await asyncio.wait_for(task, 5)) == b"hola"


def test_engine_binds_itself_to_the_next_loop(engine: Engine) -> None:
    """An engine outlives its loop; deadlines and sockets of the next one are its own."""

    async def once() -> list[bytes]:
        pair, heard = Pair(engine), list[bytes]()

        async def listen() -> None:
            with pair.connection:
                heard.append(bytes(await pair.connection.receive()))

        engine.start(listen(), LONG_S)
        pair.peer.send(b"hola")
        await soon(lambda: heard)
        pair.peer.close()
        return heard

    assert [asyncio.run(once()) for _ in range(3)] == [[b"hola"]] * 3


async def test_ended_attempts_leave_nothing_for_the_collector(
    engine: Engine, pairs: Callable[[Engine], Pair]
) -> None:
    """A cycle per probe would cost a collection every few probes, and keep every page until then."""
    gc.collect()

    async def listen(pair: Pair) -> None:
        with pair.connection:
            await pair.connection.receive()

    gc.disable()
    try:
        for _ in range(20):
            pair = pairs(engine)
            attempt = engine.start(listen(pair), 0.01)
            pair.peer.send(b"x")
            await asyncio.sleep(0.001)
            del attempt
        found = gc.collect()
    finally:
        gc.enable()
    assert found < 20
