"""The prober of `run --workers N`: every check is probed by one of several processes, and told of by this one."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import structlog

from probes.environment import ProbeEnvironment
from sentry.app.prober import LocalProber
from sentry.app.probing import require_preparable
from sentry.app.workers.commands import Setup
from sentry.app.workers.member import Member
from sentry.app.workers.sharding import shards, share
from sentry.domain.site import Check
from sentry.ports import Clock, Telemetry
from sentry.settings.model import Probing
from sentry.wheel import Finished

KINDS_OF_THE_AGENT = frozenset({"heartbeat"})
"""Kinds that ask nobody but the agent's own store, which no worker has."""

LOOK_EVERY_S = 1.0

STAGE_WITHIN_S = 30.0
"""A reload waits so long for workers to prepare their checks, so that all of them switch at the same moment."""

_log = structlog.get_logger()


class Fleet:
    """Fills the `Prober` port with several processes.

    Args:
        probing: how to probe.
        workers: how many processes.
        environment: what the agent's own probes are given, and what every check is tried on before a worker gets it.
        finished: called with each result.
    """

    def __init__(
        self,
        probing: Probing,
        workers: int,
        environment: ProbeEnvironment,
        *,
        clock: Clock,
        telemetry: Telemetry,
        finished: Callable[[Finished], None],
    ) -> None:
        self._clock = clock
        self._environment = environment
        self._local = LocalProber(environment, clock, telemetry, finished, max_concurrent=probing.max_concurrent)
        self._members = [
            Member(
                number + 1,
                Setup(probing, share(probing.max_concurrent, number, workers), environment.own_ports),
                clock=clock,
                telemetry=telemetry,
                finished=finished,
            )
            for number in range(workers)
        ]
        self._homes: dict[str, Member] = {}
        self._generation = 0

    @property
    def last_tick(self) -> float:
        """Monotonic time at which the wheel that stands still for longest last turned."""
        return min(self._local.last_tick, *(member.last_tick for member in self._members))

    @property
    def probes_running(self) -> int:
        """How many probes are under way, here and in all workers."""
        return self._local.probes_running + sum(member.running for member in self._members)

    async def prepare(self, checks: Sequence[Check]) -> Callable[[], None]:
        """Has every worker prepare its part.

        The agent tries each check itself first: whether a configuration can be used must not depend on a worker that
        happens not to be there.

        Raises:
            ConfigurationError: with every check that cannot be probed as it is configured.
        """
        self._generation += 1
        generation = self._generation
        ours = [check for check in checks if check.kind in KINDS_OF_THE_AGENT]
        theirs = [check for check in checks if check.kind not in KINDS_OF_THE_AGENT]
        put_ours = await self._local.prepare(ours)
        await asyncio.to_thread(require_preparable, theirs, self._environment)
        parts = await asyncio.to_thread(shards, theirs, len(self._members))
        await self._stage(generation, parts)

        def put_in_force() -> None:
            put_ours()
            self._homes = {}
            for member, part in zip(self._members, parts, strict=True):
                member.replace(generation, part)
                self._homes |= dict.fromkeys((check.key for check in part), member)

        return put_in_force

    async def _stage(self, generation: int, parts: Iterable[tuple[Check, ...]]) -> None:
        stages = [member.stage(generation, part) for member, part in zip(self._members, parts, strict=True)]
        try:
            async with asyncio.timeout(STAGE_WITHIN_S):
                await asyncio.gather(*stages)
        except TimeoutError:
            _log.warning("a worker takes long to prepare its checks and will switch to them later")

    def recheck(self, check_key: str, at: datetime) -> None:
        """Has a check probed once more by whoever probes it."""
        member = self._homes.get(check_key)
        (self._local if member is None else member).recheck(check_key, at)

    def stretch(self, strides: Mapping[str, int]) -> None:
        """Has only some slots of these checks probed."""
        self._local.stretch(strides)
        for member in self._members:
            own = {key: stride for key, stride in strides.items() if self._homes.get(key) is member}
            member.stretch(own)

    async def run(self) -> None:
        """Keeps every worker running until cancelled; then they hand over what they have seen, and end."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._local.run())
            group.create_task(self._look_after())
            for member in self._members:
                group.create_task(member.run())

    async def _look_after(self) -> None:
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            for member in self._members:
                member.look()
