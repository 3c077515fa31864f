"""The watch over closed sites: warns on day 12, and says on day 15 that the promise is broken."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sentry.domain.concern import ConcernKind
from sentry.domain.severity import Severity
from sentry.domain.suspension import LONGEST, Method, Suspension
from sentry.domain.watched_site import WatchedSite
from sentry.ports import Clock, EventQueue, Observation, ObservationBook
from sentry.services.told_concerns import ToldConcerns

KIND = "suspension"
"""Of observations: each site that is closed, by its key."""

SEVERITIES = {1: Severity.SEV3, 2: Severity.SEV1}


class SuspensionWatch:
    """Tells of sites that are closed for long.

    Args:
        site: a site by its key; None for one that is not configured any more.
    """

    def __init__(
        self,
        site: Callable[[str], WatchedSite | None],
        observations: ObservationBook,
        events: EventQueue,
        clock: Clock,
    ) -> None:
        self._site = site
        self._observations = observations
        self._clock = clock
        self._told = ToldConcerns(ConcernKind.SUSPENSION, observations, events, clock, ticking=frozenset({"days"}))

    async def look(self) -> None:
        """Looks at every closed site once.

        Raises:
            StoreUnavailable: the next look tells what this one could not.
        """
        now, standing = self._clock.now(), await self._told.standing()
        suspended = await self._observations.all(KIND)
        for site_key, observation in suspended.items():
            suspension, site = suspension_of(observation), self._site(site_key)
            stage = suspension.stage(now)
            if stage and site is not None:
                await self._told.raise_(
                    site_key,
                    standing.get(site_key),
                    owner=(site.key, site.client_key),
                    severity=SEVERITIES[stage],
                    facts=_facts(suspension, stage, now),
                )
        for site_key in standing.keys() - suspended.keys():
            await self._told.clear(site_key)


def _facts(suspension: Suspension, stage: int, now: datetime) -> Mapping[str, Any]:
    return {
        "problem": "breach" if stage > 1 else "near",
        "stage": stage,
        "days": (now - suspension.began_at).days,
        "most_days": LONGEST.days,
        "closed_at": suspension.began_at.isoformat(),
        "limit_at": suspension.limit.isoformat(),
        "cause": suspension.cause,
        "approver": suspension.approver,
    }


def observation_of(suspension: Suspension) -> Observation:
    """Returns what is kept of a closed site."""
    facts = {
        "site_key": suspension.site_key,
        "docroot": suspension.docroot,
        "method": suspension.method.value,
        "token": suspension.token,
        "until": suspension.until.isoformat(),
        "cause": suspension.cause,
        "approver": suspension.approver,
        "window": suspension.window,
    }
    return Observation(suspension.began_at, facts)


def suspension_of(observation: Observation) -> Suspension:
    """Returns a closed site as it was kept."""
    facts = dict(observation.facts)
    return Suspension(
        **{name: str(facts[name]) for name in ("site_key", "docroot", "token", "cause", "approver", "window")},
        method=Method(facts["method"]),
        began_at=observation.at,
        until=datetime.fromisoformat(facts["until"]),
    )
