"""Paces: learns each day anew, from the last four weeks, how long each check usually takes."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sentry.domain.day import MINUTES_PER_DAY
from sentry.domain.month import minute_of
from sentry.domain.pace import HOURS, LEARN_DAYS, Pace, learned
from sentry.domain.site import Check
from sentry.ports import Clock, Observation, ObservationBook, TimesReader
from sentry.services.slowness import Slowness
from sentry.services.watch import CheckView

OBSERVATIONS = "pace"
"""Kind of the observations that say what is usual."""

LEARN_EVERY = timedelta(hours=24)
AT_ONCE = 8
"""Checks that are learnt in one go: a few hundred days to unpack, a tenth of a second beside the loop."""


class Paces:
    """Keeps what is usual up to date.

    Args:
        views: what is known of every check now.
        times: the days that are over.
        observations: what was learnt, over restarts.
        slowness: whoever judges by it.
    """

    def __init__(
        self,
        views: Callable[[], Sequence[CheckView]],
        *,
        times: TimesReader,
        observations: ObservationBook,
        slowness: Slowness,
        clock: Clock,
    ) -> None:
        self._views = views
        self._times = times
        self._observations = observations
        self._slowness = slowness
        self._clock = clock
        self._learned_at: dict[str, datetime] = {}

    async def resume(self) -> None:
        """Takes over what was learnt before the agent was started."""
        for key, observation in (await self._observations.all(OBSERVATIONS)).items():
            self._learned_at[key] = observation.at
            self._slowness.learn(key, _pace_of(observation))

    async def work(self) -> bool:
        """Learns the next few checks that are due; returns whether there were any."""
        now = self._clock.now()
        watched = {view.check.key: view.check for view in self._views()}
        for key in self._learned_at.keys() - watched.keys():
            await self._forget(key)
        due = [check for check in watched.values() if check.slow_factor and self._is_due(check.key, now)][:AT_ONCE]
        if due:
            await self._learn(due, now)
        return bool(due)

    def _is_due(self, key: str, now: datetime) -> bool:
        at = self._learned_at.get(key)
        return at is None or not at <= now < at + LEARN_EVERY

    async def _forget(self, key: str) -> None:
        await self._observations.forget(OBSERVATIONS, key)
        self._slowness.learn(key, None)
        del self._learned_at[key]

    async def _learn(self, due: Sequence[Check], now: datetime) -> None:
        today = minute_of(now) // MINUTES_PER_DAY
        days = await self._times.days([check.key for check in due], today - LEARN_DAYS, today)
        for check in due:
            pace = await asyncio.to_thread(learned, days.get(check.key, ()), check.time_zone)
            facts = {} if pace is None else {"typical": pace.typical.hex(), "usual": pace.usual.hex()}
            await self._observations.keep(OBSERVATIONS, check.key, Observation(now, facts))
            self._slowness.learn(check.key, pace)
            self._learned_at[check.key] = now


def _pace_of(observation: Observation) -> Pace | None:
    """Returns what an observation says is usual; None where it is of a check that is too new, or damaged."""
    try:
        pace = Pace(bytes.fromhex(observation.facts["typical"]), bytes.fromhex(observation.facts["usual"]))
    except (KeyError, TypeError, ValueError):
        return None
    return pace if len(pace.typical) == len(pace.usual) == HOURS else None
