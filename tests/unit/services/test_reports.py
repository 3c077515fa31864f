from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sentry.domain.concern import ConcernKind
from sentry.domain.errors import NotFound
from sentry.domain.finding import FindingClass
from sentry.domain.maintenance import Work, excluded
from sentry.domain.maintenance_window import WorkKind
from sentry.domain.month import Month
from sentry.domain.site import Language
from sentry.domain.ticket import Ticket, TicketEntry, TicketState, Visibility
from sentry.domain.watched_site import WatchedCheck
from sentry.domain.weight import Weight
from sentry.ports import Sample, SampleKind
from sentry.reports.csv import CsvReport
from sentry.reports.html import HtmlReport
from sentry.reports.text import TextReport
from sentry.services.budgets import Budgets
from sentry.services.reports import Reports
from tests.fakes.attributions import MemoryAttributionBook
from tests.fakes.audits import MemoryAuditBook, audited, found
from tests.fakes.client_reports import FiledTickets, blog, messages, minute, october, report, shop
from tests.fakes.clock import ManualClock
from tests.fakes.concerns import concern_incident
from tests.fakes.failure_reports import error_result, incident_of, resolved
from tests.fakes.incidents import MemoryIncidentStore
from tests.fakes.ledger import MemoryLedger

NOVEMBER_3 = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)
OCTOBER = Month(2026, 10)


def service(
    ledger: MemoryLedger,
    incidents: MemoryIncidentStore,
    tickets: FiledTickets,
    audits: MemoryAuditBook | None = None,
) -> Reports:
    """The service over these stores, on 3 November."""
    clock = ManualClock(NOVEMBER_3)
    return Reports(
        budgets=Budgets(ledger, clock),
        ledger=ledger,
        incidents=incidents,
        attributions=MemoryAttributionBook(incidents),
        audits=audits or MemoryAuditBook(),
        tickets=tickets,
        renderer=messages(),
        clock=clock,
        agency_name="Ejemplo Hosting",
    )


def entry(sequence: int, text: str, visibility: Visibility, kind: str = "comment") -> TicketEntry:
    """An entry of a ticket's history."""
    return TicketEntry(sequence, NOVEMBER_3, "ana", visibility, kind, text, TicketState.SOLVED, "")


async def test_build_client_without_sites_is_not_found() -> None:
    """There is nothing to report on, and the caller is told so."""
    with pytest.raises(NotFound, match="no site to report on"):
        await service(*october()).build([], OCTOBER)


async def test_build_public_comments_of_the_ticket_are_told_and_no_others() -> None:
    """What was done stands in the report; what staff say among themselves does not."""
    ledger, incidents, tickets = october()
    history = (
        entry(1, "the whole failure report", Visibility.PUBLIC, "failure_report"),
        entry(2, "the client forgot to pay again", Visibility.INTERNAL),
        entry(3, "Reiniciado el servicio web y ampliada su memoria.", Visibility.PUBLIC),
    )
    tickets.filed = [
        Ticket(5, "incident:17", "acme-shop", "acme", "t", TicketState.SOLVED, NOVEMBER_3, entries=history)
    ]
    data = await service(ledger, incidents, tickets).build([shop()], OCTOBER)
    assert data.sites[0].incidents[0].actions == ("Reiniciado el servicio web y ampliada su memoria.",)


@pytest.mark.parametrize(
    ("began", "minutes", "told"),
    [
        (("2026-09", 30, "23:50"), 9, False),  # over before October
        (("2026-09", 30, "23:50"), 20, True),  # reaches into it
        (("2026-10", 31, "23:59"), 60, True),  # reaches out of it
        (("2026-11", 1, "00:00"), 5, False),
    ],
)
async def test_build_incident_at_the_edge_is_told_where_it_touches_the_month(
    began: tuple[str, int, str], minutes: int, *, told: bool
) -> None:
    """An incident belongs to every month in which it lasted."""
    ledger, incidents, tickets = october()
    at = datetime.fromtimestamp(minute(*began) * 60, tz=UTC)
    moved = replace(incident_of(error_result()), id=1, started_at=at, detected_at=at + timedelta(seconds=31))
    incidents.incidents = {1: resolved(moved, minutes)}
    data = await service(ledger, incidents, tickets).build([shop()], OCTOBER)
    assert bool(data.sites[0].incidents) is told


async def test_build_concerns_are_not_among_the_incidents() -> None:
    """A certificate that was renewed late was no outage; the report of a month counts those alone."""
    ledger, incidents, tickets = october()
    outages = sorted(incidents.incidents)
    began = incidents.incidents[outages[0]].started_at
    incidents.incidents[30] = concern_incident(ConcernKind.CERTIFICATE, id=30, started_at=began, detected_at=began)

    built = await service(ledger, incidents, tickets).build([shop()], OCTOBER)

    assert [one.number for one in built.sites[0].incidents] == outages


async def test_build_response_times_are_median_and_nearest_rank_of_answered_probes() -> None:
    """20 answers of 10 to 200 ms: half of them within 105 ms, 95 of 100 within 190 ms; failures are left out."""
    ledger, incidents, tickets = october()
    at = datetime(2026, 10, 5, 6, 0, tzinfo=UTC)
    ledger.check_samples["acme-shop/http"] = [
        Sample("acme-shop/http", at + timedelta(minutes=n), SampleKind.SLOT, "up", None, 0.01 * n, {})
        for n in range(1, 21)
    ] + [Sample("acme-shop/http", at + timedelta(hours=1), SampleKind.SLOT, "down", "http_server_error", 9.0, {})]
    site = (await service(ledger, incidents, tickets).build([shop()], OCTOBER)).sites[0]
    assert site.response_check == "acme-shop/http"
    (day,) = site.response
    assert (day.date, day.probes, day.median_ms, day.p95_ms) == ("2026-10-05", 20, 105, 190)


async def test_build_response_times_of_a_month_stand_at_the_days_that_they_are_of() -> None:
    """Madrid's days, also the one of 25 hours; the last second of one is not the next one's."""
    ledger, incidents, tickets = october()
    begins = [datetime(2026, 10, day, tzinfo=shop().zone) for day in range(1, 32)]
    ledger.check_samples["acme-shop/http"] = [
        Sample("acme-shop/http", at.astimezone(UTC), SampleKind.SLOT, "up", None, 0.001 * begin.day, {})
        for begin in begins
        for at in (begin, begin.replace(hour=23, minute=59, second=59))
    ]
    site = (await service(ledger, incidents, tickets).build([shop()], OCTOBER)).sites[0]
    found = {day.date: (day.probes, day.median_ms) for day in site.response}
    assert found == {f"2026-10-{day:02}": (2, day) for day in range(1, 32)}


async def test_build_no_samples_kept_says_nothing_of_response_times() -> None:
    """A figure that is not known is left out, not invented."""
    ledger, incidents, tickets = october()
    ledger.check_samples = {}
    site = (await service(ledger, incidents, tickets).build([shop()], OCTOBER)).sites[0]
    assert (site.response_check, site.response) == (None, ())


async def test_build_address_with_a_password_is_reported_without_it() -> None:
    """A report goes to many readers."""
    data = await report([shop(url="https://bob:hunter2@shop.acme.example/")])
    assert data.sites[0].url == "https://shop.acme.example/"


async def test_build_site_without_a_counting_check_claims_nothing() -> None:
    """Observed only: no interval, no response times, nothing measured."""
    data = await report([shop(checks=(WatchedCheck("acme-shop/http", weight=Weight.OBSERVED),))])
    site = data.sites[0]
    assert (site.interval_s, site.response_check) == (None, None)


async def test_build_month_and_language_absent_are_the_running_month_in_the_clients_language() -> None:
    """The defaults of the command line."""
    data = await service(*october()).build([shop()])
    assert (data.month, data.language) == ("2026-11", Language.ES)


async def test_build_incident_of_the_last_minutes_is_told_in_the_running_month() -> None:
    """The newest incident is the one that is asked about, though its minutes are not accounted for yet."""
    ledger, incidents, tickets = october()
    at = NOVEMBER_3 - timedelta(seconds=30)
    incidents.incidents = {1: replace(incident_of(error_result()), id=1, started_at=at, detected_at=at)}

    data = await service(ledger, incidents, tickets).build([shop()])

    assert len(data.sites[0].incidents) == 1


@pytest.mark.promise("001-23")
async def test_build_announced_work_stands_with_its_reason_and_how_it_counted() -> None:
    """In time and overrun, late, and urgent; cut where only the words were changed is one piece."""
    ledger, incidents, tickets = october()
    down = minute("2026-10", 14, "02:14")  # for 47 minutes
    said, late = NOVEMBER_3 - timedelta(days=90), datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    night = minute("2026-10", 25, "04:00")  # down for 12 minutes
    work = (
        Work(down - 14, down, down - 14, "1", said, 48, "old words"),
        Work(down, down + 30, down - 14, "1", said, 48, "New disks <b>"),
        Work(night, night + 10, night, "2", late, 48, "Patch"),
        Work(night + 60, night + 70, night + 60, "3", said, 48, "Leak", WorkKind.EMERGENCY),
        Work(minute("2026-11", 25, "04:00"), minute("2026-11", 25, "05:00"), 0, "4", said, 48, "to come"),
    )
    site = replace(shop(), work=work, maintenance=excluded(work))
    made = await service(ledger, incidents, tickets).build([site], OCTOBER)

    told = [(one.reason, one.minutes, one.judgement, one.down, one.overrun) for one in made.sites[0].work]
    assert told == [
        ("New disks <b>", 44, "excluded", 30, 17),
        ("Patch", 10, "announced_late", 10, 0),
        ("Leak", 10, "emergency", 0, 0),
    ]
    assert made.sites[0].figures.spent == 59 - 30
    text = " ".join(TextReport().render(made).split())
    assert "queda fuera de la cuenta; caída 17 minutos después de su fin, que cuentan" in text
    assert "anunciado tarde, el 24 oct 2026" in text
    assert "New disks &lt;b&gt;" in HtmlReport().render(made)
    assert "work,announced_late" in CsvReport().render(made)


async def test_build_failures_that_were_gone_at_once_are_counted_by_month() -> None:
    """They are neither outages nor minutes down, and the client reads how many there were."""
    ledger, incidents, tickets = october()
    check = shop().counting[0].key
    ledger.vanished = [(check, datetime(2026, 10, day, 12, tzinfo=UTC)) for day in (3, 3, 30)]
    ledger.vanished += [(check, NOVEMBER_3), ("other/http", datetime(2026, 10, 3, 12, tzinfo=UTC))]
    data = await service(ledger, incidents, tickets).build([shop()], OCTOBER)
    assert data.sites[0].blips == 3
    data = await service(ledger, incidents, tickets).build([shop()], OCTOBER, Language.EN)
    for text in (TextReport().render(data), HtmlReport().render(data)):
        assert "3 failures were gone when we looked again" in " ".join(text.split())


@pytest.mark.promise("000-28")
async def test_build_tells_how_many_audits_ran_what_they_found_and_what_was_mended() -> None:
    """Those that ended in the month, of this site; and security is no longer among what is not measured."""
    audits = MemoryAuditBook()
    first, second = datetime(2026, 10, 2, 1, tzinfo=UTC), datetime(2026, 10, 17, 1, tzinfo=UTC)
    await audits.keep(audited(found("x.php"), found("y.php"), site_key="acme-shop", at=first))
    await audits.keep(audited(found("a.php", FindingClass.SUSPICIOUS), site_key="acme-shop", at=second, files=1200))
    await audits.keep(audited(site_key="acme-shop", at=NOVEMBER_3))

    data = await service(*october(), audits).build([shop()], OCTOBER)

    told = [(one.malware, one.holes, one.others, one.gone, one.files) for one in data.sites[0].audits]
    assert told == [(2, 0, 0, 0, 10), (0, 0, 1, 2, 1200)]
    assert "security" not in data.not_measured
    both = await service(*october(), audits).build([shop(), blog()], OCTOBER)
    assert "security" in both.not_measured
