"""The watch over domains: who is asked, and who is told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from sentry.domain.events import EventKind
from sentry.domain.registration import Registration, SiteDomain
from sentry.domain.severity import Severity
from sentry.services.domains import ASKED_PER_LOOK, DomainWatch
from tests.fakes.clock import ManualClock
from tests.fakes.observations import MemoryObservations
from tests.fakes.telemetry import RecordingTelemetry
from tests.fakes.told import ToldEvents

DAY = 86_400
DAYS = (30, 14, 7, 1)


class NoWait(ManualClock):
    """Makes nobody wait."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(0)


class TableOfRegistries:
    """Fills the `Registries` port from a table."""

    def __init__(self) -> None:
        self.ends: dict[str, datetime] = {}
        self.asked: list[Sequence[str]] = []

    async def ask(self, candidates: Sequence[str]) -> Registration:
        self.asked.append(candidates)
        for name in candidates:
            if name in self.ends:
                return Registration(name, self.ends[name], "rdap.example")
        return Registration(candidates[0], why="the registry is silent")


class House:
    """Sites, registries, and the watch over their domains."""

    def __init__(self) -> None:
        self.clock = NoWait()
        self.observations = MemoryObservations()
        self.events = ToldEvents()
        self.telemetry = RecordingTelemetry()
        self.registries = TableOfRegistries()
        self.sites = [SiteDomain("shop", "acme", "www.acme.example", thresholds=DAYS)]
        self.watch = self.restarted()

    def restarted(self) -> DomainWatch:
        return DomainWatch(
            lambda: self.sites,
            registries=self.registries,
            observations=self.observations,
            events=self.events,
            telemetry=self.telemetry,
            clock=self.clock,
        )

    def ends_in(self, days: float, domain: str = "acme.example") -> datetime:
        self.registries.ends[domain] = self.clock.now() + timedelta(days=days)
        return self.registries.ends[domain]

    def expiry_metric(self, site: str = "shop") -> float | None:
        return self.telemetry.gauges.get(("domain_expiry_timestamp_seconds", frozenset({("site", site)})))


@pytest.fixture
def house() -> House:
    return House()


@pytest.mark.promise("002-08")
async def test_domain_that_nobody_renews_is_told_at_each_threshold(house: House) -> None:
    """30, 14, 7 and 1 days before the end, and once more when it has come; the registry is asked once a day."""
    ends = house.ends_in(40)
    told = []
    for _ in range(4 * 42):
        house.clock.jump(DAY / 4)
        await house.watch.look()
        told += house.events.raised()

    assert [(one.facts["stage"], one.facts.get("days_left")) for one in told] == [
        (1, 30),
        (2, 14),
        (3, 7),
        (4, 1),
        (5, None),
    ]
    assert {one.key for one in told} == {"domain:acme.example"}
    assert (told[0].severity, told[-1].severity) == (Severity.SEV4, Severity.SEV2)
    assert told[0].facts["expires_on"] == ends.date().isoformat()
    assert told[0].facts["source"] == "rdap.example"
    assert told[-1].facts["ended_on"] == ends.date().isoformat()
    assert 30 <= len(house.registries.asked) <= 43
    assert house.expiry_metric() == ends.timestamp()


async def test_domain_renewed_clears_with_the_new_date(house: House) -> None:
    """The end of the worry says until when it is registered."""
    house.ends_in(10)
    await house.watch.look()
    house.events.news()
    ends = house.ends_in(375)
    house.clock.jump(2 * DAY)

    await house.watch.look()

    (over,) = house.events.news()
    assert (over.kind, over.subject) == (EventKind.CONCERN_CLEARED, "domain:acme.example")
    assert over.data["facts"]["expires_on"] == ends.date().isoformat()


async def test_domain_of_several_sites_is_asked_about_and_told_once(house: House) -> None:
    """The registry is asked about the domain and not about each host below it."""
    house.sites.append(replace(house.sites[0], site_key="blog", host="blog.acme.example"))
    house.ends_in(10)

    await house.watch.look()

    assert len(house.registries.asked) == 1
    assert [(one.key, one.site_key) for one in house.events.raised()] == [("domain:acme.example", "shop")]
    assert house.expiry_metric("shop") == house.expiry_metric("blog") is not None


@pytest.mark.promise("002-08")
async def test_domain_of_a_silent_registry_is_unknown_unless_dated_by_hand(house: House) -> None:
    """Unknown is never taken for fine: no date, no metric; a date by hand counts like a registry's."""
    await house.watch.look()
    registration = house.watch.registration("shop")
    assert registration is not None
    assert (registration.expires_at, registration.why) == (None, "the registry is silent")
    assert house.expiry_metric() is None
    assert house.events.raised() == []

    house.sites = [replace(house.sites[0], expires_on=date(2026, 11, 10))]
    await house.watch.look()

    (told,) = house.events.raised()
    assert (told.facts["source"], told.facts["expires_on"]) == ("configuration", "2026-11-10")
    assert house.expiry_metric() == datetime(2026, 11, 10, tzinfo=UTC).timestamp()


async def test_registry_that_falls_silent_takes_nothing_back(house: House) -> None:
    """What it said stays known, and what was told of it stands, also over a restart."""
    ends = house.ends_in(10)
    await house.watch.look()
    house.events.news()
    house.registries.ends.clear()
    house.clock.jump(1.5 * DAY)
    house.watch = house.restarted()

    await house.watch.look()

    registration = house.watch.registration("shop")
    assert registration is not None
    assert (registration.expires_at, registration.why) == (ends, "the registry is silent")
    assert house.events.news() == []
    assert len(house.registries.asked) == 2


async def test_registries_are_asked_a_few_at_a_time(house: House) -> None:
    """Ten thousand domains are no reason to ask ten thousand questions in a row."""
    house.sites = [SiteDomain(f"s{n}", "acme", f"www.acme{n}.example") for n in range(3 * ASKED_PER_LOOK)]
    await house.watch.look()
    assert len(house.registries.asked) == ASKED_PER_LOOK
    for _ in range(5):
        await house.watch.look()
    assert len(house.registries.asked) == 3 * ASKED_PER_LOOK


async def test_registries_are_left_alone_where_the_settings_say_so(house: House) -> None:
    """A date by hand needs nobody's answer."""
    house.sites = [replace(house.sites[0], expires_on=date(2026, 11, 10))]

    await house.watch.look(asking=False)

    assert house.registries.asked == []
    assert [one.key for one in house.events.raised()] == ["domain:acme.example"]


async def test_domain_of_a_site_that_is_gone_is_cleared(house: House) -> None:
    """Nobody waits for the renewal of what is no longer watched."""
    house.ends_in(10)
    await house.watch.look()
    house.events.news()
    house.sites = []

    await house.watch.look()

    assert [event.kind for event in house.events.news()] == [EventKind.CONCERN_CLEARED]
    assert len(await house.observations.all("domain")) == 1
    house.clock.jump(8 * DAY)
    await house.watch.look()
    assert await house.observations.all("domain") == {}
