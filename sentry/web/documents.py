"""The answers of the interface as models; the description for callers is made from the same."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from sentry.domain.budget import Verdict
from sentry.domain.failure_report import Attribution, FailureReport
from sentry.domain.health import HealthState
from sentry.domain.incident import IncidentState
from sentry.domain.ledger import MinuteState
from sentry.domain.result import Phase, Reason, Status
from sentry.domain.severity import Severity
from sentry.domain.ticket import TicketState, Visibility
from sentry.domain.weight import Weight
from sentry.web.standing import Standing

Percent = Annotated[float, Field(description="Percent, cut off after three decimals, never rounded up.")]


class ResultDocument(BaseModel):
    """The last result of a check."""

    scheduled_at: datetime
    status: Status
    reason: Reason | None
    failed_phase: Phase | None
    detail: str
    duration_s: float
    phases: dict[Phase, float] = Field(description="Seconds spent in each phase that was reached.")
    address: str | None
    http_status: int | None
    certificate_expires_at: datetime | None


class CheckDocument(BaseModel):
    """One check and what is believed of it."""

    key: str = Field(examples=["acme-shop/http"])
    site: str
    kind: str
    url: str
    counts: bool = Field(description="Whether it has a say in the site's state; false: it is only observed.")
    weight: Weight = Field(description="What the site is while this check is down: down, degraded, or as before.")
    interval_s: int
    state: HealthState
    since: datetime | None
    blips: int = Field(
        description="Failures, ever, that were gone when looked at again: neither an outage nor minutes down."
    )
    last: ResultDocument | None


class SiteDocument(BaseModel):
    """One site and how it stands."""

    key: str
    name: str
    url: str
    client: str
    client_name: str
    uptime_target: float
    state: Standing
    since: datetime | None
    incident: int | None = Field(description="Id of its unresolved incident.")
    response_s: float | None = Field(description="Duration of the last probe of its first check.")


class AskedDocument(BaseModel):
    """What the watch has asked of a site in its local day, and what it may."""

    requests: int
    requests_allowed: int
    received_bytes: int
    received_bytes_allowed: int


class SiteDetailDocument(SiteDocument):
    """One site with its checks."""

    asked_today: AskedDocument
    checks: list[CheckDocument]


class SiteListDocument(BaseModel):
    """A page of sites."""

    total: int
    items: list[SiteDocument]


class CheckListDocument(BaseModel):
    """A page of checks."""

    total: int
    items: list[CheckDocument]


class TimelineDocument(BaseModel):
    """One line of a timeline."""

    at: datetime
    kind: str
    text: str


class IncidentDocument(BaseModel):
    """One incident."""

    id: int
    site: str = Field(description="Empty where it is about the agent itself.")
    client: str
    severity: Severity
    state: IncidentState
    kind: str = Field(description="`outage`, or the kind of a concern: what is no outage but must be told.")
    cause: str = Field(description="What is wrong and why, in the agency's language.")
    reason: Reason | None = Field(description="Of an outage.")
    opening: int
    started_at: datetime = Field(description="The first failed probe.")
    detected_at: datetime
    acknowledged_at: datetime | None
    recovered_at: datetime | None = Field(description="The first good probe of the confirmed recovery.")
    resolved_at: datetime | None
    time_to_detect_s: float = Field(description="From the first failed probe to the confirmation.")
    time_to_acknowledge_s: float | None = Field(description="From the confirmation to the acknowledgement.")
    time_to_resolve_s: float | None = Field(description="From the first failed probe to the recovery.")
    checks_down: list[str]
    ticket: int | None
    flapping_since: datetime | None = Field(description="Since when its re-openings are told no more.")
    held_until: datetime | None = Field(
        description="It is told at this instant at the latest, unless it turns out to be part of another incident."
    )
    part_of: int | None = Field(description="The incident that is told in its stead.")


class MemberDocument(BaseModel):
    """An incident that is part of another one."""

    id: int
    site: str
    client: str
    severity: Severity
    state: IncidentState
    started_at: datetime
    recovered_at: datetime | None


class IncidentDetailDocument(IncidentDocument):
    """One incident with its timeline and failure report."""

    side: Attribution | None = Field(description="Whose side it was on, as far as that counts; null for a concern.")
    timeline: list[TimelineDocument]
    report: FailureReport | None = Field(description="Of an outage.")
    facts: dict[str, Any] = Field(description="Of a concern.")
    members: list[MemberDocument] = Field(description="The incidents that are part of this one.")


class AttributionDocument(BaseModel):
    """One word on whose side an incident was."""

    at: datetime
    side: Attribution
    opening: int = Field(description="Of the incident when it was said.")
    by: str
    basis: str = Field(description="The fact that the agent's guess rests on; empty where a person speaks.")
    reason: str = Field(description="In a person's words; empty where the agent guesses.")


class AttributionListDocument(BaseModel):
    """All that was said of whose side an incident was on."""

    side: Attribution | None = Field(description="The side that counts; null for what is no outage.")
    items: list[AttributionDocument]


class IncidentListDocument(BaseModel):
    """Incidents, newest first."""

    items: list[IncidentDocument]


class TicketDocument(BaseModel):
    """One ticket."""

    number: int
    site: str
    client: str
    title: str
    state: TicketState
    created_at: datetime


class TicketEntryDocument(BaseModel):
    """One entry of a ticket's history."""

    sequence: int
    at: datetime
    author: str
    visibility: Visibility
    kind: str
    text: str
    state: TicketState
    hash: str = Field(description="SHA-256 over the entry before and this one's content.")


class TicketDetailDocument(TicketDocument):
    """One ticket with its history."""

    entries: list[TicketEntryDocument]


class TicketListDocument(BaseModel):
    """Tickets, newest first."""

    items: list[TicketDocument]


class RunDocument(BaseModel):
    """Consecutive minutes of one state, from `start` up to, not including, `end`."""

    start: datetime
    end: datetime
    state: MinuteState
    minutes: int
    decided_by: list[str] = Field(description="The checks that made the minutes what they are.")


class MinutesDocument(BaseModel):
    """How many minutes of each state."""

    up: int
    down: int
    degraded: int
    maintenance: int
    unknown: int


class BudgetDocument(BaseModel):
    """The downtime budget of a site's month."""

    site: str
    month: str = Field(examples=["2026-11"])
    time_zone: str
    target: float = Field(description="Promised availability, percent.")
    verdict: Verdict
    promised: bool = Field(description="False for a site that is not on our infrastructure: it is observed only.")
    measured: Percent | None = Field(description="Percent available of the minutes that were seen, by the contract.")
    observed: Percent | None = Field(description="The same with nothing left out.")
    worst: Percent | None = Field(description="If the site was down in every unknown minute.")
    best: Percent | None = Field(description="If it was up in every unknown minute.")
    left_out_minutes: int = Field(description="Minutes down that the contract leaves out: others answer for them.")
    allowed_minutes: float
    spent_minutes: int
    left_minutes: float
    used_percent: float
    runs_out: dict[str, datetime | None] = Field(
        description="When nothing is left, at the pace of each window; null: not in this month."
    )
    start: datetime
    until: datetime = Field(description="Up to where the minutes are accounted for.")
    end: datetime
    minutes: MinutesDocument


class LedgerDocument(BudgetDocument):
    """The budget of a month with the minutes that it rests on."""

    runs: list[RunDocument]


class BudgetListDocument(BaseModel):
    """A page of budgets of the running month."""

    total: int
    items: list[BudgetDocument]
