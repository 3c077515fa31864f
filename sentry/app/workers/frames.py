"""Messages over a stream: one byte that says what it is, four of its length, and that many bytes."""

import asyncio
from collections.abc import Callable
from enum import IntEnum
from struct import Struct

_HEAD = Struct(">BI")


class FrameKind(IntEnum):
    """Everything that the agent and its workers say to each other."""

    # agent to worker, pickled: only our own process can write on this end
    SETUP = 1
    """How to probe."""
    STAGE = 2
    """Prepare these checks; do not probe them yet."""
    SWITCH = 3
    """Probe those prepared as this generation, and no others."""
    RECHECK = 4
    """Probe one check once more."""
    STOP = 5
    """Hand over what was seen, and end."""
    STRETCH = 6
    """Probe only some slots of these checks."""

    # worker to agent, JSON: whoever wrote it may have been taken over by a hostile server
    BEAT = 16
    """Alive, with the figures of the last second."""
    STAGED = 17
    """The checks of a generation are prepared."""
    REFUSED = 18
    """They cannot be."""
    RESULTS = 19
    """What probes found."""


class BrokenFrame(Exception):  # noqa: N818  # caught where the link is cut; not an error that anybody else meets
    """The other side does not keep to the protocol."""


class Link(asyncio.Protocol):
    """One end of the pipe between the agent and a worker.

    Args:
        receive: called in the event loop with each message; `BrokenFrame` and `ValueError` cut the link.
        limit_bytes: a longer message cuts the link.

    Attributes:
        lost: done once the link is closed; holds why the link was cut, None where it just ended.
        paused: the other side reads more slowly than this one writes.
    """

    def __init__(self, receive: Callable[[int, bytes], None], *, limit_bytes: int) -> None:
        self._receive = receive
        self._limit_bytes = limit_bytes
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self.lost: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self.paused = False
        self.resumed: Callable[[], None] = lambda: None

    def send(self, kind: FrameKind, payload: bytes = b"") -> None:
        """Writes one message; never waits. What is sent over a closed link goes nowhere."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_HEAD.pack(kind, len(payload)) + payload)

    def close(self) -> None:
        """Closes the link once everything that was sent is on its way."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Closes the link at once."""
        if self._transport is not None:
            self._transport.abort()

    # ── asyncio.Protocol ─────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the way to write."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # a stream socket has one of these
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Takes the messages apart and hands each on."""
        self._buffer += data
        try:
            self._take_messages()
        except (BrokenFrame, ValueError) as error:
            self._end(f"does not keep to the protocol: {error}")
            self.abort()

    def _take_messages(self) -> None:
        begin, buffer = 0, self._buffer
        while not self.lost.done() and len(buffer) - begin >= _HEAD.size:
            kind, length = _HEAD.unpack_from(buffer, begin)
            if length > self._limit_bytes:
                raise BrokenFrame(f"a message of {length} bytes, more than {self._limit_bytes}")
            end = begin + _HEAD.size + length
            if len(buffer) < end:
                break
            self._receive(kind, bytes(buffer[begin + _HEAD.size : end]))
            begin = end
        del buffer[:begin]

    def pause_writing(self) -> None:
        """The buffer is full."""
        self.paused = True

    def resume_writing(self) -> None:
        """There is room again."""
        self.paused = False
        self.resumed()

    def connection_lost(self, error: Exception | None) -> None:
        """The other side is gone."""
        self._end(None if error is None else str(error))

    def _end(self, why: str | None) -> None:
        if not self.lost.done():
            self.lost.set_result(why)
