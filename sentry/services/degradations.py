"""Sites that answer, but not as they should: a concern each, once that has lasted for a while.

It is looked at now and then, beside the watch. A single slow probe tells nobody, and a single good one ends nothing.
What was told stays told while a check of the site is down; the outage has an incident of its own. Where many sites
are affected at once, the cause is one that they share, maybe the agent's own network: then operators hear of it once.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sentry.domain.concern import Concern, ConcernKind, cleared
from sentry.domain.health import HealthState
from sentry.domain.incident import IncidentState
from sentry.domain.result import Reason
from sentry.domain.severity import Severity
from sentry.ports import Clock, EventQueue, IncidentStore
from sentry.services.watch import CheckView

PREFIX = f"{ConcernKind.DEGRADED}:"
MANY = f"{PREFIX}*"
MANY_SITES = 10
"""So many sites that become due together have a cause in common; it is over when less than half of them are left."""

TOLD_ELSEWHERE = frozenset({Reason.TLS_EXPIRES_SOON})
"""Certificates have concerns of their own, with the days that are left."""

NAMES_SHOWN = 20
INCIDENT_LIMIT = 10_000
"""Unresolved incidents looked at after a start."""

_TURNING = frozenset({HealthState.SUSPECT, HealthState.DOWN, HealthState.RECOVERING})


@dataclass(slots=True)
class _Sight:
    """What one look sees of the sites that matter: those that are not well, and those that were told of.

    Attributes:
        degraded: their checks that are; turning: sites with one that is down or being re-checked.
        hold_s: how long each must be degraded, or well, before somebody is told.
    """

    degraded: dict[str, list[CheckView]] = field(default_factory=dict)
    turning: set[str] = field(default_factory=set)
    hold_s: dict[str, int] = field(default_factory=dict)

    def is_over(self, key: str, since: datetime, now: datetime) -> bool:
        """Whether a site has stood as it does for long enough."""
        return now - since >= timedelta(seconds=self.hold_s[key])


class Degradations:
    """Raises and clears the concerns `degraded:<site>`.

    What stands is known from the incidents after a start, and remembered from then on.

    Args:
        views: what the watch believes of every check.
        incidents: what stands after a start.
        events: takes the concerns.
        is_worked_on: whether announced maintenance of a site is under way at an instant: nobody is told meanwhile.
    """

    def __init__(
        self,
        views: Callable[[], Iterable[CheckView]],
        incidents: IncidentStore,
        events: EventQueue,
        clock: Clock,
        *,
        is_worked_on: Callable[[str, datetime], bool] = lambda _site_key, _at: False,
    ) -> None:
        self._is_worked_on = is_worked_on
        self._views = views
        self._incidents = incidents
        self._events = events
        self._clock = clock
        self._raised: dict[str, str] | None = None
        self._turned_at: dict[str, datetime] = {}

    async def look(self) -> None:
        """Raises what has been degraded for long enough, and clears what has been well for as long.

        Raises:
            StoreUnavailable: nothing was published; the next look says it again.
        """
        raised = await self._standing() if self._raised is None else self._raised
        now, sight = self._clock.now(), _seen(self._views(), raised)
        due = self._due(sight, raised, now)
        over = self._over(sight, raised, now)
        others = _changed(sight, raised, now)
        told = _told(due, many=MANY in raised)
        events = [concern.raised(now) for concern in (*told, *others)]
        if MANY in raised and len(due) < MANY_SITES // 2:
            over[MANY] = now
        events += [cleared(key, now, ended_at) for key, ended_at in over.items()]
        await self._events.publish(events)
        for key in (*(concern.key for concern in told), *over):  # from now on the other turn is waited for
            self._turned_at.pop(key.removeprefix(PREFIX), None)
        changed = {concern.key: str(concern.facts["reason"]) for concern in (*told, *others)}
        self._raised = {key: reason for key, reason in (raised | changed).items() if key not in over}

    async def _standing(self) -> dict[str, str]:
        found = {}
        for state in (IncidentState.OPEN, IncidentState.ACKNOWLEDGED):
            for incident in await self._incidents.list(state=state, limit=INCIDENT_LIMIT):
                if incident.concern is ConcernKind.DEGRADED:
                    found[incident.key] = str(incident.facts.get("reason"))
        return found

    def _due(self, sight: _Sight, raised: Collection[str], now: datetime) -> list[tuple[datetime, list[CheckView]]]:
        """Sites not told yet that have been degraded for long enough, with since when."""
        waiting = {
            key: views
            for key, views in sight.degraded.items()
            if PREFIX + key not in raised and not self._is_worked_on(key, now)
        }
        for key in self._turned_at.keys() - waiting.keys():
            if PREFIX + key not in raised:
                del self._turned_at[key]
        due = []
        for key, views in waiting.items():
            since = self._turned_at.setdefault(key, min(_slot(view, now) for view in views))
            if sight.is_over(key, since, now):
                due.append((since, views))
        return due

    def _over(self, sight: _Sight, raised: Iterable[str], now: datetime) -> dict[str, datetime]:
        """Concerns whose site has been well for long enough, or is watched no more, with since when."""
        over = {}
        for concern_key in raised:
            key = concern_key.removeprefix(PREFIX)
            if concern_key == MANY:
                continue
            if key not in sight.hold_s:
                over[concern_key] = now
            elif key in sight.degraded or key in sight.turning:
                self._turned_at.pop(key, None)
            elif sight.is_over(key, self._turned_at.setdefault(key, now), now):
                over[concern_key] = self._turned_at[key]
        return over


def _seen(views: Iterable[CheckView], raised: Collection[str]) -> _Sight:
    sight = _Sight()
    for view in views:
        key, health = view.check.site_key, view.health
        is_well = health.degraded is None and health.state not in _TURNING
        if is_well and not (raised and PREFIX + key in raised):
            continue
        sight.hold_s[key] = view.check.plan.degraded_after_s
        if health.state in _TURNING:
            sight.turning.add(key)
        elif health.degraded is not None and health.degraded not in TOLD_ELSEWHERE:
            sight.degraded.setdefault(key, []).append(view)
    return sight


def _told(due: Sequence[tuple[datetime, list[CheckView]]], *, many: bool) -> list[Concern]:
    if many:
        return []
    if len(due) < MANY_SITES:
        return [_concern(views, since) for since, views in due]
    since, views = min(due, key=itemgetter(0))
    names = [views[0].check.site_key for _, views in due[:NAMES_SHOWN]]
    facts = {"sites": len(due), "names": names, "reason": _reason(views)}
    return [Concern(MANY, ConcernKind.DEGRADED, Severity.SEV3, since, facts=facts)]


def _changed(sight: _Sight, raised: Mapping[str, str], now: datetime) -> list[Concern]:
    """The concerns whose site is unwell for another reason than was told."""
    return [
        _concern(views, _slot(views[0], now))
        for key, views in sight.degraded.items()
        if raised.get(PREFIX + key) not in {None, *(str(view.health.degraded) for view in views)}
    ]


def _reason(views: Sequence[CheckView]) -> str:
    return str(views[0].health.degraded)


def _slot(view: CheckView, now: datetime) -> datetime:
    return view.last.scheduled_at if view.last is not None else now


def _concern(views: Sequence[CheckView], since: datetime) -> Concern:
    check, last = views[0].check, views[0].last
    facts: dict[str, Any] = {"check": check.key, "reason": _reason(views), "detail": last.detail if last else ""}
    if last is not None and last.reason is Reason.SLOW_RESPONSE:
        facts["value_s"] = round(last.duration_s, 3)
    return Concern(
        f"{PREFIX}{check.site_key}",
        ConcernKind.DEGRADED,
        Severity.SEV3,
        since,
        site_key=check.site_key,
        client_key=check.client_key,
        facts=facts,
    )
