"""The rounds of audits, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from sentry.domain.allow_list import AllowedFinding
from sentry.domain.audit_policy import AuditTerms
from sentry.domain.audited_site import AuditedSite
from sentry.domain.concern import Concern, ConcernKind
from sentry.domain.errors import AuditFailed
from sentry.domain.events import EventKind
from sentry.domain.finding import AuditReport, Finding, FindingClass
from sentry.ports import Observation
from sentry.services.audit_concerns import AuditConcerns
from sentry.services.audits import CLEANED, AuditDesk, AuditRounds
from tests.fakes.audits import MemoryAuditBook, audited, found
from tests.fakes.clock import ManualClock
from tests.fakes.observations import MemoryObservations
from tests.fakes.telemetry import RecordingTelemetry
from tests.fakes.told import ToldEvents

ZONE = ZoneInfo("Europe/Madrid")
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


def _site(key: str, host: str = "", **changed: object) -> AuditedSite:
    return AuditedSite(key, "acme", key.title(), host or key, ZONE, **changed)  # type: ignore[arg-type]  # its fields


@dataclass
class House:
    """Rounds over some sites, whose audits take an hour each and find what a test says."""

    sites: list[AuditedSite]
    finds: tuple[Finding, ...] = ()
    takes_s: float = HOUR_S
    fails: bool = False
    refuses: bool = False
    at_once: int = 2
    most_at_once: int = 0
    begun: list[tuple[str, float]] = field(default_factory=list)
    clock: ManualClock = field(default_factory=ManualClock)
    book: MemoryAuditBook = field(default_factory=MemoryAuditBook)
    observations: MemoryObservations = field(default_factory=MemoryObservations)
    events: ToldEvents = field(default_factory=ToldEvents)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    task: "asyncio.Task[None] | None" = None

    async def restart(self) -> None:
        """Stops the rounds and begins others over the same store."""
        await self.stop()
        concerns = AuditConcerns(self.observations, self.events, self.clock)
        self.rounds = AuditRounds(
            lambda: self.sites,
            self._audit,
            desk=AuditDesk(self.book, concerns, self.clock),
            concerns=concerns,
            book=self.book,
            observations=self.observations,
            telemetry=self.telemetry,
            clock=self.clock,
            at_once=lambda: self.at_once,
            look_every_s=HOUR_S / 4,
        )
        self.task = asyncio.create_task(self.rounds.run())

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def days(self, count: float) -> None:
        """Lets time go by, an hour at a time."""
        for _ in range(round(count * 24)):
            await self.clock.advance(HOUR_S)

    async def _audit(self, site: AuditedSite) -> AuditReport:
        began_at = self.clock.now()
        self.begun.append((site.key, self.clock.monotonic()))
        self.most_at_once = max(self.most_at_once, len(self.rounds.running))
        hosts = [one.host for one in self.sites if one.key in self.rounds.running]
        assert len(hosts) == len(set(hosts)), "two audits of one host"
        await self.clock.sleep(self.takes_s)
        if self.fails:
            raise AuditFailed("no route to host", retryable=not self.refuses)
        report = audited(*self.finds, site_key=site.key, at=began_at)
        return AuditReport(
            report.root, began_at, self.clock.now(), report.manifest, report.findings, rules=report.rules
        )


@pytest.fixture
async def house() -> AsyncIterator[House]:
    built = House([_site("shop")])
    await built.restart()
    yield built
    await built.stop()


async def test_new_site_is_audited_in_its_first_night(house: House) -> None:
    """Within a day of being configured, at night where it is."""
    await house.days(1)

    (record,) = [one.record for one in house.book.kept]
    assert record.site_key == "shop"
    assert record.began_at.astimezone(ZONE).hour in {1, 2, 3, 4}


@pytest.mark.promise("001-38")
async def test_audits_follow_each_other_within_fifteen_days_although_the_agent_restarts_each_ten(
    house: House,
) -> None:
    """Last completed + 15 days, whatever happens to the process."""
    for _ in range(6):
        await house.days(10)
        await house.restart()

    times = [one.record for one in house.book.kept]
    gaps = [later.began_at - earlier.ended_at for earlier, later in pairwise(times)]
    assert len(times) == 4
    assert all(timedelta(days=14) < gap <= timedelta(days=15) for gap in gaps)


async def test_one_audit_at_a_time_on_each_host_and_a_few_over_all() -> None:
    """A hundred sites of one server must not bring it down."""
    sites = [_site(f"site-{number}", host=f"web{number % 3}") for number in range(12)]
    house = House(sites, at_once=2)
    await house.restart()

    await house.days(2)
    await house.stop()

    assert house.most_at_once == 2
    assert {one.record.site_key for one in house.book.kept} == {site.key for site in sites}


async def test_failed_audit_is_tried_again_and_is_no_verdict(house: House) -> None:
    """After longer and longer waits; the next that comes to its end makes good."""
    house.fails, house.takes_s = True, 1
    await house.days(1.5)
    assert house.book.kept == []
    tries = len(house.begun)
    assert 3 <= tries <= 8
    assert house.telemetry.counted("audits_total", result="failed") == tries

    await house.restart()
    house.fails = False
    await house.days(0.5)

    assert len(house.book.kept) == 1
    standing = house.rounds.standing("shop")
    assert standing is not None
    assert (standing.failures, standing.why) == (0, "")


@pytest.mark.promise("001-38")
async def test_late_audit_is_told_to_operators_and_ends_when_it_was_made(house: House) -> None:
    """With what stood in its way."""
    house.fails = True
    await house.days(3)

    (concern, *_) = [Concern.of(event) for event in house.events.news()]
    assert (concern.key, concern.kind, concern.site_key) == ("audit_late:shop", ConcernKind.AUDIT_LATE, "")
    assert concern.facts["why"] == "no route to host"
    assert house.telemetry.gauges["audits_late", frozenset()] == 1

    house.fails = False
    await house.days(1)
    assert [event.kind for event in house.events.news()][-1] is EventKind.CONCERN_CLEARED
    assert house.telemetry.gauges["audits_late", frozenset()] == 0


async def test_audit_ordered_by_hand_moves_the_next_one(house: House) -> None:
    """It is in the book, however it got there."""
    await house.book.keep(audited(at=house.clock.now()))

    await house.days(10)
    assert house.begun == []
    await house.days(5)
    assert len(house.begun) == 1


async def test_what_is_allowed_by_configuration_or_by_command_is_kept_as_allowed(house: House) -> None:
    """Both kinds of entries count, and an expired one does not."""
    house.finds = tuple(found(name, FindingClass.SUSPICIOUS) for name in ("a.php", "b.php", "c.php"))

    def entry(path: str, expires_on: date) -> AllowedFinding:
        return AllowedFinding(path=path, reason="known to Ana", author="ana", expires_on=expires_on)

    house.sites = [_site("shop", allow=(entry("a.php", date(2027, 1, 1)), entry("c.php", date(2026, 11, 1))))]
    await house.book.allow("shop", entry("b.php", date(2027, 1, 1)), house.clock.now())

    await house.days(1)

    (kept,) = house.book.kept
    assert [bool(finding.allowed) for finding in kept.report.findings] == [True, True, False]
    assert (kept.record.allowed, kept.record.counts) == (2, {FindingClass.SUSPICIOUS: 1})
    assert "no longer allowed: path c.php" in kept.report.manifest.parts["allow-list"]


async def test_metrics_say_what_the_last_audit_found_and_when_the_next_begins(house: House) -> None:
    """Also of classes of which nothing was found, so that an alert can compare."""
    house.finds = (found("x.php"),)
    await house.days(2)

    gauges = house.telemetry.gauges
    labels = {"site": "shop"}
    (kept,) = house.book.kept
    assert gauges["audit_findings", frozenset({**labels, "verdict": "confirmed"}.items())] == 1
    assert gauges["audit_findings", frozenset({**labels, "verdict": "exposed"}.items())] == 0
    last = gauges["audit_last_completed_timestamp_seconds", frozenset(labels.items())]
    assert last == kept.record.ended_at.timestamp()
    assert gauges["audit_next_timestamp_seconds", frozenset(labels.items())] > last + 13 * DAY_S


async def test_terms_of_another_configuration_count_from_the_last_audit() -> None:
    """Five days in place of fifteen: the next one is nearer at once."""
    house = House([_site("shop")])
    await house.restart()
    await house.days(1)
    house.sites = [_site("shop", terms=AuditTerms(every=timedelta(days=5)))]
    await house.days(6)
    await house.stop()

    assert len(house.book.kept) == 2


@pytest.mark.promise("001-41")
async def test_cleaned_site_is_looked_at_after_an_hour_a_day_and_a_week(house: House) -> None:
    """Whoever left a way in comes back; a restart in between forgets none of it."""
    house.takes_s = 60.0
    await house.days(1)
    cleaned_at, cleaned_s = house.clock.now(), house.clock.monotonic()
    house.begun.clear()
    await house.observations.keep(CLEANED, "shop", Observation(cleaned_at, {}))

    await house.days(2)
    await house.restart()
    await house.days(6)

    hours = [round((at - cleaned_s) / HOUR_S) for _, at in house.begun]
    assert hours == [1, 24, 7 * 24]


async def test_host_that_refuses_us_is_not_asked_again_at_once(house: House) -> None:
    """A wrong key does not become right by itself, and who knocks too often is locked out."""
    house.fails, house.refuses, house.takes_s = True, True, 1
    await house.days(1.5)

    tries = [at for _, at in house.begun]
    assert len(tries) >= 2
    assert min(later - earlier for earlier, later in pairwise(tries)) >= 6 * HOUR_S


async def test_site_that_is_no_longer_audited_leaves_nothing_open_with_operators(house: House) -> None:
    """What they were told of it ends with it."""
    house.finds = (found("a.php", FindingClass.SUSPICIOUS),)
    await house.days(1)
    (concern,) = house.events.raised()
    house.sites = []

    await house.days(0.1)

    (over,) = house.events.news()
    assert (over.kind, over.subject) == (EventKind.CONCERN_CLEARED, concern.key)
