"""The agent's own metrics as one table: `Telemetry.count`, `gauge` and the documentation look names up here."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sentry.domain.concern import ConcernKind
from sentry.domain.result import Phase, Reason, Status

PREFIX = "sentry_"


class MetricType(StrEnum):
    """The types of the exposition format that are used here."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class OwnMetric:
    """One metric of the agent itself.

    Attributes:
        name: without the prefix `sentry_`.
        labels: names of its labels; one named `site` may have ten thousand values and is kept as cells.
        preset: values of its only label that are there from the start, so that a first failure is a step from 0.
        buckets: upper bounds of a histogram, in the unit of its name.
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()
    preset: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def full_name(self) -> str:
        """The name on the page."""
        return PREFIX + self.name

    @property
    def is_per_site(self) -> bool:
        """Whether it has a value per site, too many for objects of their own."""
        return "site" in self.labels


PHASE_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
DELAY_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
DETECT_BUCKETS_S = (5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0)
RESOLVE_BUCKETS_S = (60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0, 43200.0, 86400.0, 259200.0)


def _counter(name: str, help_text: str, *labels: str, preset: Iterable[str] = ()) -> OwnMetric:
    return OwnMetric(name, MetricType.COUNTER, help_text, labels, tuple(preset))


def _gauge(name: str, help_text: str, *labels: str) -> OwnMetric:
    return OwnMetric(name, MetricType.GAUGE, help_text, labels)


def _histogram(
    name: str, help_text: str, buckets: tuple[float, ...], *labels: str, preset: Iterable[str] = ()
) -> OwnMetric:
    return OwnMetric(name, MetricType.HISTOGRAM, help_text, labels, tuple(preset), buckets)


_TABLE = (
    _gauge("build_info", "Version of the agent and of Python; always 1.", "version", "python"),
    # the watch
    _counter("checks_total", "Probes that ended, by result.", "result", preset=Status),
    _counter("failures_total", "Probes that were not up, by reason.", "reason", preset=Reason),
    _histogram("check_phase_seconds", "Time of probes by phase.", PHASE_BUCKETS_S, "phase", preset=Phase),
    _histogram("schedule_delay_seconds", "How late probes started after their slot.", DELAY_BUCKETS_S),
    _counter("missed_slots_total", "Slots that went by without a probe."),
    _counter("unknown_seconds_total", "Time of checks that was not measured because of the agent."),
    _gauge("loop_lag_seconds", "Longest that the event loop woke too late in the last second."),
    _histogram("loop_delay_seconds", "How much too late the event loop woke, turn by turn.", DELAY_BUCKETS_S),
    _counter("stalls_total", "How often the event loop stood still for so long that probes under way were void."),
    _counter("stalled_seconds_total", "Time that the event loop stood still in stalls."),
    _counter("clock_jumps_total", "Jumps of the wall clock."),
    _gauge("self_network_up", "Whether the agent's own network works, as it last saw; 0: failures accuse nobody."),
    _counter(
        "self_examinations_total",
        "How often the agent looked at itself: ours, not_ours, or failed where the look itself did.",
        "verdict",
        preset=("ours", "not_ours", "failed"),
    ),
    _gauge("queue_depth", "Results that wait for the store."),
    _counter("loop_crashes_total", "Loops of the agent that a fault of its own ended; they start again.", "loop"),
    _counter("duty_failures_total", "Slow duties (budgets, retention) that failed; they are tried again.", "duty"),
    # the workers of `run --workers`
    _gauge("worker_up", "Whether the worker process runs.", "worker"),
    _counter("worker_restarts_total", "Worker processes that ended by themselves or were cut.", "worker"),
    _gauge("worker_probes_running", "Probes under way in the worker.", "worker"),
    _gauge("worker_loop_lag_seconds", "Longest that the worker's event loop woke too late in a second.", "worker"),
    _counter("worker_results_lost_total", "Results that a worker dropped: the agent did not take them.", "worker"),
    # the store and the outbox
    _counter("store_errors_total", "Writes or reads that the store refused, by kind.", "kind"),
    _counter("store_dropped_total", "Results that were dropped because the queue to the store was full."),
    _counter("handler_failures_total", "Events that a handler could not handle.", "handler", "error"),
    _gauge("outbox_pending", "Messages that are owed."),
    _gauge("outbox_oldest_seconds", "How long the oldest owed message has waited."),
    # incidents and alerts
    _gauge("incidents_open", "Outages that are not resolved, by state.", "state"),
    _gauge("concerns_open", "Concerns that stand, by kind.", "kind"),
    _counter("incidents_total", "Incidents opened, by severity.", "severity"),
    _counter(
        "concerns_total", "Concerns raised: what is no outage but is told, by kind.", "kind", preset=ConcernKind
    ),
    _histogram("incident_detect_seconds", "From the first failed probe to its confirmation.", DETECT_BUCKETS_S),
    _histogram("incident_resolve_seconds", "From the first failed probe to the recovery.", RESOLVE_BUCKETS_S),
    _counter("alerts_total", "Messages that a channel accepted.", "channel"),
    _counter("alert_failures_total", "Attempts to deliver that failed.", "channel", "reason"),
    _counter("alerts_dead_total", "Messages that a channel gave up; its fall-back, if any, took them on.", "channel"),
    _counter("alerts_unrouted_total", "Openings of incidents that no route sends to anybody."),
    _histogram(
        "alert_latency_seconds",
        "From the first failed probe to acceptance by a channel.",
        DETECT_BUCKETS_S,
        "channel",
    ),
    # certificates and domains
    _gauge("certificate_revoked", "Whether a certificate of the site was revoked; NaN while unknown.", "site"),
    _counter("revocation_lookups_total", "Answers of authorities about certificates, by what they say.", "result"),
    _gauge("domain_expiry_timestamp_seconds", "When the domain of the site ends; absent while unknown.", "site"),
    _counter("domain_lookups_total", "Questions to registries about domains, by whether they told.", "result"),
    # the budget
    _gauge("slo_budget_remaining_seconds", "Downtime of the month that is left; negative once overspent.", "site"),
    _gauge("slo_budget_used_ratio", "Share of the month's downtime budget that is used.", "site"),
    _gauge("slo_burn_rate", "Speed at which the budget burns; 1 uses it up exactly.", "site", "window"),
    _gauge(
        "slo_budget_exhausted_timestamp_seconds",
        "When nothing is left of the month's budget at the pace of the window; +Inf: not in this month.",
        "site",
        "window",
    ),
    # maintenance
    _gauge("site_requests_today", "Requests that the watch has made to the site in its local day.", "site"),
    _gauge("site_received_bytes_today", "Bytes that the watch has received from the site in its local day.", "site"),
    # audits
    _counter("audits_total", "Security audits that ended, by result.", "result", preset=("completed", "failed")),
    _gauge("audits_running", "Security audits under way."),
    _gauge("audits_late", "Sites whose security audit is late."),
    _gauge("audit_last_completed_timestamp_seconds", "When the last security audit of the site ended.", "site"),
    _gauge("audit_next_timestamp_seconds", "When the next security audit of the site begins.", "site"),
    _gauge("audit_duration_seconds", "How long the last security audit of the site took.", "site"),
    _gauge("audit_files", "Files that the last security audit of the site looked at.", "site"),
    _gauge(
        "audit_findings", "Findings of the last security audit that are not allowed, by class.", "site", "verdict"
    ),
    _gauge("request_budget_used_ratio", "Share of the site's daily request budget that is used.", "site"),
    _gauge("maintenance_active", "Whether announced maintenance is under way at the site.", "site"),
    # configuration and web
    _gauge("config_last_reload_successful", "Whether the last reading of the configuration worked."),
    _gauge("config_last_reload_success_timestamp_seconds", "When the configuration in use was read."),
    _counter("heartbeats_total", "Calls of watched jobs that were accepted or refused.", "result"),
    _counter("web_requests_total", "Requests answered, by route and status.", "route", "code"),
    _counter("telemetry_errors_total", "Figures dropped because their name or labels are not in the table."),
)

OWN_METRICS = {metric.name: metric for metric in _TABLE}
"""Name without prefix → metric."""
