"""Incidents: one per site while any of its checks is in a confirmed outage, each with its failure report.

A failure that begins within 15 minutes of the recovery re-opens the same incident. Evidence is collected from the
first failed probe on, beside the re-checks; what is not there when the outage is confirmed is added when it is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from sentry.domain.attribution import attribute
from sentry.domain.errors import NotFound, StoreUnavailable
from sentry.domain.events import Event, EventKind
from sentry.domain.failure_report import CollectedEvidence, FailureReport
from sentry.domain.flapping import REOPENED, begins_to_flap, quiet_since
from sentry.domain.incident import REOPEN_WITHIN, WITHDRAWN, Incident, IncidentState, TimelineEntry
from sentry.domain.incident_policy import IncidentPolicy
from sentry.domain.result import ProbeResult, Reason, Status
from sentry.domain.severity import Severity
from sentry.domain.site import Check
from sentry.domain.weight import Weight
from sentry.ports import Clock, EvidenceCollector, IncidentStore, LedgerReader, Telemetry
from sentry.services.watch import CheckView

_log = structlog.get_logger()

COLLECT_WITHIN_S = 15.0
"""The collection ends before the re-checks do (20 s), so the first alert usually carries all of it."""

CONCURRENT_COLLECTIONS = 24
"""A data centre that fails must not use up the agent's file descriptors; later collections are added as they end."""

FindView = Callable[[str], CheckView | None]
"""What the watch knows of a check now; None for one that is not watched."""

SEVERITIES = {Weight.DECIDES: Severity.SEV1, Weight.DEGRADES: Severity.SEV2, Weight.OBSERVED: Severity.SEV3}
"""How bad it is when a check is down that does not say so itself."""

STORE_RETRY_S = 5.0
"""Waiting until evidence is offered again to a store that did not take it."""

INCIDENT_LIMIT = 10_000
"""Unresolved incidents looked at after a start."""

FLAPPING_ENTRIES = 300
"""A timeline of so many entries gets no more while its incident flaps."""

QUIET_LOOKED_AT_S = 5.0
"""How often it is looked whether what flapped has been well for long enough."""

CHANGES_WITHIN = timedelta(hours=24)
FAILURES_SEARCHED = 50

LEFT_BY = {
    "check_recovered": "answers again",
    "check_removed": "is no longer watched",
    WITHDRAWN: "failed by our own fault",
}
"""How a check ceases to be down, by the kind of its entry in the timeline."""


PlaceOutage = Callable[[Incident, Check, datetime], Awaitable[Incident]]
"""Decides how an outage that was confirmed at an instant is told (`Groups.place`)."""


async def _at_once(incident: Incident, _check: Check, _at: datetime) -> Incident:
    return incident


class Incidents:
    """Opens, extends, re-opens and resolves incidents.

    Args:
        view: what the watch knows of a check now; None for one that was removed.
        incidents: where they are kept.
        ledger: failed results and recent changes.
        collector: looks around a failure.
        asked: told how often a site was asked for that, by its key.
        policy: what is told, as it is configured now.
        place: decides whether an outage is told by itself.

    Attributes:
        changing: held by whoever changes an incident, so that changes never overlap.
    """

    def __init__(
        self,
        *,
        view: FindView,
        incidents: IncidentStore,
        ledger: LedgerReader,
        collector: EvidenceCollector,
        clock: Clock,
        telemetry: Telemetry,
        policy: Callable[[], IncidentPolicy] = IncidentPolicy,
        place: PlaceOutage = _at_once,
        changing: asyncio.Lock | None = None,
        asked: Callable[[str, int], None] | None = None,
    ) -> None:
        self._view = view
        self._policy = policy
        self._place = place
        self._incidents = incidents
        self._ledger = ledger
        self._collector = collector
        self._asked = asked
        self._clock = clock
        self._telemetry = telemetry
        self._collections: dict[str, asyncio.Task[CollectedEvidence]] = {}
        self._late: set[asyncio.Task[None]] = set()
        self._quiet: set[int] = set()
        self.changing = changing or asyncio.Lock()
        self._collectors = asyncio.Semaphore(CONCURRENT_COLLECTIONS)
        self._reactions: dict[EventKind, Callable[[Event, Check], Awaitable[None]]] = {
            EventKind.FAILURE_SUSPECTED: self._suspected,
            EventKind.BLIP_RECOVERED: self._vanished,
            EventKind.FAILURE_WITHDRAWN: self._withdrawn,
            EventKind.OUTAGE_CONFIRMED: self._confirmed,
            EventKind.OUTAGE_ENDED: self._ended,
        }

    async def handle(self, event: Event) -> None:
        """Reacts to what the watch saw."""
        reaction = self._reactions.get(event.kind)
        if reaction is None:
            return
        view = self._view(event.subject)
        if view is not None:
            async with self.changing:
                await reaction(event, view.check)

    async def checks_removed(self, check_keys: Collection[str]) -> None:
        """Lets go of checks that left the configuration: nobody will see them recover, so they hold nothing open."""
        now = self._clock.now()
        for key in check_keys:
            async with self.changing:
                incident = await self._incidents.unresolved(key.partition("/")[0])
                if incident is not None and key in incident.checks_down:
                    await self._recover(incident, key, now, now, how="check_removed")

    async def change(
        self, incident_id: int, changed: Callable[[Incident], Incident], entry: TimelineEntry | None = None
    ) -> Incident:
        """Changes one incident as it stands now; changes never overlap, so none is lost.

        Raises:
            NotFound: there is no such incident.
        """
        async with self.changing:
            incident = await self._incidents.get(incident_id)
            if incident is None:
                raise NotFound(f"there is no incident {incident_id}")
            incident = changed(incident)
            await self._incidents.save(incident, [entry] if entry else [], [])
            return incident

    async def resume(self) -> None:
        """Takes up what the last stop cut short: evidence not collected yet, and waits for what flapped."""
        for state in (IncidentState.OPEN, IncidentState.ACKNOWLEDGED):
            for incident in await self._incidents.list(state=state, limit=INCIDENT_LIMIT):
                report = incident.report
                view = self._view(report.check_key) if report else None
                if report is not None and report.evidence is None and view is not None:
                    self._expect_late(incident.id, self._collecting(view.check))
                if quiet_since(incident) is not None:
                    self._quiet.add(incident.id)

    async def settled(self) -> None:
        """Waits until every late part of a report has been added; for tests and for an orderly stop."""
        while self._late:
            await asyncio.gather(*self._late)

    async def close(self) -> None:
        """Stops the collections under way."""
        tasks = [*self._collections.values(), *self._late]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _suspected(self, _event: Event, check: Check) -> None:
        self._drop_collection(check)
        self._collecting(check)

    async def _vanished(self, _event: Event, check: Check) -> None:
        self._drop_collection(check)

    async def _withdrawn(self, event: Event, check: Check) -> None:
        """What failed was the agent's own fault: the check was not down."""
        self._drop_collection(check)
        incident = await self._incidents.unresolved(check.site_key)
        if incident is not None and check.key in incident.checks_down:
            await self._recover(incident, check.key, event.at, event.at, how=WITHDRAWN)

    def _drop_collection(self, check: Check) -> None:
        task = self._collections.pop(check.key, None)
        if task is not None:
            task.cancel()

    def _collecting(self, check: Check) -> asyncio.Task[CollectedEvidence]:
        task = self._collections.get(check.key)
        if task is None:
            task = asyncio.create_task(self._collect(check), name=f"evidence:{check.key}")
            self._collections[check.key] = task
        return task

    async def _collect(self, check: Check) -> CollectedEvidence:
        async with self._collectors:
            evidence = await self._collector.collect(check.watched_url, COLLECT_WITHIN_S)
        if self._asked is not None:
            self._asked(check.site_key, len(evidence.addresses))
        return evidence

    async def _confirmed(self, event: Event, check: Check) -> None:
        started_at = datetime.fromisoformat(event.data["started_at"])
        standing = await self._incidents.unresolved(check.site_key)
        if standing is not None and quiet_since(standing) is None:
            if check.key not in standing.checks_down:
                self._drop_collection(check)  # the report is about the check that failed first
                await self._join(standing, event, check)
            return
        report, late = await self._report(event, check, started_at)
        latest = standing or await self._incidents.latest(check.site_key)
        if (
            latest is not None
            and latest.recovered_at is not None
            and started_at < latest.recovered_at + REOPEN_WITHIN
        ):
            incident = await self._reopen(latest, event, check, report)
        else:
            incident = await self._open(event, check, report, started_at)
        if late is not None:
            self._expect_late(incident.id, late)

    async def _open(self, event: Event, check: Check, report: FailureReport, started_at: datetime) -> Incident:
        incident = Incident(
            id=0,
            key=check.site_key,
            site_key=check.site_key,
            client_key=check.client_key,
            severity=severity_of(check),
            state=IncidentState.OPEN,
            opening=1,
            started_at=started_at,
            detected_at=event.at,
            checks_down=frozenset({check.key}),
            report=report,
            timeline=(_first_failure(report, started_at), _confirmed_entry(event)),
        )
        incident = await self._place(incident, check, event.at)
        opened = await self._incidents.open(incident, [Event(EventKind.INCIDENT_OPENED, event.at, "")])
        self._telemetry.count("incidents_total", severity=incident.severity)
        self._telemetry.count("incident_detect_seconds", incident.time_to_detect.total_seconds())
        _log.info("incident opened", incident=opened.id, site=check.site_key, reason=report.reason)
        return opened

    async def _reopen(self, latest: Incident, event: Event, check: Check, report: FailureReport) -> Incident:
        limit = self._policy().flapping_after
        begins = latest.flapping_since is None and begins_to_flap(latest.timeline, event.at, limit)
        incident = replace(
            latest,
            severity=min(latest.severity, severity_of(check)),
            state=IncidentState.OPEN,
            opening=latest.opening + 1,
            checks_down=frozenset({check.key}),
            report=report,
            acknowledged_at=None,
            acknowledged_by=None,
            resolved_at=None,
            recovered_at=None,
            flapping_since=event.at if begins else latest.flapping_since,
        )
        failed_at = report.failed.scheduled_at
        text = f"failed again {_minutes(failed_at - (latest.recovered_at or failed_at))} after it recovered"
        entries = [_first_failure(report, failed_at), TimelineEntry(event.at, REOPENED, text)]
        again = Event(EventKind.INCIDENT_REOPENED, event.at, str(incident.id), {"opening": incident.opening})
        if begins:
            entries.append(TimelineEntry(event.at, "flapping", "it flaps: told again once it has been well for long"))
        if latest.flapping_since is None:
            incident = await self._place(incident, check, event.at)
            await self._incidents.save(incident, entries, [again])
        else:
            await self._incidents.save(incident, _as_far_as_kept(latest, entries), [])
        return incident

    async def _join(self, incident: Incident, event: Event, check: Check) -> None:
        joined = replace(
            incident,
            checks_down=incident.checks_down | {check.key},
            severity=min(incident.severity, severity_of(check)),
        )
        text = f"{check.key} fails too: {event.data.get('reason')} {event.data.get('detail', '')}".strip()
        entry = TimelineEntry(event.at, "check_joined", text, {"check": check.key, **event.data})
        await self._incidents.save(joined, [entry], [Event(EventKind.INCIDENT_UPDATED, event.at, str(incident.id))])

    async def _ended(self, event: Event, check: Check) -> None:
        incident = await self._incidents.unresolved(check.site_key)
        if incident is None or check.key not in incident.checks_down:
            return
        await self._recover(incident, check.key, event.at, datetime.fromisoformat(event.data["ended_at"]))

    async def _recover(
        self, incident: Incident, check_key: str, at: datetime, recovered_at: datetime, how: str = "check_recovered"
    ) -> None:
        left = incident.checks_down - {check_key}
        entries = [TimelineEntry(at, how, f"{check_key} {LEFT_BY[how]}", {"check": check_key})]
        events = [Event(EventKind.INCIDENT_UPDATED, at, str(incident.id))]
        incident = replace(incident, checks_down=left)
        if left:
            await self._incidents.save(incident, entries, events)
            return
        recovered_at = max(recovered_at, incident.started_at)  # the clock may have been set back meanwhile
        incident = replace(incident, recovered_at=recovered_at)
        if incident.flapping_since is None:
            await self._resolve(incident, at, entries)
            return
        await self._incidents.save(incident, _as_far_as_kept(incident, entries), [])
        self._quiet.add(incident.id)

    async def _resolve(self, incident: Incident, at: datetime, entries: Sequence[TimelineEntry] = ()) -> None:
        lasted = incident.time_to_resolve or timedelta(0)
        resolved = replace(incident, state=IncidentState.RESOLVED, resolved_at=at, flapping_since=None)
        end = TimelineEntry(at, "resolved", f"recovered after {_minutes(lasted)}")
        told = Event(EventKind.INCIDENT_RESOLVED, at, str(incident.id), {"opening": incident.opening})
        await self._incidents.save(resolved, [*entries, end], [told])
        self._telemetry.count("incident_resolve_seconds", lasted.total_seconds())
        _log.info("incident resolved", incident=incident.id, site=incident.site_key)

    async def run(self) -> None:
        """Resolves what flaps no more, until it is cancelled."""
        while True:
            try:
                await self.resolve_quiet()
            except StoreUnavailable:
                self._telemetry.count("store_errors_total", kind="incidents")
            await self._clock.sleep(QUIET_LOOKED_AT_S)

    async def resolve_quiet(self) -> None:
        """Resolves what was flapping and has been well for long enough."""
        until = self._clock.now() - timedelta(seconds=self._policy().stable_s)
        for incident_id in sorted(self._quiet):
            async with self.changing:
                incident = await self._incidents.get(incident_id)
                since = quiet_since(incident) if incident is not None else None
                if incident is not None and since is not None and since <= until:
                    await self._resolve(incident, self._clock.now())
                if since is None or since <= until:
                    self._quiet.discard(incident_id)

    async def _report(
        self, event: Event, check: Check, started_at: datetime
    ) -> tuple[FailureReport, asyncio.Task[CollectedEvidence] | None]:
        """Builds the report of a confirmed outage; the second part is the collection, where it has not ended yet."""
        failed = await self._failed_result(event, check, started_at)
        view = self._view(check.key)
        last_good = view.health.last_good if view else None
        if last_good is not None and last_good.scheduled_at >= started_at:
            last_good = None
        task = self._collecting(check)
        evidence = task.result() if task.done() and not task.cancelled() and task.exception() is None else None
        if evidence is not None:
            self._collections.pop(check.key, None)
        attribution, basis = attribute(failed, evidence)
        report = FailureReport(
            check_key=check.key,
            url=check.watched_url,
            reason=failed.reason or Reason.AGENT_ERROR,
            failed=failed,
            last_good=last_good,
            evidence=evidence,
            changes=tuple(await self._ledger.changes(check.site_key, started_at - CHANGES_WITHIN)),
            attribution=attribution,
            attribution_basis=basis,
        )
        return report, None if evidence is not None else task

    async def _failed_result(self, event: Event, check: Check, started_at: datetime) -> ProbeResult:
        for result in await self._ledger.failures(check.key, FAILURES_SEARCHED):
            if result.scheduled_at == started_at:
                return result
        # Its evidence has been pruned (the agent was away for long): what the event says is what is left.
        return ProbeResult(
            check_key=check.key,
            scheduled_at=started_at,
            started_at=started_at,
            duration_s=0.0,
            status=Status.DOWN,
            reason=Reason(event.data["reason"]),
            detail=event.data.get("detail") or "",
        )

    def _expect_late(self, incident_id: int, collection: asyncio.Task[CollectedEvidence]) -> None:
        task = asyncio.create_task(self._append_late(incident_id, collection), name=f"late-evidence:{incident_id}")
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _append_late(self, incident_id: int, collection: asyncio.Task[CollectedEvidence]) -> None:
        evidence = await collection
        while not await self._appended(incident_id, evidence):
            await self._clock.sleep(STORE_RETRY_S)

    async def _appended(self, incident_id: int, evidence: CollectedEvidence) -> bool:
        try:
            async with self.changing:
                incident = await self._incidents.get(incident_id)
                if incident is not None and incident.report is not None:
                    self._collections.pop(incident.report.check_key, None)
                    await self._add_evidence(incident, incident.report, evidence)
        except StoreUnavailable:
            return False
        return True

    async def _add_evidence(self, incident: Incident, report: FailureReport, evidence: CollectedEvidence) -> None:
        attribution, basis = attribute(report.failed, evidence)
        report = replace(report, evidence=evidence, attribution=attribution, attribution_basis=basis)
        now = self._clock.now()
        entry = TimelineEntry(now, "evidence_added", f"{len(evidence.addresses)} address(es) tried")
        updated = Event(EventKind.INCIDENT_UPDATED, now, str(incident.id), {"added": "evidence"})
        await self._incidents.save(replace(incident, report=report), [entry], [updated])


def severity_of(check: Check) -> Severity:
    """Returns how bad it is when a check is down: what decides the site's state wakes somebody at once."""
    return check.options.severity or SEVERITIES[check.options.weight]


def _as_far_as_kept(incident: Incident, entries: Sequence[TimelineEntry]) -> Sequence[TimelineEntry]:
    """What flaps for weeks does not fill the store: the ledger has every minute of it."""
    return entries if len(incident.timeline) < FLAPPING_ENTRIES else ()


def _first_failure(report: FailureReport, at: datetime) -> TimelineEntry:
    text = f"first failed probe: {report.reason} {report.failed.detail}".strip()
    return TimelineEntry(at, "first_failure", text, {"check": report.check_key, "reason": report.reason})


def _confirmed_entry(event: Event) -> TimelineEntry:
    return TimelineEntry(event.at, "confirmed", "confirmed by re-checks on new connections")


def _minutes(span: timedelta) -> str:
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
