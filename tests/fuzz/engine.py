"""Fuzzes the engine on real sockets: `python -m tests.fuzz.engine --minutes 5`.

Mutated responses come from a server on loopback, torn into packets, many at once; each is probed twice, torn
otherwise, and the verdicts must be the same. Every fourth is sent through TLS, of each library, with the ciphertext
mutated on its way: there only the kind of the verdict is looked at.
"""

import argparse
import asyncio
import contextlib
import random
import resource
import select
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from pathlib import Path

from probes.engine import EpollReadiness
from probes.environment import ProbeEnvironment
from probes.http import HttpProbe
from probes.tls_library import TlsChoice
from sentry.domain.result import AGENT_REASONS, ProbeResult, Reason
from tests.fakes.checks import START, make_check
from tests.fakes.probing import make_environment
from tests.fuzz.corpus import keep, seeds
from tests.fuzz.invariants import torn
from tests.fuzz.mutation import Mutator
from tests.fuzz.response_outcome import OPTIONS
from tests.integration.authority import Authority

TLS_WAYS = (TlsChoice(), TlsChoice("rtls"), TlsChoice("ssl", 3600))
TLS_RUNS = 3
"""Of the same probe: the short ways begin with the second, where the first one came through undistorted."""

REASONS_OF_A_BUSY_MACHINE = {Reason.CONNECT_TIMEOUT, Reason.PROCESSING_TIMEOUT, Reason.TRANSFER_TIMEOUT}
TURNS = 20
"""Of the loop, in each of which the engine looks at what is ready."""

LOOPBACK = "127.0.0.1"
AT_ONCE = 24
TIMEOUT_S, TLS_TIMEOUT_S = 20.0, 1.0
"""Every plain response ends by itself long before; a record of TLS that was made longer never comes to its end."""

BEAT_S, MAX_CPU_S = 0.1, 0.5
"""How often the loop is felt, and the CPU time of ours after which it was held up by what a server sent."""

WARM_UP, MAX_GROWTH_KIB = 2000, 65_536
PAUSES_S = (0.0, 0.0, 0.001, 0.005)
# A mutated Location may lead anywhere, and this talks to nobody but its own server.
PLAIN_OPTIONS = OPTIONS.model_copy(update={"follow_redirects": False, "timeout_s": TIMEOUT_S})
TLS_OPTIONS = PLAIN_OPTIONS.model_copy(update={"timeout_s": TLS_TIMEOUT_S})


@dataclass
class Bench:
    """The servers, and what they are to send next.

    Attributes:
        scripts: by the path that is asked for, the pieces to send.
        findings: what broke, with the input that broke it.
        under_way: the inputs that are probed at this moment, by name.
        starved: plain probes that met their deadline and were made again; on a machine with time to spare, none.
    """

    chance: random.Random
    environment: ProbeEnvironment
    port: int = 0
    tls_port: int = 0
    scripts: dict[str, Sequence[bytes]] = field(default_factory=dict)
    findings: list[tuple[str, bytes]] = field(default_factory=list)
    under_way: dict[str, bytes] = field(default_factory=dict)
    probed: int = 0
    starved: int = 0

    async def try_all(self, inputs: Iterator[bytes]) -> None:
        """Probes each input twice, many at the same time, until there are no more."""
        await asyncio.gather(*(self._work(number, inputs) for number in range(AT_ONCE)))

    async def _work(self, number: int, inputs: Iterator[bytes]) -> None:
        for data in inputs:
            await self._try(number, data)

    async def _try(self, number: int, data: bytes) -> None:
        if number % 4 == 3:
            way = TLS_WAYS[number // 4 % len(TLS_WAYS)]
            probe = self._probe_of(f"{number}-tls", replace(self.environment, tls=way), tls=True)
            for _ in range(TLS_RUNS):
                self._judge(data, await self._run(probe, f"{number}-tls", data))
            return
        first, second = await self._run_twice(number, data)
        if REASONS_OF_A_BUSY_MACHINE & {first.reason, second.reason}:
            self.starved += 1
            first, second = await self._run_twice(number, data)
        for result in (first, second):
            self._judge(data, result)
        if _verdict(first) != _verdict(second):
            self.findings.append((f"{_verdict(first)} is not {_verdict(second)}", data))

    async def _run_twice(self, number: int, data: bytes) -> tuple[ProbeResult, ProbeResult]:
        names = f"{number}-a", f"{number}-b"
        probes = (self._probe_of(name, self.environment) for name in names)
        first, second = await asyncio.gather(
            *(self._run(probe, name, data) for probe, name in zip(probes, names, strict=True))
        )
        return first, second

    def _probe_of(self, name: str, environment: ProbeEnvironment, *, tls: bool = False) -> HttpProbe:
        options = TLS_OPTIONS if tls else PLAIN_OPTIONS
        scheme, port = ("https", self.tls_port) if tls else ("http", self.port)
        url = f"{scheme}://shop.test:{port}/{name}"
        return HttpProbe(make_check("shop/http", options=options, url=url), environment)

    async def _run(self, probe: HttpProbe, name: str, data: bytes) -> ProbeResult:
        places = [self.chance.randrange(len(data) + 1) for _ in range(self.chance.choice((0, 1, 3, 12)))]
        self.scripts[f"/{name}"] = torn(data, places) if data else []
        ended: asyncio.Future[ProbeResult] = asyncio.get_running_loop().create_future()
        probe.start(START, ended.set_result)
        self.probed += 1
        self.under_way[name] = data
        try:
            return await asyncio.wait_for(ended, TIMEOUT_S * 2)
        finally:
            del self.under_way[name]

    def _judge(self, data: bytes, result: ProbeResult) -> None:
        if result.reason in AGENT_REASONS:
            self.findings.append((f"the agent is accused: {result.reason}, {result.detail}", data))

    async def feel_the_loop(self) -> None:
        """Notes where one step of anything took long. CPU time, because the machine may be busy with others."""
        while True:
            before = time.process_time()
            await asyncio.sleep(BEAT_S)
            spent_s = time.process_time() - before
            if spent_s > MAX_CPU_S:
                self._found(f"the loop was held up for {spent_s:.1f} s")
            await self._look_for_the_forgotten()

    async def _look_for_the_forgotten(self) -> None:
        """Notes sockets that hold something to read while their probe waits and is not told, turn after turn."""
        readiness = self.environment.engine.readiness
        assert isinstance(readiness, EpollReadiness)
        waiting = [(one, one.wake) for one in readiness._sockets.values() if one.wake and not one.ready]
        waiting = [(one, wake) for one, wake in waiting if _is_readable(one.fd)]
        for _ in range(TURNS):
            await asyncio.sleep(0)
        for one, wake in waiting:
            if one.wake is wake and not one.ready and readiness._sockets.get(one.fd) is one and _is_readable(one.fd):
                self._found("a probe was not told that it can read")

    def _found(self, what: str) -> None:
        self.findings.append((what, b"\n".join(self.under_way.values())))


def _is_readable(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLIN | select.POLLRDHUP)
    return bool(poll.poll(0))


def _verdict(result: ProbeResult) -> tuple[object, ...]:
    http = result.evidence.http
    return (result.reason, None if http is None else (http.status, http.headers))


@asynccontextmanager
async def bench(chance: random.Random, folder: Path) -> AsyncIterator[Bench]:
    """Runs the servers: plain, and TLS behind a proxy that mutates what comes from it."""
    root = Authority.root()
    identity = root.intermediate().leaf("shop.test")
    made = Bench(chance, make_environment(ca_file=root.write(folder / "root.pem")))

    async def replay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            for piece in made.scripts.get(head.split(b" ", 2)[1].decode(), ()):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(chance.choice(PAUSES_S))
        except (OSError, asyncio.IncompleteReadError):
            pass  # the probe went away, which is its right
        finally:
            writer.close()

    async def distort(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(LOOPBACK, hidden)
        up = asyncio.create_task(_pump(reader, upstream_writer, None))
        try:
            await _pump(upstream_reader, writer, chance)
        finally:
            up.cancel()
            await asyncio.gather(up, return_exceptions=True)
            for one in (writer, upstream_writer):
                one.close()

    async with AsyncExitStack() as running:
        made.port = await running.enter_async_context(_listening(replay))
        hidden = await running.enter_async_context(_listening(replay, identity.server_context()))
        made.tls_port = await running.enter_async_context(_listening(distort))
        yield made


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[object, object, None]]


@asynccontextmanager
async def _listening(handle: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Runs a server whose connections are ended, and waited for, when it ends."""
    tasks: set[asyncio.Task[None]] = set()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(handle(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accepted, LOOPBACK, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        waiting = tuple(tasks)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chance: random.Random | None) -> None:
    """Passes bytes on; by chance one read of them is mutated, or the last."""
    mutator = None if chance is None else Mutator(chance)
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            if mutator is not None and chance is not None and chance.random() < 0.3:
                data = mutator.changed(data, b"\x15\x03\x03\x00\x02\x02\x28")  # to splice: an alert in the clear
            writer.write(data)
            await writer.drain()
            if chance is not None and chance.random() < 0.03:
                writer.transport.abort()


def mutated(chance: random.Random) -> Iterator[bytes]:
    """Yields changed responses without end."""
    mutator, pool = Mutator(chance), list(seeds().values())
    while True:
        yield mutator.changed(chance.choice(pool), chance.choice(pool))


async def campaign(minutes: float, seed: int, folder: Path) -> Bench:
    """Mutates and probes until the time is over."""
    chance = random.Random(seed)  # noqa: S311  # not for secrets
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)  # the servers' own troubles with connections that broke
    async with bench(chance, folder) as made:
        await made.try_all(islice(mutated(chance), WARM_UP))  # TLS servers keep what ended badly for half a minute
        begun, end = _memory_kib(), loop.time() + minutes * 60
        feeling = asyncio.create_task(made.feel_the_loop())
        await made.try_all(takewhile(lambda _: loop.time() < end, mutated(chance)))
        feeling.cancel()
        grown = _memory_kib() - begun
        if grown > MAX_GROWTH_KIB:
            made.findings.append((f"{grown:,} KiB more memory", b""))
    return made


def _memory_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> int:
    """Runs a campaign and prints what it found.

    Returns:
        0 where nothing broke, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.engine", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the mutations; printed")  # noqa: S311  # no secret
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "engine-fuzz", help="for findings")
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    made = asyncio.run(campaign(options.minutes, options.seed, options.keep))
    for what, data in made.findings[:20]:
        sys.stdout.write(f"FOUND {what:.600}\n  in {keep(data, options.keep / 'broken', 'input')}\n")
    sys.stdout.write(
        f"seed {options.seed}: {made.probed:,} probes, {len(made.findings)} findings, {made.starved} twice\n"
    )
    return 1 if made.findings else 0


if __name__ == "__main__":
    sys.exit(main())
