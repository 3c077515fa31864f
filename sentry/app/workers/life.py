"""One process of a worker, from its start to its end, as the agent sees it."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol, Self

import structlog

from sentry.app.workers.beat import Beat, read_beat, read_generation, read_refusal
from sentry.app.workers.commands import Recheck, Setup, Stage, Stretch, Switch, pickled
from sentry.app.workers.frames import BrokenFrame, FrameKind, Link
from sentry.app.workers.results import Arrival, ResultReader
from sentry.domain.site import Check

COMMAND = (sys.executable, "-P", "-m", "sentry.app.workers.process")
"""A fresh interpreter: a fork of the agent would take its open files, its threads and its secrets with it."""

MAX_FRAME_BYTES = 8 * 1024 * 1024
"""Of what a worker says: a batch, its last row and the certificates in it."""

SILENT_LOOKS = 10
"""Looks that find no word of a worker before it is cut: it is frozen, or hangs in a loop.

Looks and not seconds: an agent that itself stood still for an hour has looked once."""

STARTING_LOOKS = 60
"""The same for a process that has not said anything yet: a machine under load takes its time to start Python."""

DRAIN_WITHIN_S = 3.0
"""At an orderly stop, a worker hands over what it has seen within this time."""

ENDS_WITHIN_S = 1.0
"""A process whose pipe is closed has ended within this time, or is killed."""

_log = structlog.get_logger()


class Listener(Protocol):
    """Takes what a worker says. Called in the event loop."""

    def arrived(self, generation: int, arrivals: list[Arrival]) -> None:
        """Probes of the checks of a generation ended."""
        ...

    def beaten(self, beat: Beat) -> None:
        """The worker is alive."""
        ...

    def staged(self) -> None:
        """Another set of checks is prepared."""
        ...


class Life:
    """A running worker.

    Args:
        number: of the worker, for the log.
        listener: told what it says.

    Attributes:
        in_force: the generation of checks that it probes, 0 before the first.
    """

    def __init__(self, number: int, listener: Listener) -> None:
        self._number = number
        self._listener = listener
        self._link = Link(self._receive, limit_bytes=MAX_FRAME_BYTES)
        self._process: asyncio.subprocess.Process | None = None
        self._reader = ResultReader()
        self._answers: dict[int, asyncio.Future[bool]] = {}
        self._heard = False
        self._silent_looks = 0
        self._why_cut = ""
        self.in_force = 0
        self._on: dict[int, Callable[[bytes], None]] = {
            FrameKind.RESULTS: self._on_results,
            FrameKind.BEAT: self._on_beat,
            FrameKind.STAGED: self._on_staged,
            FrameKind.REFUSED: self._on_refused,
        }

    @classmethod
    async def begin(cls, number: int, setup: Setup, listener: Listener) -> Self:
        """Starts a process and tells it how to probe.

        Raises:
            OSError: the system gives no further process or socket.
        """
        life = cls(number, listener)
        ours, theirs = socket.socketpair()
        try:
            life._process = await asyncio.create_subprocess_exec(*COMMAND, stdin=theirs.fileno())
            ours.settimeout(0)
            await asyncio.get_running_loop().create_unix_connection(lambda: life._link, sock=ours)
        except BaseException:
            ours.close()  # which ends a process that has started already
            raise
        finally:
            theirs.close()
        life._link.send(FrameKind.SETUP, pickled(setup))
        return life

    # ── what it is told ──────────────────────────────────────────────────────────────────────────────────────

    async def stage(self, generation: int, checks: tuple[Check, ...]) -> bool:
        """Has a set of checks prepared, and returns whether it is; False also when the process ends meanwhile."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._answers[generation] = answer
        payload = await asyncio.to_thread(pickled, Stage(generation, checks))
        self._link.send(FrameKind.STAGE, payload)
        either: list[asyncio.Future[Any]] = [answer, self._link.lost]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return answer.done() and answer.result()

    def was_asked(self, generation: int) -> bool:
        """Whether it was told to prepare this set of checks."""
        return generation in self._answers

    def has_staged(self, generation: int) -> bool:
        """Whether this set of checks is prepared."""
        answer = self._answers.get(generation)
        return answer is not None and answer.done() and answer.result()

    def switch(self, generation: int) -> None:
        """Has a set of checks probed that is prepared, and no others."""
        self._link.send(FrameKind.SWITCH, pickled(Switch(generation)))
        self._answers = {key: answer for key, answer in self._answers.items() if key >= generation}
        self.in_force = generation

    def recheck(self, check_key: str, at: datetime) -> None:
        """Has a check probed once more."""
        self._link.send(FrameKind.RECHECK, pickled(Recheck(check_key, at)))

    def stretch(self, strides: Mapping[str, int]) -> None:
        """Has only some slots of these checks probed."""
        self._link.send(FrameKind.STRETCH, pickled(Stretch(strides)))

    # ── what it says ─────────────────────────────────────────────────────────────────────────────────────────

    def _receive(self, kind: int, payload: bytes) -> None:
        self._heard, self._silent_looks = True, 0
        take = self._on.get(kind)
        if take is None:
            raise BrokenFrame(f"kind {kind}")
        take(payload)

    def _on_results(self, payload: bytes) -> None:
        generation, arrivals = self._reader.read(payload)
        self._listener.arrived(generation, arrivals)

    def _on_beat(self, payload: bytes) -> None:
        self._listener.beaten(read_beat(payload))

    def _on_staged(self, payload: bytes) -> None:
        self._answer(read_generation(payload), prepared=True)
        self._listener.staged()

    def _on_refused(self, payload: bytes) -> None:
        generation, why = read_refusal(payload)
        self._answer(generation, prepared=False)
        # The agent itself could prepare the same checks: what the worker lacks, a fresh one may have.
        _log.error("a worker cannot prepare its checks", worker=self._number, problems=why)
        self.cut("it could not prepare its checks")

    def _answer(self, generation: int, *, prepared: bool) -> None:
        answer = self._answers.get(generation)
        if answer is not None and not answer.done():
            answer.set_result(prepared)

    # ── its end ──────────────────────────────────────────────────────────────────────────────────────────────

    def look(self) -> None:
        """Cuts a worker that has not said a word for too long. Called once a second."""
        self._silent_looks += 1
        if self._silent_looks > (SILENT_LOOKS if self._heard else STARTING_LOOKS):
            self.cut("it did not say a word any more")

    def cut(self, why: str) -> None:
        """Ends the process at once; what it has sent is still read."""
        self._why_cut = self._why_cut or why
        self._kill()

    async def ended(self) -> str:
        """Waits for the end of the process, and returns how it ended."""
        fault = await self._link.lost
        code = await self._exit_code()
        return self._why_cut or fault or (f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}")

    async def drain(self) -> None:
        """Has the worker hand over what it has seen and end; one that does not is killed."""
        if not self._heard:  # it has not begun yet, and has seen nothing
            self.cut("the agent stopped")
        self._link.send(FrameKind.STOP)
        try:
            async with asyncio.timeout(DRAIN_WITHIN_S):
                await asyncio.shield(self._link.lost)
                assert self._process is not None  # noqa: S101  # as above
                await self._process.wait()
        except TimeoutError:
            _log.error("a worker does not stop and is killed", worker=self._number)
            self._link.abort()
            await self.ended()

    async def _exit_code(self) -> int:
        """Lets the process end by itself: to signal a dead one takes its exit code from whoever waits for it."""
        assert self._process is not None  # noqa: S101  # set before anybody else knows of this life
        try:
            async with asyncio.timeout(ENDS_WITHIN_S):
                return await self._process.wait()
        except TimeoutError:
            self._kill()
            return await self._process.wait()

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            try:
                self._process.kill()
            except ProcessLookupError:
                return  # it has ended just now
