"""A client with two sites and a month behind them, and the tickets that a budget files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sentry.domain.client_report import ReportData
from sentry.domain.incident import Incident
from sentry.domain.ledger import MinuteState, Run
from sentry.domain.month import Month, minute_of
from sentry.domain.responsibility import AttributedSpan, AttributionEntry, standing_side
from sentry.domain.site import Language
from sentry.domain.ticket import Ticket, TicketEntry, TicketState
from sentry.domain.watched_site import WatchedCheck, WatchedSite
from sentry.ports import Sample, SampleKind, TicketNote
from sentry.reports.messages import Messages
from sentry.services.budgets import Budgets
from sentry.services.reports import Reports
from tests.fakes.attributions import MemoryAttributionBook
from tests.fakes.audits import MemoryAuditBook
from tests.fakes.clock import ManualClock
from tests.fakes.failure_reports import error_result, expired_result, incident_of, resolved
from tests.fakes.incidents import MemoryIncidentStore
from tests.fakes.ledger import MemoryLedger

OCTOBER = Month(2026, 10)
MADRID = ZoneInfo("Europe/Madrid")
FIRST_SEEN = datetime(2025, 12, 10, 8, 0, tzinfo=UTC)


@dataclass
class FiledTickets:
    """Fills `TicketStore`: files by key, keeps no chain."""

    filed: list[Ticket] = field(default_factory=list)
    notes: list[TicketNote] = field(default_factory=list)
    appended: dict[str, tuple[int, TicketNote]] = field(default_factory=dict)
    calls: int = 0

    async def file(
        self, *, key: str, site_key: str, client_key: str, title: str, note: TicketNote, at: datetime
    ) -> Ticket:
        self.calls += 1
        found = await self.find(key)
        if found is not None:
            return found
        ticket = Ticket(len(self.filed) + 1, key, site_key, client_key, title, TicketState.NEW, at)
        self.filed.append(ticket)
        self.notes.append(note)
        return ticket

    async def append(self, number: int, note: TicketNote, at: datetime, *, key: str | None = None) -> TicketEntry:
        self.appended.setdefault(key or "", (number, note))
        state = note.state or TicketState.NEW
        return TicketEntry(1, at, note.author, note.visibility, note.kind, note.text, state, "", key)

    async def get(self, number: int) -> Ticket | None:
        return next((each for each in self.filed if each.number == number), None)

    async def find(self, key: str) -> Ticket | None:
        return next((each for each in self.filed if each.key == key), None)

    async def list(self, *, state: TicketState | None = None, limit: int = 100) -> Sequence[Ticket]:
        return self.filed[::-1][:limit]

    async def verify(self) -> Sequence[str]:
        return ()


def shop(**changes: object) -> WatchedSite:
    """The shop of Acme, watched by an http and a tls check."""
    site = WatchedSite(
        key="acme-shop",
        name="Tienda Acme",
        url="https://shop.acme.example/",
        client_key="acme",
        client_name="Acme S.L.",
        zone=MADRID,
        language=Language.ES,
        checks=(WatchedCheck("acme-shop/http"), WatchedCheck("acme-shop/tls")),
    )
    return replace(site, **changes)  # type: ignore[arg-type]  # any field of the site


def blog(**changes: object) -> WatchedSite:
    """The other site of Acme."""
    checks = (WatchedCheck("acme-blog/http"),)
    return shop(key="acme-blog", name="Blog", url="https://blog.acme.example/", checks=checks, **changes)


def messages(sites: Sequence[WatchedSite] = ()) -> Messages:
    """The renderer of an agency that knows these sites."""
    known = {site.key: site for site in sites or (shop(), blog())}
    return Messages(
        agency_name="Ejemplo Hosting",
        base_url="https://watch.ejemplo.example/",
        find_site=known.get,
        zone=ZoneInfo("UTC"),
    )


def minute(month: str, day: int, clock: str) -> int:
    """The minute of a local time in Madrid: `minute("2026-10", 3, "02:10")`."""
    year, number = (int(part) for part in month.split("-"))
    hour, minutes = (int(part) for part in clock.split(":"))
    return int(datetime(year, number, day, hour, minutes, tzinfo=MADRID).timestamp()) // 60


def runs(start: int, end: int, *others: tuple[int, int, MinuteState]) -> list[Run]:
    """Up from start to end, but for the others."""
    told: list[Run] = []
    reached = start
    for begin, until, state in others:
        told += [Run(reached, begin, MinuteState.UP), Run(begin, until, state)]
        reached = until
    told.append(Run(reached, end, MinuteState.UP))
    return [run for run in told if run.minutes and run.state is not MinuteState.UNKNOWN]


def october() -> tuple[MemoryLedger, MemoryIncidentStore, FiledTickets]:
    """October 2026 in Madrid (44,700 minutes): outages of 47 and 12 minutes, 25 minutes unseen, a slow morning."""
    ledger = MemoryLedger()
    first, end = int(FIRST_SEEN.timestamp()) // 60, minute("2026-11", 3, "09:00")
    ledger.seen = dict.fromkeys(("acme-shop/http", "acme-shop/tls", "acme-blog/http"), FIRST_SEEN)
    ledger.check_runs["acme-shop/http"] = runs(
        first,
        end,
        (minute("2026-02", 4, "11:00"), minute("2026-02", 4, "14:10"), MinuteState.DOWN),
        (minute("2026-06", 9, "01:00"), minute("2026-06", 9, "01:40"), MinuteState.DOWN),
        (minute("2026-10", 7, "10:00"), minute("2026-10", 7, "10:45"), MinuteState.DEGRADED),
        (minute("2026-10", 14, "02:14"), minute("2026-10", 14, "03:01"), MinuteState.DOWN),
        (minute("2026-10", 20, "16:05"), minute("2026-10", 20, "16:30"), MinuteState.UNKNOWN),
        (minute("2026-10", 25, "04:00"), minute("2026-10", 25, "04:12"), MinuteState.DOWN),
    )
    ledger.check_runs["acme-shop/tls"] = runs(first, end)
    ledger.check_runs["acme-blog/http"] = runs(first, end)
    ledger.check_samples["acme-shop/http"] = _samples()
    incidents = MemoryIncidentStore()
    for number, day, clock, minutes in ((17, 14, "02:14", 47), (19, 25, "04:00", 12)):
        failed = error_result() if number == 17 else expired_result()
        at = datetime.fromtimestamp(minute("2026-10", day, clock) * 60 + 10, tz=UTC)
        incidents.incidents[number] = _moved(incident_of(failed), number, at, minutes)
    return ledger, incidents, FiledTickets()


def _moved(incident: Incident, number: int, at: datetime, minutes: int) -> Incident:
    moved = replace(
        incident, id=number, started_at=at, detected_at=at + timedelta(seconds=31), ticket_number=number - 12
    )
    return resolved(moved, minutes)


def _samples() -> list[Sample]:
    start = datetime(2026, 10, 1, 0, 0, tzinfo=MADRID).astimezone(UTC)
    return [
        Sample(
            check_key="acme-shop/http",
            scheduled_at=start + timedelta(minutes=20 * number),
            kind=SampleKind.SLOT,
            status="up",
            reason=None,
            duration_s=0.35 + 0.05 * (number % 7) + (0.9 if 6 * 72 < number < 7 * 72 and number % 3 == 0 else 0),
            phases={},
        )
        for number in range(31 * 72)
    ]


async def report(
    sites: Sequence[WatchedSite] | None = None,
    month: Month = OCTOBER,
    language: Language = Language.ES,
    at: datetime = datetime(2026, 11, 3, 8, 0, tzinfo=UTC),
    said: Mapping[int, Sequence[AttributionEntry]] | None = None,
    audits: MemoryAuditBook | None = None,
) -> ReportData:
    """The report of October, or of another month, at an instant; `said` of whose side its incidents were on."""
    ledger, incidents, tickets = october()
    attributions = MemoryAttributionBook()
    for number, entries in (said or {}).items():
        attributions.said[number] = list(entries)
        incident = incidents.incidents[number]
        first, last = minute_of(incident.started_at), minute_of(incident.recovered_at or at) + 1
        span = AttributedSpan(number, first, last, standing_side(entries))
        ledger.attributed_spans.setdefault(incident.site_key, []).append(span)
    clock = ManualClock(at)
    reports = Reports(
        budgets=Budgets(ledger, clock),
        ledger=ledger,
        incidents=incidents,
        attributions=attributions,
        audits=audits or MemoryAuditBook(),
        tickets=tickets,
        renderer=messages(),
        clock=clock,
        agency_name="Ejemplo Hosting",
    )
    return await reports.build(sites or (shop(), blog()), month, language)
