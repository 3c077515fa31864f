"""What the watch wrote, as a test says it."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import datetime

from sentry.domain.day import DaySummary
from sentry.domain.failure_report import RecentChange
from sentry.domain.health import Outage
from sentry.domain.ledger import MinuteState, Run, Totals, clip, fill, totals
from sentry.domain.own_fault import OwnFault
from sentry.domain.responsibility import AttributedSpan
from sentry.domain.result import ProbeResult
from sentry.ports import Sample, SiteHistory

_LAPSES = frozenset({MinuteState.DOWN, MinuteState.MAINTENANCE})


class MemoryLedger:
    """Fills the `LedgerReader` port from its attributes."""

    def __init__(self) -> None:
        self.check_runs: dict[str, list[Run]] = {}
        self.seen: dict[str, datetime] = {}
        self.without_say: set[str] = set()
        self.attributed_spans: dict[str, list[AttributedSpan]] = {}
        self.check_outages: list[Outage] = []
        self.check_samples: dict[str, list[Sample]] = {}
        self.check_days: dict[str, list[DaySummary]] = {}
        self.failed: dict[str, list[ProbeResult]] = {}
        self.faults: list[OwnFault] = []
        self.changed: list[RecentChange] = []
        self.vanished: list[tuple[str, datetime]] = []
        self.raw_begin = 0
        self.started: list[datetime] = []

    async def histories(self, site_keys: Collection[str], start: int, end: int) -> Mapping[str, SiteHistory]:
        return {
            key: SiteHistory(
                await self.runs(key, start, end),
                await self.first_seen(key),
                await self.uncounted(key),
                await self.attributed(key, start, end),
            )
            for key in site_keys
        }

    async def lapses(self, since: int) -> Mapping[str, Hashable]:
        found: dict[str, tuple[object, ...]] = {}
        for key, runs in sorted(self.check_runs.items()):
            own = tuple((key, run) for run in runs if run.state in _LAPSES and run.end > since)
            if own:
                site_key = key.partition("/")[0]
                found[site_key] = (*found.get(site_key, ()), *own)
        for site_key, spans in self.attributed_spans.items():
            found[site_key] = (*found.get(site_key, ()), *spans)
        return found

    async def runs(self, site_key: str, start: int, end: int) -> Mapping[str, Sequence[Run]]:
        return {
            key: [Run(max(r.start, start), min(r.end, end), r.state) for r in runs if r.start < end and r.end > start]
            for key, runs in self.check_runs.items()
            if key.startswith(f"{site_key}/")
        }

    async def first_seen(self, site_key: str) -> Mapping[str, datetime]:
        return {key: at for key, at in self.seen.items() if key.startswith(f"{site_key}/")}

    async def uncounted(self, site_key: str) -> Collection[str]:
        return {key for key in self.without_say if key.startswith(f"{site_key}/")}

    async def attributed(self, site_key: str, start: int, end: int) -> Sequence[AttributedSpan]:
        spans = self.attributed_spans.get(site_key, [])
        return [span for span in spans if span.start < end and span.end > start]

    async def outages(self, site_key: str, start: datetime, end: datetime) -> Sequence[Outage]:
        return [
            one
            for one in self.check_outages
            if one.check_key.startswith(f"{site_key}/")
            and one.started_at < end
            and (one.ended_at is None or one.ended_at > start)
        ]

    async def samples(self, check_key: str, start: datetime, end: datetime, limit: int) -> Sequence[Sample]:
        found = [one for one in self.check_samples.get(check_key, []) if start <= one.scheduled_at < end]
        return found[-limit:]

    async def totals(self, start: int, end: int, site_key: str | None = None) -> Mapping[str, Totals]:
        found = {key: clip(runs, start, end) for key, runs in self.check_runs.items()}
        return {
            key: totals(fill(runs, start, end))
            for key, runs in found.items()
            if runs and (site_key is None or key.startswith(f"{site_key}/"))
        }

    async def summaries(self, check_key: str, start_day: int, end_day: int) -> Sequence[DaySummary]:
        return [one for one in self.check_days.get(check_key, []) if start_day <= one.day < end_day]

    async def failures(self, check_key: str, limit: int) -> Sequence[ProbeResult]:
        return self.failed.get(check_key, [])[::-1][:limit]

    async def own_faults(self, start: datetime, end: datetime) -> Sequence[OwnFault]:
        return [one for one in self.faults if one.began_at < end and (one.ended_at is None or one.ended_at >= start)]

    async def raw_from(self) -> int:
        return self.raw_begin

    async def starts(self, start: datetime, end: datetime) -> Sequence[datetime]:
        return [at for at in self.started if start <= at < end]

    async def blips(self, check_keys: Collection[str], start: datetime, end: datetime) -> int:
        return sum(key in check_keys and start <= at < end for key, at in self.vanished)

    async def changes(self, site_key: str, since: datetime) -> Sequence[RecentChange]:
        return [change for change in self.changed if change.at >= since]
