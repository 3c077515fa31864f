"""What the watch knows of every check now, ordered by what checks have in common."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sentry.domain.events import Event
from sentry.domain.grouping import TOGETHER, Sighting, Trait, failing_traits, standing_traits
from sentry.domain.health import HealthState
from sentry.domain.result import Status
from sentry.ports import Clock
from sentry.services.watch import CheckView

FRESH_S = 0.5
"""A hundred outages that are confirmed at once are placed by one look at all checks."""

AT_A_TIME = 200
"""Checks looked at before others have their turn in the event loop: about a millisecond."""

FAILING = frozenset({HealthState.SUSPECT, HealthState.DOWN, HealthState.RECOVERING})

ByTrait = Mapping[Trait, Sequence[Sighting]]


class Sightings:
    """Looks at all checks, at most twice a second.

    Args:
        views: what the watch knows of every check.
    """

    def __init__(self, views: Callable[[], Sequence[CheckView]], clock: Clock) -> None:
        self._views = views
        self._clock = clock
        self._failed_at: dict[str, datetime] = {}
        self._by_trait: ByTrait = {}
        self._looked_at = float("-inf")

    def suspected(self, event: Event) -> None:
        """Remembers a failure also when it turns out to be a blip: it happened together with others."""
        oldest = event.at - TOGETHER
        if len(self._failed_at) >= AT_A_TIME:
            self._failed_at = {key: at for key, at in self._failed_at.items() if at >= oldest}
        self._failed_at[event.subject] = event.at

    def withdrawn(self, event: Event) -> None:
        """Forgets a failure that was none of the site's."""
        self._failed_at.pop(event.subject, None)

    async def by_trait(self) -> ByTrait:
        """Returns the checks that have each trait."""
        if self._clock.monotonic() - self._looked_at > FRESH_S:
            self._by_trait = await self._look()
            self._looked_at = self._clock.monotonic()
        return self._by_trait

    async def _look(self) -> ByTrait:
        found: dict[Trait, list[Sighting]] = {}
        views = self._views()
        for first in range(0, len(views), AT_A_TIME):
            for view in views[first : first + AT_A_TIME]:
                sighting = self._sighting(view)
                for trait in sighting.traits:
                    found.setdefault(trait, []).append(sighting)
            await asyncio.sleep(0)
        return found

    def _sighting(self, view: CheckView) -> Sighting:
        check, health = view.check, view.health
        good, fails = health.last_good, health.state in FAILING
        failed_at = self._failed_at.get(check.key)
        if fails:
            failed_at = health.outage.started_at if health.outage else health.turned_at
        traits: frozenset[Trait] = frozenset()
        if fails and health.failure is not None:
            traits = failing_traits(check, health.failure, good)
        elif good is not None:
            traits = standing_traits(check, good)
        is_bad = view.last is not None and view.last.status is Status.DOWN
        return Sighting(
            site_key=check.site_key,
            traits=traits,
            failed_at=failed_at,
            answered_at=good.scheduled_at if good is not None else None,
            bad_at=view.last.scheduled_at if view.last is not None and is_bad else None,
            fails=fails,
        )
