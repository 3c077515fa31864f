"""No server can hurt the probes: each attack ends with its reason, in time, within its memory, and nobody waits.

The servers live in a process of their own. A fleet of ordinary probes turns on the real wheel all the while, two
hundred of them under way at any time; each test looks at those that were under way, or began, during its attack.
"""

import asyncio
import json
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
import pytest_asyncio

from probes import KINDS
from probes.environment import ProbeEnvironment
from sentry.domain.result import ProbeResult, Status
from tests.fakes.checks import make_check
from tests.integration.hostile.attacks import ATTACKS
from tests.integration.hostile.fleet import UNDER_WAY, Fleet, sailing
from tests.integration.hostile.memory import watched_memory
from tests.integration.hostile.process import Served, serving
from tests.integration.hostile.starvation import Starvation
from tests.integration.hostile.tls_identity import FOLDER, Wardrobe
from tests.integration.probing import SLOT, make_environment

pytestmark = pytest.mark.asyncio(loop_scope="module")

GRACE_S = 0.5
"""After its deadline a probe must have ended within this."""

PATIENCE_S = 10.0
"""A probe that has not ended so long after its deadline never will."""

BODY_SHARE = 3
ELSE_BYTES = 4_000_000
"""Memory of a hostile probe: so many times its largest body and its request, and so much for all else."""

AT_ONCE = 6
"""Attacks that run together; each by itself would only show less."""

IN_ORDER = sorted(ATTACKS, key=lambda name: ATTACKS[name].timeout_s)
BATCHES = [tuple(IN_ORDER[first : first + AT_ONCE]) for first in range(0, len(IN_ORDER), AT_ONCE)]


@pytest.fixture(scope="module")
def wardrobe(tmp_path_factory: pytest.TempPathFactory) -> Wardrobe:
    """The certificates of all servers."""
    return Wardrobe(tmp_path_factory.mktemp("wardrobe")).fill()


@pytest.fixture(scope="module")
def town(wardrobe: Wardrobe) -> Iterator[dict[str, int]]:
    """The ports of all hostile servers."""
    with serving("tests.integration.hostile.town", {FOLDER: str(wardrobe.folder)}) as served:
        yield json.loads(served.said)


@pytest.fixture(scope="module")
def environment(wardrobe: Wardrobe) -> ProbeEnvironment:
    return make_environment(ca_file=wardrobe.ca_file)


@pytest.fixture(scope="module")
def calm() -> Iterator[Served]:
    """The honest server."""
    with serving("tests.integration.hostile.calm") as served:
        yield served


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(calm: Served, environment: ProbeEnvironment) -> AsyncIterator[Fleet]:
    """The ordinary probes."""
    async with sailing(int(calm.said), environment) as fleet:
        yield fleet


@dataclass
class Outcome:
    """What came of a batch of attacks: the results of each, trouble in the fleet, memory.

    Attributes:
        excused_s: how long the machine let the probes and the honest server wait.
    """

    batch: tuple[str, ...]
    results: dict[str, list[ProbeResult]]
    troubles: list[str]
    growth_bytes: int
    excused_s: float


class Siege:
    """Runs each batch when a test first asks for one of its attacks."""

    def __init__(
        self, town: dict[str, int], fleet: Fleet, environment: ProbeEnvironment, starvation: Starvation
    ) -> None:
        self._town, self._fleet, self._environment = town, fleet, environment
        self._starvation = starvation
        self._outcomes: dict[str, Outcome] = {}

    async def outcome(self, name: str) -> Outcome:
        if name not in self._outcomes:
            batch = next(batch for batch in BATCHES if name in batch)
            self._outcomes |= dict.fromkeys(batch, await self._run(batch))
        return self._outcomes[name]

    async def _run(self, batch: tuple[str, ...]) -> Outcome:
        self._fleet.troubles()
        with watched_memory() as memory:
            everything = await asyncio.gather(*(self._attack(name) for name in batch))
            await self._fleet.ended(UNDER_WAY)
        excused_s = self._starvation.excused_s()
        results = dict(zip(batch, everything, strict=True))
        return Outcome(batch, results, self._fleet.troubles(excused_s), memory.peak_bytes, excused_s)

    async def _attack(self, name: str) -> list[ProbeResult]:
        """Probes a hostile server with several probes at once; one that never ends is not in the results."""
        attack = ATTACKS[name]
        options = KINDS[attack.kind].Options.model_validate({"kind": attack.kind, **attack.all_options()})
        check = make_check(
            f"{name}/{attack.kind}", options=options, url=f"{attack.scheme}://site.test:{self._town[name]}/"
        )
        probe = KINDS[attack.kind](check, self._environment)
        results: list[ProbeResult] = []
        all_ended = asyncio.Event()

        def done(result: ProbeResult) -> None:
            results.append(result)
            if len(results) == attack.together:
                all_ended.set()

        handles = [probe.start(SLOT, done) for _ in range(attack.together)]
        with suppress(TimeoutError):
            async with asyncio.timeout(attack.timeout_s + PATIENCE_S):
                await all_ended.wait()
        for handle in handles:
            handle.cancel()
        return results


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def siege(town: dict[str, int], calm: Served, fleet: Fleet, environment: ProbeEnvironment) -> Siege:
    return Siege(town, fleet, environment, Starvation(["self", calm.process_id]))


@pytest.mark.parametrize("name", ATTACKS)
async def test_hostile_server_gets_its_reason_in_time(name: str, siege: Siege) -> None:
    """Every probe of it ends within the deadline, with the right reason, and what it showed can do no harm."""
    attack, outcome = ATTACKS[name], await siege.outcome(name)
    results = outcome.results[name]
    assert len(results) == attack.together, "a probe did not end"
    for result in results:
        status = Status.DOWN if attack.reason else Status.UP
        assert (result.status, result.reason) == (status, attack.reason), result.detail
        assert attack.phase in {None, result.failed_phase}, result.detail
        assert attack.detail in result.detail
        assert result.duration_s < attack.timeout_s + GRACE_S + outcome.excused_s
        assert not harmful_texts(result)


@pytest.mark.promise("001-29")
@pytest.mark.parametrize("batch", BATCHES, ids=" ".join)
async def test_hostile_servers_take_bounded_memory_and_hold_nobody_up(batch: tuple[str, ...], siege: Siege) -> None:
    """All of them at once: the fleet starts and ends on time, and memory stays within what their bodies may take."""
    outcome = await siege.outcome(batch[0])
    assert not outcome.troubles
    largest = sum(ATTACKS[name].together * (BODY_SHARE * ATTACKS[name].held_bytes + ELSE_BYTES) for name in batch)
    assert outcome.growth_bytes < largest


def harmful_texts(result: ProbeResult) -> list[str]:
    """Returns texts of a result that would break a line of a log, a terminal or a store."""
    http = result.evidence.http
    shown = [result.detail, *result.evidence.log]
    if http is not None:
        shown += [text for header in http.headers for text in header]
        shown += [text for hop in http.hops for text in (hop.url, hop.location or "")]
    return [text for text in shown if any(unicodedata.category(character) == "Cc" for character in text)]
