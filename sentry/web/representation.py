"""Turns values of the domain into the documents of the interface."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from urllib.parse import urlsplit, urlunsplit

from sentry.domain.budget import floored_percent
from sentry.domain.incident import Incident
from sentry.domain.ledger import Explained
from sentry.domain.request_budget import Allowance, Spent
from sentry.domain.responsibility import AttributionEntry, standing_side
from sentry.domain.result import ProbeResult
from sentry.domain.ticket import Ticket
from sentry.services.reckoning import SiteMonth
from sentry.services.watch import CheckView
from sentry.web.documents import (
    AskedDocument,
    AttributionDocument,
    BudgetDocument,
    CheckDocument,
    IncidentDetailDocument,
    IncidentDocument,
    LedgerDocument,
    MemberDocument,
    MinutesDocument,
    ResultDocument,
    RunDocument,
    SiteDetailDocument,
    SiteDocument,
    TicketDetailDocument,
    TicketDocument,
    TicketEntryDocument,
    TimelineDocument,
)
from sentry.web.standing import SiteStanding


def public_url(url: str) -> str:
    """Returns a URL without the user name and password that may stand in it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def result_document(result: ProbeResult) -> ResultDocument:
    """Returns a result without its evidence."""
    http, tls = result.evidence.http, result.evidence.tls
    chain = tls.chain if tls else ()
    return ResultDocument(
        scheduled_at=result.scheduled_at,
        status=result.status,
        reason=result.reason,
        failed_phase=result.failed_phase,
        detail=result.detail,
        duration_s=result.duration_s,
        phases=result.phases,
        address=result.evidence.address,
        http_status=http.status if http else None,
        certificate_expires_at=min((certificate.not_after for certificate in chain), default=None),
    )


def check_document(view: CheckView) -> CheckDocument:
    """Returns a check with what is believed of it."""
    check = view.check
    return CheckDocument(
        key=check.key,
        site=check.site_key,
        kind=check.kind,
        url=public_url(check.url),
        counts=check.options.counts,
        weight=check.options.weight,
        interval_s=check.interval_s,
        state=view.health.state,
        since=view.health.since,
        blips=view.health.blips,
        last=result_document(view.last) if view.last else None,
    )


def site_document(standing: SiteStanding) -> SiteDocument:
    """Returns a site and how it stands."""
    site = standing.site
    return SiteDocument(
        key=site.key,
        name=site.name,
        url=public_url(site.url),
        client=site.client_key,
        client_name=site.client_name,
        uptime_target=site.uptime_target,
        state=standing.standing,
        since=standing.since,
        incident=standing.incident.id if standing.incident else None,
        response_s=standing.response_s,
    )


def asked_document(spent: Spent, allowance: Allowance) -> AskedDocument:
    """Returns what a site was asked today."""
    return AskedDocument(
        requests=spent.requests,
        requests_allowed=allowance.requests,
        received_bytes=spent.received_bytes,
        received_bytes_allowed=allowance.received_bytes,
    )


def site_detail_document(standing: SiteStanding, spent: Spent) -> SiteDetailDocument:
    """Returns a site with its checks."""
    asked = asked_document(spent, standing.site.allowance)
    checks = [check_document(check.view) for check in standing.checks]
    return SiteDetailDocument(**dict(site_document(standing)), asked_today=asked, checks=checks)


def incident_document(incident: Incident, cause: str) -> IncidentDocument:
    """Returns an incident; `cause` is its line for people."""
    return IncidentDocument(
        id=incident.id,
        site=incident.site_key,
        client=incident.client_key,
        severity=incident.severity,
        state=incident.state,
        kind=incident.kind,
        cause=cause,
        reason=incident.report.reason if incident.report else None,
        opening=incident.opening,
        started_at=incident.started_at,
        detected_at=incident.detected_at,
        acknowledged_at=incident.acknowledged_at,
        recovered_at=incident.recovered_at,
        resolved_at=incident.resolved_at,
        time_to_detect_s=incident.time_to_detect.total_seconds(),
        time_to_acknowledge_s=_seconds(incident.time_to_acknowledge),
        time_to_resolve_s=_seconds(incident.time_to_resolve),
        checks_down=sorted(incident.checks_down),
        ticket=incident.ticket_number,
        flapping_since=incident.flapping_since,
        held_until=incident.held_until,
        part_of=incident.parent_id,
    )


def incident_detail_document(
    incident: Incident, cause: str, said: Sequence[AttributionEntry]
) -> IncidentDetailDocument:
    """Returns an incident with timeline and report; `said` is every word on whose side it was, oldest first."""
    timeline = [TimelineDocument(at=entry.at, kind=entry.kind, text=entry.text) for entry in incident.timeline]
    own = dict(incident_document(incident, cause))
    return IncidentDetailDocument(
        **own,
        side=standing_side(said) if said else None,
        timeline=timeline,
        report=incident.report,
        facts=dict(incident.facts),
        members=[
            MemberDocument(
                id=one.id,
                site=one.site_key,
                client=one.client_key,
                severity=one.severity,
                state=one.state,
                started_at=one.started_at,
                recovered_at=one.recovered_at,
            )
            for one in incident.members
        ],
    )


def attribution_document(entry: AttributionEntry) -> AttributionDocument:
    """Returns a word on whose side an incident was."""
    return AttributionDocument(
        at=entry.at, side=entry.side, opening=entry.opening, by=entry.by, basis=entry.basis, reason=entry.reason
    )


def ticket_document(ticket: Ticket) -> TicketDocument:
    """Returns a ticket."""
    return TicketDocument(
        number=ticket.number,
        site=ticket.site_key,
        client=ticket.client_key,
        title=ticket.title,
        state=ticket.state,
        created_at=ticket.created_at,
    )


def ticket_detail_document(ticket: Ticket) -> TicketDetailDocument:
    """Returns a ticket with its history."""
    entries = [
        TicketEntryDocument(
            sequence=entry.sequence,
            at=entry.at,
            author=entry.author,
            visibility=entry.visibility,
            kind=entry.kind,
            text=entry.text,
            state=entry.state,
            hash=entry.hash,
        )
        for entry in ticket.entries
    ]
    return TicketDetailDocument(**dict(ticket_document(ticket)), entries=entries)


def budget_document(reckoned: SiteMonth) -> BudgetDocument:
    """Returns the budget of a month."""
    budget, site = reckoned.budget, reckoned.site
    counted = budget.minutes
    return BudgetDocument(
        site=site.key,
        month=str(reckoned.month),
        time_zone=site.zone.key,
        target=site.uptime_target,
        verdict=budget.verdict,
        promised=budget.promised,
        measured=_percent(budget.measured),
        observed=_percent(budget.observed.measured),
        worst=_percent(budget.worst),
        best=_percent(budget.best),
        left_out_minutes=budget.left_out,
        allowed_minutes=float(budget.allowed),
        spent_minutes=budget.spent,
        left_minutes=float(budget.left),
        used_percent=round(float(budget.used * 100), 3),
        runs_out={
            window: None if minute is None else instant(minute) for window, minute in reckoned.runs_out.items()
        },
        start=instant(budget.start),
        until=instant(budget.until),
        end=instant(budget.end),
        minutes=MinutesDocument(
            up=counted.up,
            down=counted.down,
            degraded=counted.degraded,
            maintenance=counted.maintenance,
            unknown=counted.unknown,
        ),
    )


def ledger_document(reckoned: SiteMonth) -> LedgerDocument:
    """Returns the budget of a month with its runs."""
    runs = [_run(explained) for explained in reckoned.explained]
    return LedgerDocument(**dict(budget_document(reckoned)), runs=runs)


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def instant(minute: int) -> datetime:
    """Returns when a minute of the ledger begins, aware UTC."""
    return datetime.fromtimestamp(minute * 60, UTC)


def _run(explained: Explained) -> RunDocument:
    run = explained.run
    return RunDocument(
        start=instant(run.start),
        end=instant(run.end),
        state=run.state,
        minutes=run.minutes,
        decided_by=list(explained.decided_by),
    )


def _percent(share: Fraction | None) -> float | None:
    percent = floored_percent(share)
    return None if percent is None else float(percent)
