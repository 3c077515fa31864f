"""The watch over zones: which change is told, and when it is over."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from sentry.domain.concern import ConcernKind
from sentry.domain.events import Event, EventKind
from sentry.domain.registration import SiteDomain
from sentry.domain.severity import Severity
from sentry.domain.zone import ZoneRecords
from sentry.services.zones import ZoneWatch
from tests.fakes.concerns import concern_incident
from tests.fakes.incidents import MemoryIncidentStore
from tests.fakes.observations import MemoryObservations
from tests.fakes.told import ToldEvents
from tests.unit.services.test_domains import DAY, NoWait

RECORDS: Mapping[str, Sequence[str]] = {"NS": ("ns1.host.", "ns2.host."), "MX": ("10 mail.acme.example.",), "CAA": ()}
STOLEN = ("ns1.thief.",)


class House:
    """A site, its zone, and the watch over it."""

    def __init__(self) -> None:
        self.clock = NoWait()
        self.observations = MemoryObservations()
        self.events = ToldEvents()
        self.incidents = MemoryIncidentStore()
        self.sites = [SiteDomain("shop", "acme", "www.acme.example")]
        self.found: ZoneRecords | None = ZoneRecords("acme.example", RECORDS)
        self.asked: list[Sequence[str]] = []
        self.watch = self.restarted()

    def restarted(self) -> ZoneWatch:
        return ZoneWatch(
            lambda: self.sites,
            zones=self,
            observations=self.observations,
            incidents=self.incidents,
            events=self.events,
            clock=self.clock,
        )

    async def read(self, names: Sequence[str]) -> ZoneRecords | None:
        """Fills the `ZoneReader` port."""
        self.asked.append(names)
        return self.found

    def changes(self, kind: str, *records: str) -> None:
        assert self.found is not None
        self.found = replace(self.found, records={**self.found.records, kind: records})

    async def look(self, days: float = 1) -> list[Event]:
        self.clock.jump(days * DAY)
        await self.watch.look()
        return self.events.news()


@pytest.fixture
async def house() -> House:
    standing = House()
    assert await standing.look() == []
    return standing


@pytest.mark.promise("002-08")
async def test_name_servers_that_change_are_told_and_noted(house: House) -> None:
    """What was and what is, once; the change is there for the next failure report."""
    house.changes("NS", *STOLEN)

    noted, raised = await house.look()

    assert (noted.kind, noted.subject) == (EventKind.CHANGE_SEEN, "shop")
    assert noted.data["text"] == "NS records of acme.example: ns1.host., ns2.host. → ns1.thief."
    assert (raised.kind, raised.subject) == (EventKind.CONCERN_RAISED, "dns_drift:acme.example:NS")
    assert raised.data["severity"] == Severity.SEV4
    assert raised.data["facts"] == {
        "name": "acme.example",
        "record_type": "NS",
        "before": ["ns1.host.", "ns2.host."],
        "after": ["ns1.thief."],
    }
    assert await house.look() == []


@pytest.mark.parametrize("days", [1, 6, 8])
async def test_change_is_over_when_taken_back_or_after_a_week(house: House, days: int) -> None:
    """Taken back on any day; left as it is, it stands for seven."""
    house.changes("MX", "10 mail.other.example.")
    await house.look()
    over = await house.look(days)
    assert [event.kind for event in over] == ([EventKind.CONCERN_CLEARED] if days > 7 else [])
    house.changes("MX", *RECORDS["MX"])
    kinds = [event.kind for event in await house.look()]
    taken_back = [EventKind.CHANGE_SEEN, EventKind.CONCERN_CLEARED]
    assert kinds == (taken_back if days < 7 else [EventKind.CHANGE_SEEN, EventKind.CONCERN_RAISED])


async def test_change_that_a_person_acknowledged_is_how_it_shall_be(house: House) -> None:
    """Whoever looked at it and said so need not hear of it for a week."""
    house.changes("CAA", '0 issue "letsencrypt.org"')
    await house.look()
    incident = concern_incident(ConcernKind.DNS_DRIFT, key="dns_drift:acme.example:CAA")
    await house.incidents.open(replace(incident, acknowledged_at=house.clock.now()), [])

    assert [event.kind for event in await house.look()] == [EventKind.CONCERN_CLEARED]


async def test_records_that_are_configured_must_be_so_until_they_are(house: House) -> None:
    """A week changes nothing about what was agreed."""
    house.sites = [replace(house.sites[0], expected={"NS": ["NS1.host", "ns2.host"]})]
    house.changes("NS", *STOLEN)
    assert [event.kind for event in await house.look()] == [EventKind.CHANGE_SEEN, EventKind.CONCERN_RAISED]
    assert await house.look(10) == []
    house.changes("NS", *RECORDS["NS"])
    assert [event.kind for event in await house.look()] == [EventKind.CHANGE_SEEN, EventKind.CONCERN_CLEARED]


async def test_answer_that_fails_or_says_nothing_of_a_type_is_no_drift(house: House) -> None:
    """Resolvers that are silent or disagree say nothing of the zone."""
    house.found = None
    assert await house.look() == []
    house.found = ZoneRecords("acme.example", {"NS": RECORDS["NS"]})
    assert await house.look() == []
    house.found = ZoneRecords("acme.example", RECORDS)
    assert await house.look() == []


async def test_drift_over_a_restart_is_neither_told_again_nor_forgotten(house: House) -> None:
    """What stands is in the store; a site that is gone takes its drift along."""
    house.changes("NS", *STOLEN)
    await house.look()
    house.watch = house.restarted()
    assert await house.look() == []
    house.sites = []
    assert [event.kind for event in await house.look()] == [EventKind.CONCERN_CLEARED]


async def test_zone_of_several_hosts_is_read_from_the_longest_name_on(house: House) -> None:
    """The zone that holds the host is the one that counts; it is read a few times a day."""
    assert house.asked == [("www.acme.example", "acme.example")]
    for _ in range(24):
        await house.look(1 / 24)
    assert len(house.asked) == 1 + 24 // 6
    assert timedelta(days=1).total_seconds() == DAY
