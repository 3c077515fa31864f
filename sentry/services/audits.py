"""The audits of all sites: each one in its night, again where it failed, and told where it is late (promise 001-38).

What is due is worked out anew from when the last audit ended, which the store knows; so a restart, another
configuration and an audit that was ordered by hand change nothing of the promise.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from sentry.domain.allow_list import standing, with_allowed
from sentry.domain.audit_record import AuditRecord
from sentry.domain.audited_site import AuditedSite, AuditStanding
from sentry.domain.errors import AuditFailed, StoreError, StoreUnavailable
from sentry.domain.finding import AuditReport, FindingClass
from sentry.ports import AuditBook, Clock, Observation, ObservationBook, Telemetry
from sentry.services.audit_concerns import AuditConcerns
from sentry.services.turns import in_turns

OBSERVATIONS = "audit"
"""Kind of the observations that say when a site was first seen, and what has failed."""

CLEANED = "cleaned"
"""Kind of the observations that say when a site was cleaned last."""

LOOK_EVERY_S = 10.0
REFUSALS = 6
"""Failures that a host's refusal counts for: knocking at it again and again would get us locked out."""


Sites = Callable[[], Sequence[AuditedSite]]
Audit = Callable[[AuditedSite], Awaitable[AuditReport]]
"""Looks at a site; raises `AuditFailed` where it cannot."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit that came to its end: what was found, with what is allowed, and what was kept of it."""

    record: AuditRecord
    report: AuditReport


class AuditDesk:
    """Takes the report of an audit: says what is allowed, keeps the proof, and tells of what was found.

    Args:
        book: where audits are kept.
        concerns: tells of what was found.
    """

    def __init__(self, book: AuditBook, concerns: AuditConcerns, clock: Clock) -> None:
        self._book = book
        self._concerns = concerns
        self._clock = clock

    async def take(self, site: AuditedSite, report: AuditReport) -> Audited:
        """Takes a report.

        Raises:
            StoreUnavailable: it could not be kept; nothing was told.
        """
        said = [one.entry for one in standing(await self._book.allowed(site.key)) if one.entry is not None]
        today = self._clock.now().astimezone(site.zone).date()
        judged = with_allowed(replace(report, site_key=site.key), [*site.allow, *said], today)
        record = await self._book.keep(judged)
        await self._concerns.tell(site, judged)
        return Audited(record, judged)


class AuditRounds:
    """Audits every site when it is due.

    Args:
        sites: those that can be reached now.
        audit: looks at one.
        desk: takes what was found.
        at_once: how many audits may run at once.
        look_every_s: from one look at what is due to the next.
    """

    def __init__(
        self,
        sites: Sites,
        audit: Audit,
        *,
        desk: AuditDesk,
        concerns: AuditConcerns,
        book: AuditBook,
        observations: ObservationBook,
        telemetry: Telemetry,
        clock: Clock,
        at_once: Callable[[], int],
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._sites = sites
        self._audit = audit
        self._desk = desk
        self._concerns = concerns
        self._book = book
        self._observations = observations
        self._telemetry = telemetry
        self._clock = clock
        self._at_once = at_once
        self._look_every_s = look_every_s
        self._standings: dict[str, AuditStanding] | None = None
        self._newest: Mapping[str, AuditRecord] = {}
        self._seen = -1
        self._plans: dict[str, _Plan] = {}
        self._running: dict[str, tuple[str, asyncio.Task[None]]] = {}

    def standing(self, site_key: str) -> AuditStanding | None:
        """Returns how the audits of a site stand, None where it is not audited or not yet known."""
        return (self._standings or {}).get(site_key)

    def newest(self, site_key: str) -> AuditRecord | None:
        """Returns the last audit of a site, None where there is none."""
        return self._newest.get(site_key)

    def next_at(self, site_key: str) -> datetime | None:
        """Returns when the next audit of a site begins, None where that is not known."""
        plan = self._plans.get(site_key)
        return None if plan is None else plan.begins_at

    @property
    def running(self) -> frozenset[str]:
        """The sites that are looked at now."""
        return frozenset(self._running)

    async def run(self) -> None:
        """Keeps looking what is due, until it is cancelled; audits under way end with it."""
        try:
            while True:
                with suppress(StoreUnavailable):  # the next look does it
                    await self.look()
                await self._clock.sleep(self._look_every_s)
        finally:
            await self._stop()

    async def look(self) -> None:
        """Starts what is due, as far as hosts are free, and tells of what is late.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        await self._refresh()
        sites = {site.key: site async for site in in_turns(self._sites())}
        await self._meet(sites)
        await self._hear_of_cleanings()
        now = self._clock.now()
        plans = [self._plan(site) async for site in in_turns(list(sites.values()))]
        for plan in sorted((one for one in plans if one.begins_at <= now), key=lambda one: one.begins_at):
            self._start(plan.site)
        await self._tell(plans, now)

    # ── what is known ────────────────────────────────────────────────────────────────────────────────────────

    async def _refresh(self) -> None:
        """Reads what the store knows better: at the start, and after an audit, also one that was ordered by hand."""
        if self._standings is None:
            self._standings = {
                key: _standing(one) for key, one in (await self._observations.all(OBSERVATIONS)).items()
            }
        count = await self._book.count()
        if count != self._seen:
            self._newest, self._seen = await self._book.newest(), count
            for key, record in self._newest.items():
                known = self._standings.get(key) or AuditStanding(record.began_at)
                if known.completed_at is None or known.completed_at < record.ended_at:
                    known = replace(known, completed_at=record.ended_at, failures=0, failed_at=None, why="")
                self._standings[key] = known

    async def _hear_of_cleanings(self) -> None:
        assert self._standings is not None  # noqa: S101  # read before
        for key, cleaned in (await self._observations.all(CLEANED)).items():
            known = self._standings.get(key)
            if known is not None and known.cleaned_at != cleaned.at:
                self._standings[key] = replace(known, cleaned_at=cleaned.at)

    async def _meet(self, sites: Mapping[str, AuditedSite]) -> None:
        assert self._standings is not None  # noqa: S101  # read before
        now = self._clock.now()
        new = {key: AuditStanding(now) for key in sites.keys() - self._standings.keys()}
        await self._observations.keep_all(OBSERVATIONS, {key: _observed(one) for key, one in new.items()})
        self._standings |= new

        self._plans = {key: plan for key, plan in self._plans.items() if key in sites}

    def _plan(self, site: AuditedSite) -> "_Plan":
        """Returns what is planned for a site; worked out again only where something has changed."""
        known, plan = self._standing_of(site), self._plans.get(site.key)
        if plan is None or plan.site is not site or plan.standing is not known:
            plan = self._plans[site.key] = _Plan(site, known, known.begins_at(site), known.is_late_from(site))
            self._measure(plan)
        return plan

    def _standing_of(self, site: AuditedSite) -> AuditStanding:
        assert self._standings is not None  # noqa: S101  # read before
        return self._standings[site.key]

    # ── what is done ─────────────────────────────────────────────────────────────────────────────────────────

    def _start(self, site: AuditedSite) -> None:
        hosts = {host for host, _ in self._running.values()}
        if site.key not in self._running and site.host not in hosts and len(self._running) < self._at_once():
            task = asyncio.get_running_loop().create_task(self._work(site), name=f"audit of {site.key}")
            self._running[site.key] = site.host, task
            task.add_done_callback(lambda _done: self._running.pop(site.key, None))

    async def _work(self, site: AuditedSite) -> None:
        try:
            audited = await self._desk.take(site, await self._audit(site))
        except Exception as error:  # noqa: BLE001  # whatever it was: it is no verdict, and is tried again
            _log.warning("audit failed", site=site.key, error=str(error), kind=type(error).__name__)
            needs_a_person = isinstance(error, AuditFailed) and not error.retryable
            await self._failed(site, str(error) or type(error).__name__, weight=REFUSALS if needs_a_person else 1)
            return
        self._telemetry.count("audits_total", result="completed")
        worst = audited.record.worst
        _log.info("audit completed", site=site.key, number=audited.record.number, worst=worst and worst.value)

    async def _failed(self, site: AuditedSite, why: str, *, weight: int) -> None:
        self._telemetry.count("audits_total", result="failed")
        known, now = self._standing_of(site), self._clock.now()
        failed = replace(known, failures=known.failures + weight, failed_at=now, why=why[:500])
        if self._standings is not None:
            self._standings[site.key] = failed
        with suppress(StoreError):  # then a restart tries at once, which does no harm
            await self._observations.keep(OBSERVATIONS, site.key, _observed(failed))

    async def _stop(self) -> None:
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ── what is told ─────────────────────────────────────────────────────────────────────────────────────────

    async def _tell(self, plans: "Sequence[_Plan]", now: datetime) -> None:
        late = [plan for plan in plans if now > plan.late_from]
        await self._concerns.tell_late({plan.site.key: (plan.site, plan.standing) for plan in late})
        await self._concerns.release([plan.site.key for plan in plans])
        self._telemetry.gauge("audits_late", len(late))
        self._telemetry.gauge("audits_running", len(self._running))

    def _measure(self, plan: "_Plan") -> None:
        site, record = plan.site.key, self._newest.get(plan.site.key)
        self._telemetry.gauge("audit_next_timestamp_seconds", plan.begins_at.timestamp(), site=site)
        if record is None:
            return
        took_s = (record.ended_at - record.began_at).total_seconds()
        self._telemetry.gauge("audit_last_completed_timestamp_seconds", record.ended_at.timestamp(), site=site)
        self._telemetry.gauge("audit_duration_seconds", took_s, site=site)
        self._telemetry.gauge("audit_files", record.files, site=site)
        for verdict in FindingClass:
            self._telemetry.gauge("audit_findings", record.counts.get(verdict, 0), site=site, verdict=verdict.value)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What follows for a site from how its audits stand."""

    site: AuditedSite
    standing: AuditStanding
    begins_at: datetime
    late_from: datetime


def _observed(known: AuditStanding) -> Observation:
    failed_at = None if known.failed_at is None else known.failed_at.isoformat()
    return Observation(known.known_since, {"failures": known.failures, "failed_at": failed_at, "why": known.why})


def _standing(observation: Observation) -> AuditStanding:
    facts = observation.facts
    failed_at = facts.get("failed_at")
    return AuditStanding(
        known_since=observation.at,
        failures=facts.get("failures", 0),
        failed_at=None if failed_at is None else datetime.fromisoformat(failed_at),
        why=facts.get("why", ""),
    )
