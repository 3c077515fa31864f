"""The client report of a month as one frozen value: every form of it (HTML, text, CSV, JSON) is drawn from this.

It holds strings, whole numbers, booleans and null only, so that its canonical JSON is the same everywhere and anyone
can recompute its hash:

    python3 -c 'import hashlib, json, sys; report = json.load(open(sys.argv[1])); report.pop("sha256");
    print(hashlib.sha256(json.dumps(report, sort_keys=True, separators=(",", ":"),
    ensure_ascii=False).encode()).hexdigest())' report.json

Instants are ISO 8601 in the site's zone with their offset; percentages and minutes with decimals are strings, cut off
and never rounded up.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

SCHEMA = "online-sentry/client-report/2"
"""Names the shape of the data; a change that a reader could trip over gets the next number."""

RULES_VERSION = "2"
"""Names the rules of the account; the report prints them."""

NOT_MEASURED = ("functionality", "security", "updates", "backups")
"""What a full report also holds and the agent does not measure yet: said openly in every report."""


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minutes of each state."""

    up: int = 0
    down: int = 0
    degraded: int = 0
    maintenance: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """The account of a month, as the contract counts it.

    Attributes:
        measured, worst, best: percent with three decimals, None where no minute was accounted for.
        observed: what `measured` would be with nothing left out and, of an account, with every site.
        verdict: met, missed, inconclusive or running; observed where nothing is promised.
        counted_from: first minute under contract; counted_until: the minute after the last accounted for.
        span_minutes: minutes of the whole month under contract.
        minutes: of each state, those that are left out among the down ones.
        left_out: how many down minutes the contract leaves out, because others answer for them.
        spent: how many down minutes the contract counts.
        allowed, left: minutes with three decimals; used_percent: of the allowed minutes, one decimal.
    """

    target: str
    measured: str | None
    worst: str | None
    best: str | None
    observed: str | None
    verdict: str
    running: bool
    counted_from: str
    counted_until: str
    span_minutes: int
    minutes: Minutes
    left_out: int
    allowed: str
    spent: int
    left: str
    used_percent: str


@dataclass(frozen=True, slots=True)
class Interval:
    """Consecutive minutes of one state, and the checks that decided it."""

    start: str
    end: str
    minutes: int
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Consecutive down minutes of one incident that the contract leaves out, and on whose side they were."""

    start: str
    end: str
    minutes: int
    incident: int
    side: str


@dataclass(frozen=True, slots=True)
class WorkEntry:
    """Announced work, and how it counted.

    Attributes:
        judgement: excluded, announced_late or emergency; what is not excluded counts as it was seen.
        down: minutes of it that were seen down; overrun: down minutes that follow at once on its end.
    """

    start: str
    end: str
    minutes: int
    reason: str
    judgement: str
    announced_at: str
    down: int
    overrun: int


@dataclass(frozen=True, slots=True)
class Day:
    """One date of the month; minutes before the contract and still to come are in none of the states."""

    date: str
    minutes: Minutes


@dataclass(frozen=True, slots=True)
class IncidentEntry:
    """One incident that touched the month; times in whole seconds, None while they are not known.

    Attributes:
        cause: one line in the report's language.
        side: on whose side it was, by the newest word of it.
        side_reason: why, where a person said so; empty where the agent guesses.
        actions: what the ticket says publicly of the work done.
    """

    number: int
    severity: str
    cause: str
    reason: str
    side: str
    side_reason: str
    started_at: str
    recovered_at: str | None
    detect_s: int
    acknowledge_s: int | None
    resolve_s: int | None
    ticket: int | None
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResponseDay:
    """Response times of one date, over the probes that were answered."""

    date: str
    probes: int
    median_ms: int
    p95_ms: int


@dataclass(frozen=True, slots=True)
class TrendMonth:
    """One month of the trend."""

    month: str
    measured: str | None
    verdict: str
    down: int


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One security audit that ended in the month.

    Attributes:
        malware, holes: findings of proven malware, and of components with a known hole.
        others: findings that somebody should look at.
        gone: findings of the audit before that were no longer there: what was mended.
    """

    ended_at: str
    files: int
    malware: int
    holes: int
    others: int
    gone: int


@dataclass(frozen=True, slots=True)
class SiteReport:
    """One site in the month.

    Attributes:
        interval_s: seconds from one visit to the next, None where no check counts.
        maintenance: minutes that were taken out of the account.
        left_out: the down minutes that the contract leaves out.
        response_check: the check whose response times these are, None where no samples are kept.
        trend: at most 13 months, the reported one last.
        work: all that was announced for the month, also what counted as it was seen.
        blips: failures that were gone when looked at again: neither outages nor minutes down.
        audits: the security audits that ended in the month, oldest first.
    """

    key: str
    name: str
    url: str
    time_zone: str
    interval_s: int | None
    figures: Figures
    days: tuple[Day, ...]
    down: tuple[Interval, ...]
    degraded: tuple[Interval, ...]
    unknown: tuple[Interval, ...]
    maintenance: tuple[Interval, ...]
    left_out: tuple[LeftOut, ...]
    incidents: tuple[IncidentEntry, ...]
    response_check: str | None
    response: tuple[ResponseDay, ...]
    trend: tuple[TrendMonth, ...]
    work: tuple[WorkEntry, ...] = ()
    blips: int = 0
    audits: tuple[AuditEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportData:
    """The report of one client for one month.

    Attributes:
        account: all promised sites together (a minute is down if any of them is down); None for fewer than two, or
            where they differ in target or zone.
        sha256: over the canonical JSON of everything else; empty until sealed.
    """

    agency: str
    client: str
    client_name: str
    month: str
    language: str
    time_zone: str
    generated_at: str
    sites: tuple[SiteReport, ...]
    account: Figures | None
    not_measured: tuple[str, ...] = NOT_MEASURED
    rules: str = RULES_VERSION
    schema: str = SCHEMA
    sha256: str = ""

    @property
    def generated(self) -> datetime:
        """When the report was made, aware."""
        return datetime.fromisoformat(self.generated_at)

    def json_value(self) -> dict[str, Any]:
        """Returns the report as JSON values."""
        value: dict[str, Any] = json.loads(json.dumps(asdict(self), ensure_ascii=False))
        return value

    def digest(self) -> str:
        """Computes the hash of everything but the hash itself, lower-case hex."""
        value = self.json_value()
        del value["sha256"]
        return hashlib.sha256(canonical_json(value)).hexdigest()

    def sealed(self) -> "ReportData":
        """Returns the report with its hash."""
        return replace(self, sha256=self.digest())


def canonical_json(value: dict[str, Any]) -> bytes:
    """Writes JSON in its one canonical form: keys sorted, no spaces, UTF-8 unescaped."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
