"""Grouping: sites that fail together are told as one incident, of which each site's own is a member.

A confirmed outage is opened at once. While others that share something with it may still fail, it is held: nobody is
told of it before it is known whether it is one problem of its own or part of a greater one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from sentry.domain.concern import ConcernKind
from sentry.domain.errors import StoreError
from sentry.domain.events import Event, EventKind
from sentry.domain.grouping import (
    FEWEST_MEMBERS,
    TOGETHER,
    Group,
    Tally,
    Trait,
    count,
    failing_traits,
    groups,
    undecided,
)
from sentry.domain.incident import REOPEN_WITHIN, Incident, IncidentState, TimelineEntry
from sentry.domain.incident_policy import IncidentPolicy
from sentry.domain.site import Check
from sentry.ports import Clock, IncidentStore, Telemetry
from sentry.services.dependencies import Dependencies
from sentry.services.sightings import ByTrait, Sightings
from sentry.services.watch import CheckView

TOLD_WITHIN = timedelta(seconds=75)
"""Nothing is held for longer than this after the first failed probe: promise 001-31 leaves 15 s to the channel."""

LOOKED_AT_S = 1.0
"""How often it is looked whether what is held has been decided."""

FOLLOWS_S = 5.0
"""What a probe and its re-checks may take beside their waiting, when something follows what it depends on."""

ENTRIES = 500
"""A group's timeline of so many entries gets no more for members that come and go."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Held:
    """Incidents that are held, and how the sites fared that share something with them.

    Attributes:
        traits: of each incident's failure, by its number.
        since: the earliest of the failures with a trait.
    """

    incidents: Sequence[Incident]
    traits: Mapping[int, frozenset[Trait]]
    since: Mapping[Trait, datetime]
    counted: Mapping[Trait, Tally]

    def of(self, group: Group) -> list[Incident]:
        """Returns the incidents that belong to a group."""
        return [one for one in self.incidents if one.site_key in group.sites and group.trait in self.traits[one.id]]


class Groups:
    """Places outages, gathers those that belong together, and follows their members until all are well.

    Args:
        view: what the watch knows of a check now; None for one that was removed.
        changing: held by whoever changes an incident; the same as that of `Incidents`.
        policy: what is told, as it is configured now.
        quiet: whether nobody is woken by an incident at an instant anyway, as in announced maintenance.
    """

    def __init__(
        self,
        *,
        sightings: Sightings,
        dependencies: Dependencies,
        view: Callable[[str], CheckView | None],
        incidents: IncidentStore,
        changing: asyncio.Lock,
        clock: Clock,
        telemetry: Telemetry,
        policy: Callable[[], IncidentPolicy],
        quiet: Callable[[Incident, datetime], bool] = lambda _incident, _at: False,
    ) -> None:
        self._sightings = sightings
        self._dependencies = dependencies
        self._view = view
        self._incidents = incidents
        self._changing = changing
        self._clock = clock
        self._telemetry = telemetry
        self._policy = policy
        self._quiet = quiet
        self._may_hold = True
        self._reactions: dict[EventKind, Callable[[Event, Incident], Awaitable[None]]] = {
            EventKind.INCIDENT_OPENED: self._joined,
            EventKind.INCIDENT_REOPENED: self._joined,
            EventKind.INCIDENT_RESOLVED: self._left,
        }

    # ── an outage that was just confirmed ────────────────────────────────────────────────────────────────────────

    async def place(self, incident: Incident, check: Check, at: datetime) -> Incident:
        """Returns an outage as it is told: at once, as part of another incident, or when that is known.

        Whoever calls holds `changing`.

        Args:
            incident: of the outage, as it is about to be written.
            check: that is down.
            at: when it was confirmed.
        """
        alone = replace(incident, parent_id=None, held_until=None)
        report, policy = incident.report, self._policy()
        needed = await self._dependencies.outage(check)
        if needed is not None:
            return replace(alone, parent_id=needed.id)
        if report is None or not policy.group_hold_s or self._quiet(incident, at):
            return alone
        traits = failing_traits(check, report.failed, report.last_good)
        seen = await self._sightings.by_trait(traits)
        for trait in traits:
            parent = await self._incidents.unresolved(trait.key)
            if parent is not None and self._lasts(parent, trait, seen):
                return replace(alone, parent_id=parent.id)
        started_at = report.failed.scheduled_at
        counted = {trait: count(seen[trait], started_at) for trait in traits}
        is_undecided = undecided(counted, traits, policy.group_min_sites)
        if not is_undecided and not self._dependencies.are_undecided(check, started_at):
            return alone
        self._may_hold = True
        until = min(at + timedelta(seconds=policy.group_hold_s), started_at + TOLD_WITHIN)
        return replace(alone, held_until=max(until, at))

    async def offer(self, incident_id: int) -> None:
        """Has an incident told that nobody was told of so far: by itself, or with others that fail as it does."""
        async with self._changing:
            incident = await self._incidents.get(incident_id)
            if incident is None or incident.state is IncidentState.RESOLVED or incident.is_silent:
                return
            until = self._clock.now() + timedelta(seconds=self._policy().group_hold_s)
            await self._incidents.save(replace(incident, held_until=until), [], [])
            self._may_hold = True

    def _lasts(self, parent: Incident, trait: Trait, seen: ByTrait) -> bool:
        """Whether what a group shares still fails: one that a single site holds open takes no further member."""
        return count(seen[trait], parent.started_at, lasting=True).is_believed(self._policy().group_min_sites)

    # ── what is held ─────────────────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Decides what is held, until it is cancelled."""
        while True:
            try:
                await self.decide()
            except StoreError:
                self._telemetry.count("store_errors_total", kind="incidents")
            await self._clock.sleep(LOOKED_AT_S)

    async def decide(self) -> None:
        """Gathers what fails together and tells the rest, as far as it is known or as no more time is left."""
        if not self._may_hold:
            return
        async with self._changing:
            incidents = await self._incidents.held()
            self._may_hold = bool(incidents)
            free = [incident for incident in incidents if not await self._depends(incident)]
            if free:
                await self._decide(await self._fared(free))

    async def _depends(self, incident: Incident) -> bool:
        """Decides what something else is to blame for; returns whether that is so, or may still turn out to be."""
        now, view = self._clock.now(), self._view_of(incident)
        needed = await self._dependencies.outage(view.check) if view is not None else None
        if needed is not None and needed.id != incident.id:
            told = Event(EventKind.INCIDENT_UPDATED, now, str(needed.id), {"added": "dependents"})
            await self._incidents.adopt(needed, [incident.id], [], told)
            return True
        if incident.parent_id is not None:
            await self._let_go(incident, now)
            return True
        is_open = view is not None and self._dependencies.are_undecided(view.check, _failed_at(incident))
        return is_open and not _is_due(incident, now)

    async def _let_go(self, incident: Incident, now: datetime) -> None:
        """What it depended on is well again: it is told by itself unless it has followed within its time."""
        if incident.state is IncidentState.RESOLVED:
            await self._incidents.save(replace(incident, held_until=None), [], [])
        elif _is_due(incident, now):
            await self._release(replace(incident, parent_id=None), now)

    def _view_of(self, incident: Incident) -> CheckView | None:
        return self._view(incident.report.check_key) if incident.report else None

    async def _fared(self, incidents: Sequence[Incident]) -> Held:
        traits = {incident.id: self._traits(incident) for incident in incidents}
        since: dict[Trait, datetime] = {}
        for incident in incidents:
            for trait in traits[incident.id]:
                began = _failed_at(incident)
                since[trait] = min(since.get(trait, began), began)
        seen = await self._sightings.by_trait(since.keys())
        counted = {trait: count(seen[trait], began) for trait, began in since.items()}
        return Held(incidents, traits, since, counted)

    def _traits(self, incident: Incident) -> frozenset[Trait]:
        report, view = incident.report, self._view_of(incident)
        if report is None or view is None:
            return frozenset()
        return failing_traits(view.check, report.failed, report.last_good)

    async def _decide(self, held: Held) -> None:
        now, fewest = self._clock.now(), self._policy().group_min_sites
        waiting = {incident.id: incident for incident in held.incidents}
        for group in groups(held.counted, fewest):
            members = held.of(group)
            is_due = any(_is_due(member, now) for member in members)
            decided = members and (is_due or _is_whole(group, members, held.counted[group.trait]))
            if not decided or await self._gather(group, members, held, now):
                for member in members:
                    waiting.pop(member.id, None)
        for incident in waiting.values():
            if _is_due(incident, now) or not undecided(held.counted, held.traits[incident.id], fewest):
                await self._release(incident, now)

    async def _release(self, incident: Incident, now: datetime) -> None:
        """Tells an incident by itself; one that has recovered meanwhile is told whole."""
        events = [Event(EventKind.INCIDENT_UPDATED, now, str(incident.id), {"released": True})]
        if incident.state is IncidentState.RESOLVED:
            end = {"opening": incident.opening}
            events.append(Event(EventKind.INCIDENT_RESOLVED, now, str(incident.id), end))
        await self._incidents.save(replace(incident, held_until=None), [], events)

    # ── a group ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _gather(self, group: Group, members: Sequence[Incident], held: Held, now: datetime) -> bool:
        """Makes one incident of those that fail together; returns whether there are enough of them."""
        told = await self._told_already(group, members, held.since[group.trait])
        gathered = [*members, *told]
        if len(gathered) < FEWEST_MEMBERS:
            return False
        parent, event = await self._parent(group, gathered, held.counted[group.trait], now)
        text = f"{len(gathered)} sites fail together: {group.trait.kind} {group.trait.value}".strip()
        entry = TimelineEntry(now, "grouped", text, {"incidents": [one.id for one in gathered][:ENTRIES]})
        parent = await self._incidents.adopt(parent, [one.id for one in gathered], [entry], event)
        if event.kind is EventKind.INCIDENT_OPENED:
            self._telemetry.count("incidents_total", severity=parent.severity)
        _log.info("sites fail together", incident=parent.id, trait=group.trait.key, sites=len(gathered))
        return True

    async def _told_already(self, group: Group, members: Sequence[Incident], since: datetime) -> list[Incident]:
        """Returns the incidents of the group's other sites: those that failed first were told before it was one."""
        found = []
        for site_key in sorted(group.sites - {member.site_key for member in members}):
            incident = await self._incidents.unresolved(site_key)
            if incident is not None and self._is_of(incident, since):
                found.append(incident)
        return found

    def _is_of(self, incident: Incident, since: datetime) -> bool:
        is_free = incident.parent_id is None and not self._quiet(incident, self._clock.now())
        return is_free and _failed_at(incident) >= since - TOGETHER

    async def _parent(
        self, group: Group, gathered: Sequence[Incident], tally: Tally, now: datetime
    ) -> tuple[Incident, Event]:
        """Returns the incident of a group as it shall be, and what is said of it."""
        severity = min(member.severity for member in gathered)
        facts = {
            "trait": group.trait.kind.value,
            "value": group.trait.value,
            "count": len(gathered),
            "failing": len(tally.failing),
            "answering": len(tally.answering),
        }
        latest = await self._incidents.latest(group.trait.key)
        if latest is not None and latest.state is not IncidentState.RESOLVED:
            facts["count"] = len(latest.members) + len(gathered)
            parent = replace(latest, severity=min(latest.severity, severity), facts=facts)
            return parent, Event(EventKind.INCIDENT_UPDATED, now, str(latest.id), {"added": "members"})
        if latest is not None and latest.recovered_at is not None and now < latest.recovered_at + REOPEN_WITHIN:
            again = _reopened(replace(latest, severity=severity, facts=facts))
            told = Event(EventKind.INCIDENT_REOPENED, now, str(again.id), {"opening": again.opening})
            return again, told
        parent = Incident(
            id=0,
            key=group.trait.key,
            site_key="",
            client_key="",
            severity=severity,
            state=IncidentState.OPEN,
            opening=1,
            started_at=min(_failed_at(member) for member in gathered),
            detected_at=now,
            checks_down=frozenset(),
            report=None,
            concern=ConcernKind.GROUP,
            facts=facts,
        )
        return parent, Event(EventKind.INCIDENT_OPENED, now, "")

    async def handle(self, event: Event) -> None:
        """Follows what happens to members; repeating it changes nothing."""
        if event.kind is EventKind.FAILURE_SUSPECTED:
            self._sightings.suspected(event)
        elif event.kind is EventKind.FAILURE_WITHDRAWN:
            self._sightings.withdrawn(event)
        reaction = self._reactions.get(event.kind)
        if reaction is None:
            return
        async with self._changing:
            incident = await self._incidents.get(int(event.subject))
            if incident is not None and incident.parent_id is not None:
                await reaction(event, incident)
            if incident is not None and event.kind is EventKind.INCIDENT_RESOLVED and not incident.is_group:
                await self._watch_dependents(event, incident)

    async def _watch_dependents(self, event: Event, needed: Incident) -> None:
        """Gives those that depended on what is well again the time of one probe and its re-checks to follow."""
        for member in needed.members:
            incident = await self._incidents.get(member.id) if member.state is not IncidentState.RESOLVED else None
            view = self._view_of(incident) if incident is not None else None
            if incident is None or incident.held_until is not None:
                continue
            check = view.check if view is not None else None
            follows_s = check.interval_s + sum(check.recheck_after_s) + FOLLOWS_S if check is not None else 0.0
            until = event.at + timedelta(seconds=follows_s)
            self._may_hold = True
            await self._incidents.save(replace(incident, held_until=until), [], [])

    async def _group_of(self, member: Incident) -> Incident | None:
        parent = await self._incidents.get(member.parent_id) if member.parent_id is not None else None
        is_open = parent is not None and parent.is_group and parent.state is not IncidentState.RESOLVED
        return parent if is_open else None

    async def _joined(self, event: Event, member: Incident) -> None:
        """One more site of a group that is told already: nobody is told again, but everybody can see it."""
        parent = await self._group_of(member)
        if parent is None or _is_noted(parent, event, member):
            return
        facts = {**parent.facts, "count": len(parent.members)}
        joined = replace(parent, severity=min(parent.severity, member.severity), facts=facts)
        told = Event(EventKind.INCIDENT_UPDATED, event.at, str(parent.id), {"added": "members"})
        await self._incidents.save(joined, _noted(parent, event, member, "fails too"), [told])

    async def _left(self, event: Event, member: Incident) -> None:
        parent = await self._group_of(member)
        if parent is None or (_is_noted(parent, event, member) and not _is_over(parent)):
            return
        noted = _noted(parent, event, member, "is well again")
        if not _is_over(parent):
            told = Event(EventKind.INCIDENT_UPDATED, event.at, str(parent.id), {"added": "recovery"})
            await self._incidents.save(parent, noted, [told])
            return
        ends = [one.recovered_at for one in parent.members if one.recovered_at is not None]
        over = replace(
            parent,
            state=IncidentState.RESOLVED,
            resolved_at=event.at,
            recovered_at=max([*ends, parent.started_at]),
        )
        end = TimelineEntry(event.at, "resolved", "all its sites are well again")
        told = Event(EventKind.INCIDENT_RESOLVED, event.at, str(over.id), {"opening": over.opening})
        await self._incidents.save(over, [*noted, end], [told])
        _log.info("sites that failed together are well", incident=over.id, sites=len(parent.members))


def _failed_at(incident: Incident) -> datetime:
    """When the outage began that is told now: an incident that was re-opened began long before."""
    return incident.report.failed.scheduled_at if incident.report else incident.started_at


def _is_due(incident: Incident, now: datetime) -> bool:
    return incident.held_until is None or incident.held_until <= now


def _is_whole(group: Group, members: Sequence[Incident], tally: Tally) -> bool:
    """Whether there is nothing left to wait for: every site that could belong to it has been confirmed."""
    return not tally.unseen and group.sites == {member.site_key for member in members}


def _is_over(parent: Incident) -> bool:
    return all(member.state is IncidentState.RESOLVED for member in parent.members)


def _is_noted(parent: Incident, event: Event, member: Incident) -> bool:
    wanted = (event.kind.value, member.id, member.opening)
    return any(
        (entry.kind, entry.data.get("incident"), entry.data.get("opening")) == wanted for entry in parent.timeline
    )


def _noted(parent: Incident, event: Event, member: Incident, what: str) -> list[TimelineEntry]:
    if len(parent.timeline) >= ENTRIES:
        return []
    data = {"incident": member.id, "opening": member.opening}
    return [TimelineEntry(event.at, event.kind.value, f"{member.site_key} {what}", data)]


def _reopened(latest: Incident) -> Incident:
    return replace(
        latest,
        state=IncidentState.OPEN,
        opening=latest.opening + 1,
        acknowledged_at=None,
        acknowledged_by=None,
        resolved_at=None,
        recovered_at=None,
    )
