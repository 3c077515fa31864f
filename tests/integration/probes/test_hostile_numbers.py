"""Very many connections at once: all refused, or more than this machine has descriptors for."""

import asyncio
import resource
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from time import monotonic

import pytest
import pytest_asyncio

from probes import KINDS
from sentry.clock import SystemClock
from sentry.domain.result import ProbeResult, Reason, Status
from sentry.domain.site import Check
from sentry.ports import Probe
from sentry.wheel import Finished, Wheel
from tests.fakes.checks import make_check
from tests.fakes.telemetry import RecordingTelemetry
from tests.integration.hostile.fleet import LATE_S, STARVED, UNDER_WAY, Fleet, sailing
from tests.integration.hostile.process import Served, serving
from tests.integration.hostile.starvation import Starvation
from tests.integration.hostile_servers import refused_port
from tests.integration.probing import SLOT, make_environment

MANY = 10_000
TIMEOUT_S = 30.0
PATIENCE_S = 50.0
DESCRIPTORS = Path("/proc/self/fd")
AT_ONCE = 500
OPTIONS = KINDS["http"].Options.model_validate({"kind": "http", "timeout_s": TIMEOUT_S})


@pytest.fixture
def calm() -> Iterator[Served]:
    """An honest server that takes a second to answer."""
    with serving("tests.integration.hostile.calm") as served:
        yield served


@pytest_asyncio.fixture
async def fleet(calm: Served) -> AsyncIterator[Fleet]:
    async with sailing(int(calm.said), make_environment()) as fleet:
        yield fleet


def prepared(port: int) -> Probe:
    """The probe of a port on loopback."""
    check = make_check("many/http", options=OPTIONS, url=f"http://site.test:{port}/")
    return KINDS["http"](check, make_environment())


async def all_at_once(probe: Probe, number: int) -> list[ProbeResult]:
    """Starts so many probes in one go and waits for all."""
    results: list[ProbeResult] = []
    enough = asyncio.Event()

    def done(result: ProbeResult) -> None:
        results.append(result)
        if len(results) == number:
            enough.set()

    for _ in range(number):
        probe.start(SLOT, done)
    async with asyncio.timeout(PATIENCE_S):
        await enough.wait()
    return results


@pytest.mark.timeout(120)
async def test_ten_thousand_refusals_at_once_hold_nobody_up(fleet: Fleet, calm: Served) -> None:
    """Ten thousand checks due in one instant on a closed port are all refused; the ordinary probes are on time."""
    verdicts: Counter[tuple[Status, Reason | None]] = Counter()
    refused: set[str] = set()
    descriptors: list[int] = []

    def take(done: Finished) -> None:
        verdicts[done.result.status, done.result.reason] += 1
        if done.result.reason is Reason.CONNECT_REFUSED:
            refused.add(done.check.key)
        if len(refused) % 100 == 0:
            descriptors.append(open_descriptors())

    with refused_port() as port:
        probe = prepared(port)
        wheel = Wheel(SystemClock(), RecordingTelemetry(), take, max_concurrent=AT_ONCE)
        checks = {f"many-{number}/http": prepared_like(probe, number, port) for number in range(MANY)}
        before = open_descriptors()
        fleet.troubles()
        starvation = Starvation(["self", calm.process_id])
        wheel.replace(checks)
        now = datetime.now(UTC)
        for key in checks:
            wheel.recheck(key, now)
        async with running(wheel):
            began = monotonic()
            while len(refused) < MANY and monotonic() - began < PATIENCE_S:
                await fleet.ended(1)
        await fleet.ended(UNDER_WAY)
        excused_s = starvation.excused_s()
        troubles = fleet.troubles(excused_s)
    assert len(refused) == MANY
    of_a_starved_agent = {(Status.UNKNOWN, reason) for reason in STARVED} if excused_s > LATE_S else set()
    assert set(verdicts) - of_a_starved_agent == {(Status.DOWN, Reason.CONNECT_REFUSED)}
    assert max(descriptors) < before + AT_ONCE + UNDER_WAY
    assert not troubles


@asynccontextmanager
async def running(wheel: Wheel) -> AsyncIterator[None]:
    """Turns a wheel."""
    turning = asyncio.create_task(wheel.run())
    yield
    turning.cancel()
    with suppress(asyncio.CancelledError):
        await turning


def prepared_like(probe: Probe, number: int, port: int) -> tuple[Check, Probe]:
    """A check of its own with a probe that it shares: preparing ten thousand would only take time."""
    key, url = f"many-{number}/http", f"http://site.test:{port}/"
    return make_check(key, options=OPTIONS, url=url, interval_s=3600, host_cap=MANY), probe


async def test_ten_thousand_probes_without_a_wheel_are_all_refused() -> None:
    """Even started in one go, with nothing that bounds them, each gets its verdict and every descriptor is freed."""
    before = open_descriptors()
    with refused_port() as port:
        results = await all_at_once(prepared(port), MANY)
    verdicts = Counter((result.status, result.reason) for result in results)
    assert verdicts == {(Status.DOWN, Reason.CONNECT_REFUSED): MANY}
    assert open_descriptors() <= before + 4


async def test_more_probes_than_descriptors_are_unknown_and_never_down(calm: Served) -> None:
    """Those for which the machine has no descriptor accuse the agent alone; the others are up, as all that follow."""
    probe = prepared(int(calm.said))
    await all_at_once(probe, 1)  # what the engine keeps open, it has now
    with few_descriptors(100):
        results = await all_at_once(probe, 300)
        afterwards = await all_at_once(probe, 50)
    verdicts = Counter((result.status, result.reason) for result in results)
    assert set(verdicts) == {(Status.UP, None), (Status.UNKNOWN, Reason.AGENT_RESOURCES)}
    assert 50 < verdicts[Status.UP, None] <= 101
    assert {result.status for result in afterwards} == {Status.UP}


@contextmanager
def few_descriptors(number: int) -> Iterator[None]:
    """Leaves this process so many descriptors beyond those that are open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = {int(entry.name) for entry in DESCRIPTORS.iterdir()}
    limit = next(islice((free for free in count() if free not in used), number, None))
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, soft), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_descriptors() -> int:
    """How many descriptors this process has open."""
    return sum(1 for _ in DESCRIPTORS.iterdir())
