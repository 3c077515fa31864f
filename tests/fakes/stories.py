"""What the watch does with a check, result by result: the same steps, without the wheel."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sentry.domain.health import Health, Outage, step
from sentry.domain.ledger import MinuteState, Run
from sentry.domain.ledger_tail import extend
from sentry.domain.month import minute_of
from sentry.domain.result import ProbeResult, Reason, Status
from sentry.domain.site import Check
from sentry.ports import SampleKind, WatchRecord

DAY = datetime(2026, 11, 10, tzinfo=UTC)
FIRST = minute_of(DAY)
REASONS = {
    Status.UP: None,
    Status.DOWN: Reason.CONNECT_REFUSED,
    Status.DEGRADED: Reason.SLOW_RESPONSE,
    Status.UNKNOWN: Reason.AGENT_STALLED,
}


@dataclass
class Story:
    """What the watch did with a check for some slots: every result, every outage, and the ledger it wrote."""

    check: Check
    results: list[ProbeResult] = field(default_factory=list)
    outages: dict[datetime, Outage] = field(default_factory=dict)
    minutes: list[Run] = field(default_factory=list)
    records: list[WatchRecord] = field(default_factory=list)
    starts: list[datetime] = field(default_factory=list)

    @property
    def ledger(self) -> dict[int, MinuteState]:
        return {minute: run.state for run in extend((), self.minutes) for minute in range(run.start, run.end)}


def played(
    check: Check, offset_s: int, said: Sequence[Status], gaps: Sequence[int], restarts: Sequence[int]
) -> Story:
    """Plays slots and re-checks in the order of time; each probe says what comes next, a gap is a slot not probed."""
    story, health, answers = Story(check), Health(check.key), iter(said)
    at, slot = DAY + timedelta(seconds=offset_s), 0
    while True:
        if slot in restarts:
            health = replace(health, covered=None)
            story.starts.append(at - timedelta(seconds=1))
        due = [(at, SampleKind.SLOT)] if slot not in gaps else []
        while due:
            when, kind = due.pop(0)
            status = next(answers, None)
            if status is None:
                return story
            result = ProbeResult(check.key, when, when, 0.1, status, REASONS[status])
            story.results.append(result)
            changed = step(health, result, check)
            asked = changed.health.recheck_at
            if asked is not None and asked != health.recheck_at:
                due.append((max(asked, when + timedelta(milliseconds=1)), SampleKind.RECHECK))
            health = changed.health
            story.minutes += changed.minutes
            story.records.append(WatchRecord(result, kind, health, changed.minutes, changed.outage))
            if changed.outage is not None:
                story.outages[changed.outage.started_at] = changed.outage
        slot += 1
        at += timedelta(seconds=check.interval_s)
