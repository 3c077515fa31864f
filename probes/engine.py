"""Drives probes: coroutines on non-blocking sockets, woken by readiness alone, with no asyncio task of their own.

An asyncio task and the loop's own reader and writer bookkeeping cost more than the rest of a probe together. So a
probe's coroutine is stepped directly when its socket is ready. Readiness comes from one edge-triggered epoll whose
own descriptor is a reader of the asyncio loop (`EpollReadiness`); where the system has no epoll, from the loop's own
selector (`LoopReadiness`). Deadlines are kept in coarse buckets, because a timer each would cost as much as a probe.

What may be awaited in a driven coroutine: a `Watched` socket, `PAUSE` and any asyncio future;
not what asks asyncio for the current task (`asyncio.timeout`, `TaskGroup`). The sockets can be awaited in an asyncio
task as well.
"""

import asyncio
import select
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, Protocol

TICK_S = 0.02
"""How coarse deadlines are, seconds: a probe ends at most this much after its deadline."""

BUFFER_BYTES = 262_144
"""Read into by every socket in turn; what stands in it is valid until the next wait."""

TURN_S = 0.004
"""How long ready sockets are served in a row before the loop gets its turn, seconds; a TLS handshake takes half a
millisecond, and hundreds may be ready at once."""

EVENTS_PER_POLL = 256
"""Ready sockets that the kernel is asked for at a time."""


class DeadlinePassedError(Exception):
    """Thrown into a coroutine at its deadline. No TimeoutError, which is an OSError and would pass for a socket's."""


class Readiness(Protocol):
    """Tells when a socket can go on."""

    def watch(self, socket: "Watched") -> None:
        """Begins with a socket that is new."""
        ...

    def arm(self, socket: "Watched") -> None:
        """Asks to be told once, when what is waited for can be done."""
        ...

    def forget(self, socket: "Watched") -> None:
        """Ends, before the socket is closed."""
        ...

    def close(self) -> None:
        """Frees what it holds of the loop."""
        ...


class Watched:
    """A socket's place in the engine: who is to go on when it is ready.

    It is awaited until it may be read or, where `writing`, written. It may wake for nothing, so try and wait again.

    Attributes:
        fd: its descriptor.
        ready: whether it may hold something to read. Whoever reads it empty says False; only an edge says True again.
        hung_up: whether the peer has closed or an error waits, for which no further edge may come.
        writing: whether it is waited for to be written, and not to be read.
        wake: what to call at the next edge.
    """

    __slots__ = ("_engine", "_readiness", "fd", "hung_up", "ready", "wake", "writing")

    def __init__(self, engine: "Engine", fd: int) -> None:
        """Begins to watch a socket, which must be forgotten before it is closed.

        Raises:
            OSError: this machine has no room for a further one.
        """
        self._engine = engine
        self.fd = fd
        self.ready = self.hung_up = self.writing = False
        self.wake: Callable[[], object] | None = None
        self._readiness = engine.readiness
        self._readiness.watch(self)

    def forget(self) -> None:
        """Ends the watch."""
        self.wake = None
        self._readiness.forget(self)

    def __await__(self) -> Generator[Any]:
        attempt = self._engine.driven
        if attempt is not None:
            self.wake = attempt.step
            self._readiness.arm(self)
            yield self
            return
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.wake = partial(_settle, ready)
        self._readiness.arm(self)
        yield from ready


def _settle(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


EPOLLIN, EPOLLPRI, EPOLLOUT, EPOLLERR, EPOLLHUP, EPOLLRDHUP, EPOLLET = 0x1, 0x2, 0x4, 0x8, 0x10, 0x2000, 1 << 31
"""Of sys/epoll.h; Python's own names are missing where there is no epoll."""


class EpollReadiness:
    """One edge-triggered epoll for every socket, nested in the asyncio loop."""

    # A read ends at urgent data (EPOLLPRI) although more is there, and no edge tells of that.
    ENDS = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI
    READABLE = EPOLLIN | ENDS
    EDGES = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Opens the epoll.

        Raises:
            OSError: this machine has no descriptor left.
        """
        self._loop = loop
        self._epoll = select.epoll()
        self._sockets: dict[int, Watched] = {}
        self._new: set[int] = set()
        self._events: list[tuple[int, int]] = []
        loop.add_reader(self._epoll.fileno(), self._drain)

    def watch(self, socket: Watched) -> None:
        """Registers it for every edge, once and for all."""
        self._sockets[socket.fd] = socket
        self._new.add(socket.fd)
        self._epoll.register(socket.fd, self.EDGES)

    def arm(self, socket: Watched) -> None:
        """Does nothing: every edge is told."""

    def forget(self, socket: Watched) -> None:
        """The kernel drops it when it is closed."""
        del self._sockets[socket.fd]

    def close(self) -> None:
        """Closes the epoll."""
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()

    def _drain(self) -> None:
        """Lets those go on whose sockets are ready, for one turn; the rest of what was told waits for the next."""
        events, new = self._events, self._new
        if not events:
            new.clear()
            events += self._epoll.poll(0, EVENTS_PER_POLL)
            events.reverse()
        turn_ends = self._loop.time() + TURN_S
        while events:
            fd, edges = events.pop()
            socket = self._sockets.get(fd)
            # A descriptor closed and opened again since the edge was told must not get its predecessor's.
            if socket is None or fd in new:
                continue
            if edges & self.READABLE:
                socket.ready = True
                socket.hung_up = edges & self.ENDS != 0
            wake, socket.wake = socket.wake, None
            if wake is not None:
                wake()
            if events and self._loop.time() > turn_ends:
                self._loop.call_soon(self._drain)
                return


class LoopReadiness:
    """The asyncio loop's own selector, for systems without epoll."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def watch(self, socket: Watched) -> None:
        """Waits for `arm`."""

    def arm(self, socket: Watched) -> None:
        """Adds a reader or a writer until it is woken."""
        add = self._loop.add_writer if socket.writing else self._loop.add_reader
        add(socket.fd, self._wake, socket)

    def forget(self, socket: Watched) -> None:
        """Removes what is left."""
        self._loop.remove_reader(socket.fd)
        self._loop.remove_writer(socket.fd)

    def close(self) -> None:
        """Holds nothing of its own."""

    def _wake(self, socket: Watched) -> None:
        self.forget(socket)
        socket.ready = not socket.writing
        wake, socket.wake = socket.wake, None
        if wake is not None:
            wake()


ReadinessKind = Callable[[asyncio.AbstractEventLoop], Readiness]
BEST_READINESS: ReadinessKind = EpollReadiness if hasattr(select, "epoll") else LoopReadiness


class Engine:
    """The sockets and deadlines of every driven probe of one event loop.

    Attributes:
        readiness: where the sockets are watched; there once something was started.
        driven: the attempt whose coroutine runs at this moment, None in anybody else's code.
    """

    def __init__(self, readiness: ReadinessKind = BEST_READINESS) -> None:
        """Prepares; it binds itself to the event loop in which it is first used, and anew once that is closed.

        Args:
            readiness: how readiness is learnt.
        """
        self._kind = readiness
        self._loop: asyncio.AbstractEventLoop | None = None
        self._readiness: Readiness | None = None
        self._deadlines: dict[int, set[Attempt]] = {}
        self._ticked = 0
        self._ticking = False
        self.driven: Attempt | None = None
        self.buffer = memoryview(bytearray(BUFFER_BYTES))

    @property
    def readiness(self) -> Readiness:
        """Where the sockets are watched.

        Raises:
            OSError: this machine has no descriptor left for it.
        """
        loop = self._bound()
        if self._readiness is None:
            self._readiness = self._kind(loop)
        return self._readiness

    def start(self, coroutine: Coroutine[Any, Any, object], deadline_s: float) -> "Attempt":
        """Runs a coroutine up to its first wait, and on from there as its sockets allow.

        Args:
            coroutine: at the deadline DeadlinePassedError is thrown into it; what it raises is our own bug and goes
                to the loop's exception handler.
            deadline_s: seconds from now.
        """
        loop = self._bound()
        due = int((loop.time() + deadline_s) / TICK_S) + 1
        attempt = Attempt(self, coroutine, due)
        bucket = self._deadlines.get(due)
        if bucket is None:
            bucket = self._deadlines[due] = set()
        bucket.add(attempt)
        if not self._ticking:
            self._ticking = True
            self._ticked = int(loop.time() / TICK_S)
            loop.call_later(TICK_S, self._tick)
        attempt.step()
        return attempt

    def release(self, attempt: "Attempt") -> None:
        """Forgets the deadline of an attempt that has ended."""
        bucket = self._deadlines.get(attempt.due)
        if bucket is not None:
            bucket.discard(attempt)

    def _bound(self) -> asyncio.AbstractEventLoop:
        # Whether the loop is closed is asked because `get_running_loop` makes a system call (getpid) before 3.12.
        if self._loop is None or self._loop.is_closed():
            self._loop, self._readiness = asyncio.get_running_loop(), None
            self._deadlines, self._ticking = {}, False
        return self._loop

    def call_later(self, seconds: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        """Calls back once, after this many seconds."""
        return self._bound().call_later(seconds, callback)

    def left_s(self, due: int) -> float:
        """Returns how many seconds are left until a deadline."""
        return max(0.0, due * TICK_S - self._bound().time())

    def call_soon(self, callback: Callable[[], object]) -> None:
        """Calls back at the loop's next turn."""
        self._bound().call_soon(callback)

    def _tick(self) -> None:
        loop = self._bound()
        now = int(loop.time() / TICK_S)
        for due in range(self._ticked + 1, now + 1):
            for attempt in tuple(self._deadlines.get(due, ())):
                attempt.throw(DeadlinePassedError())
            self._deadlines.pop(due, None)
        self._ticked = now
        if self._deadlines:
            loop.call_later(TICK_S, self._tick)
        else:
            self._ticking = False


class Attempt:
    """One coroutine being driven; fills `ProbeHandle`."""

    __slots__ = ("_coroutine", "_engine", "_future", "_send", "due")

    def __init__(self, engine: Engine, coroutine: Coroutine[Any, Any, object], due: int) -> None:
        self._engine = engine
        self._coroutine: Coroutine[Any, Any, object] | None = coroutine
        self._send = coroutine.send
        self._future: asyncio.Future[Any] | None = None
        self.due = due

    @property
    def left_s(self) -> float:
        """How many seconds are left of its deadline."""
        return self._engine.left_s(self.due)

    def step(self) -> None:
        """Lets the coroutine run to its next wait. Does nothing while it waits for a future, or once it has ended."""
        if self._coroutine is not None and self._future is None:
            self._run(self._send, None)

    def throw(self, error: BaseException) -> None:
        """Raises an exception where the coroutine waits."""
        if self._coroutine is not None:
            self._drop_future()
            self._run(self._coroutine.throw, error)

    def cancel(self) -> None:
        """Stops it; its `finally` blocks run. Does nothing once it has ended, or from within itself."""
        if self._coroutine is not None and self._engine.driven is not self:
            coroutine = self._coroutine
            self._end()
            self._drop_future()
            coroutine.close()

    def _run(self, go_on: Callable[[Any], object], value: object) -> None:
        engine = self._engine
        before, engine.driven = engine.driven, self
        try:
            wanted = go_on(value)
        except StopIteration:
            self._end()
        except Exception as error:  # noqa: BLE001  # one probe's bug must not cost the others their events
            self._end()
            told = {"message": "a probe's coroutine failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(told)
        else:
            if not isinstance(wanted, Watched):
                self._wait_for(wanted)
        finally:
            engine.driven = before

    def _end(self) -> None:
        self._coroutine = None
        self._engine.release(self)

    def _wait_for(self, wanted: object) -> None:
        if wanted is None:
            self._engine.call_soon(self.step)
            return
        if not isinstance(wanted, asyncio.Future):
            raise TypeError(f"{wanted!r} cannot be awaited in a driven coroutine")
        wanted._asyncio_future_blocking = False  # as asyncio's Task does: the wait was seen  # noqa: SLF001
        self._future = wanted
        wanted.add_done_callback(self._future_done)

    def _future_done(self, future: "asyncio.Future[Any]") -> None:
        if future is self._future:
            self._future = None
            self.step()

    def _drop_future(self) -> None:
        future, self._future = self._future, None
        if future is not None:
            future.cancel()


class _Pause:
    """Gives the loop its turn, and goes on after it."""

    def __await__(self) -> Generator[None]:
        yield


PAUSE = _Pause()
"""`await PAUSE` between long stretches of work: other probes go on meanwhile."""
