"""What the watch knows now of the checks that have something in common."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from sentry.domain.events import Event
from sentry.domain.grouping import TOGETHER, Sighting, Trait, Wanted, failing_traits, standing_traits
from sentry.domain.health import HealthState
from sentry.domain.result import Status
from sentry.ports import Clock
from sentry.services.watch import CheckView

FRESH_S = 0.5
"""A hundred outages that are confirmed at once are placed by one look at all checks."""

AT_A_TIME = 500
"""Checks looked at before others have their turn in the event loop: a millisecond at most."""

FAILING = frozenset({HealthState.SUSPECT, HealthState.DOWN, HealthState.RECOVERING})

ByTrait = Mapping[Trait, Sequence[Sighting]]


class Sightings:
    """Looks at all checks, at most twice a second for the same trait.

    Args:
        views: what the watch knows of every check.
    """

    def __init__(self, views: Callable[[], Sequence[CheckView]], clock: Clock) -> None:
        self._views = views
        self._clock = clock
        self._failed_at: dict[str, datetime] = {}
        self._seen: dict[Trait, tuple[float, Sequence[Sighting]]] = {}

    def suspected(self, event: Event) -> None:
        """Remembers a failure also when it turns out to be a blip: it happened together with others."""
        oldest = event.at - TOGETHER
        if len(self._failed_at) >= AT_A_TIME:
            self._failed_at = {key: at for key, at in self._failed_at.items() if at >= oldest}
        self._failed_at[event.subject] = event.at

    def withdrawn(self, event: Event) -> None:
        """Forgets a failure that was none of the site's."""
        self._failed_at.pop(event.subject, None)

    async def by_trait(self, traits: Collection[Trait]) -> ByTrait:
        """Returns the checks that have each of these traits."""
        oldest = self._clock.monotonic() - FRESH_S
        self._seen = {trait: seen for trait, seen in self._seen.items() if seen[0] >= oldest}
        unseen = set(traits) - self._seen.keys()
        if unseen:
            found = await self._look(unseen)
            looked_at = self._clock.monotonic()
            self._seen |= {trait: (looked_at, found.get(trait, [])) for trait in unseen}
        return {trait: self._seen[trait][1] for trait in traits}

    async def _look(self, traits: Collection[Trait]) -> dict[Trait, list[Sighting]]:
        found: dict[Trait, list[Sighting]] = {}
        wanted, views = Wanted(traits), self._views()
        for first in range(0, len(views), AT_A_TIME):
            for view in views[first : first + AT_A_TIME]:
                health = view.health
                if health.state in FAILING or wanted.may_be_of(view.check, health.last_good):
                    sighting = self._sighting(view)
                    for trait in sighting.traits.intersection(traits):
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
