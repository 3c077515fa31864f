"""A worker: a process that probes its part of the checks and hands what it finds to the agent.

Started by the agent as `python -P -m sentry.app.workers.process`, with one end of a socket pair as standard input. It
has no store and reads no configuration: it does what the pipe says, and ends with the pipe.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from probes.resolver import AiodnsResolver
from sentry.app.lifeline import die_with_the_agent
from sentry.app.memory import beside_the_loop, give_back
from sentry.app.probing import prepare, probe_environment
from sentry.app.single import NoHeartbeats
from sentry.app.workers.beat import beat_bytes, generation_bytes, refusal_bytes
from sentry.app.workers.commands import Recheck, Setup, Stage, Stretch, Switch, unpickled
from sentry.app.workers.frames import BrokenFrame, FrameKind, Link
from sentry.app.workers.outbox import Outbox, WorkerTelemetry
from sentry.clock import SystemClock
from sentry.domain.site import Check
from sentry.ports import Probe
from sentry.wheel import Wheel

BEAT_EVERY_S = 1.0
MAX_COMMAND_BYTES = 1024 * 1024 * 1024
"""Of the agent's own; a hundred thousand checks with long texts stay far below."""

Prepared = Mapping[str, tuple[Check, Probe]]

GIVEN_BY_THE_AGENT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C and systemd signal the whole group. The agent answers for all of it; the pipe says what is to be done."""


class Worker:
    """Probes what the agent tells it to, once it was set up.

    Args:
        link: to the agent.
        setup: how to probe.
    """

    def __init__(self, link: Link, setup: Setup) -> None:
        clock = SystemClock()
        self._link = link
        self._clock = clock
        self._telemetry = WorkerTelemetry()
        self._outbox = Outbox(link, self._telemetry.missed)
        self._resolver = AiodnsResolver(clock, setup.probing.resolvers)
        self._probing = probe_environment(setup.probing, clock, self._resolver, NoHeartbeats(), setup.own_ports)
        self._wheel = Wheel(clock, self._telemetry, self._outbox.put, max_concurrent=setup.max_concurrent)
        self._standing: Prepared = {}
        self._staged: dict[int, Prepared] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Lock()

    def obey(self, kind: int, payload: bytes) -> None:
        """Does what the agent says.

        Raises:
            BrokenFrame: the agent says what no worker knows; it is of another version.
        """
        if kind == FrameKind.STAGE:
            task = asyncio.get_running_loop().create_task(self._stage(payload))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif kind == FrameKind.SWITCH:
            self._switch(unpickled(payload))
        elif kind == FrameKind.RECHECK:
            command: Recheck = unpickled(payload)
            self._wheel.recheck(command.check_key, command.at)
        elif kind == FrameKind.STRETCH:
            stretch: Stretch = unpickled(payload)
            self._wheel.stretch(stretch.strides)
        else:
            raise BrokenFrame(f"kind {kind}")

    async def _stage(self, payload: bytes) -> None:
        """Prepares checks beside the wheel, which turns on."""
        async with self._one_at_a_time:
            with beside_the_loop():
                await self._try_to_stage(await asyncio.to_thread(unpickled, payload))
            await give_back()

    async def _try_to_stage(self, command: Stage) -> None:
        try:
            self._staged[command.generation] = await asyncio.to_thread(self._prepared, command.checks, self._standing)
        except Exception as error:  # noqa: BLE001  # whatever it is, the agent must not wait for an answer in vain
            self._link.send(FrameKind.REFUSED, refusal_bytes(command.generation, f"{type(error).__name__}: {error}"))
        else:
            self._link.send(FrameKind.STAGED, generation_bytes(command.generation))

    def _prepared(self, checks: Iterable[Check], standing: Prepared) -> Prepared:
        """Prepares what is new. What stands is taken over as it is, for the wheel knows it by itself, and at once."""
        kept = {
            check.key: standing[check.key]
            for check in checks
            if check.key in standing and standing[check.key][0] == check
        }
        return {**kept, **prepare((check for check in checks if check.key not in kept), self._probing)}

    def _switch(self, command: Switch) -> None:
        self._outbox.flush(whole=True)  # what the checks so far have seen goes under their own generation
        self._outbox.generation = command.generation
        self._standing = self._staged[command.generation]
        self._wheel.replace(self._standing)
        self._staged = {key: staged for key, staged in self._staged.items() if key > command.generation}

    async def run(self) -> None:
        """Turns the wheel and says so, until cancelled; then hands over what was seen.

        Raises:
            ExceptionGroup: a bug of ours; the agent starts another worker.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._wheel.run())
                group.create_task(self._beat())
        finally:
            for task in self._tasks:
                task.cancel()
            self._outbox.flush(whole=True)
            await self._resolver.close()

    async def _beat(self) -> None:
        while True:
            if not self._link.paused:
                lost, self._outbox.lost = self._outbox.lost, 0
                age_s = self._clock.monotonic() - self._wheel.last_tick
                beat = self._telemetry.beat(tick_age_s=age_s, running=self._wheel.probes_running, lost=lost)
                self._link.send(FrameKind.BEAT, beat_bytes(beat))
            await self._clock.sleep(BEAT_EVERY_S)


class _Service:
    """The life of the process: set up by the first message, ended by STOP or by the end of the pipe."""

    def __init__(self) -> None:
        self._link = Link(self._receive, limit_bytes=MAX_COMMAND_BYTES)
        self._worker: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._stop = asyncio.Event()

    def _receive(self, kind: int, payload: bytes) -> None:
        if kind == FrameKind.SETUP:
            self._worker.set_result(Worker(self._link, unpickled(payload)))
        elif kind == FrameKind.STOP:
            self._stop.set()
        else:
            self._worker.result().obey(kind, payload)

    async def run(self, pipe: socket.socket) -> None:
        await asyncio.get_running_loop().create_unix_connection(lambda: self._link, sock=pipe)
        working = asyncio.ensure_future(self._work())
        stopped = asyncio.ensure_future(self._stop.wait())
        any_of: list[asyncio.Future[Any]] = [working, stopped, self._link.lost]
        await asyncio.wait(any_of, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        working.cancel()
        await asyncio.wait([working])
        self._link.close()
        await self._link.lost
        if not working.cancelled():
            working.result()

    async def _work(self) -> None:
        worker = await self._worker
        await worker.run()


def main() -> None:
    """Runs until the agent ends it, or is gone."""
    die_with_the_agent()  # the end of the pipe ends a worker that runs; this one also a frozen one
    for number in GIVEN_BY_THE_AGENT:
        signal.signal(number, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(_serve(_pipe()))


async def _serve(pipe: socket.socket) -> None:
    await _Service().run(pipe)


def _pipe() -> socket.socket:
    """Takes over standard input, so that no library reads from it."""
    pipe = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    pipe.settimeout(0)
    return pipe


if __name__ == "__main__":
    main()
