"""The watch over certificates that still work: who is told what, and how often."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from sentry.domain.concern import Concern
from sentry.domain.events import Event, EventKind
from sentry.domain.health import Health
from sentry.domain.result import Certificate, Evidence, ProbeResult, Reason, Status, TlsEvidence
from sentry.domain.severity import Severity
from sentry.domain.site import Plan
from sentry.services.certificates import CertificateWatch
from sentry.services.watch import CheckView
from tests.fakes.checks import make_check
from tests.fakes.clock import ManualClock
from tests.fakes.observations import MemoryObservations
from tests.fakes.results import a_certificate
from tests.fakes.watch import down, up
from tests.fakes.watch_store import MemoryEventQueue

DAY = timedelta(days=1)
ROOT = replace(a_certificate(subject="root", names=()), issuer="root", fingerprint_sha256="ff" * 32)


class House:
    """Checks, what their probes saw last, and the watch over them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.observations = MemoryObservations()
        self.events = MemoryEventQueue(())
        self.views: dict[str, CheckView] = {}
        self.watch = self.restarted()

    def restarted(self) -> CertificateWatch:
        return CertificateWatch(lambda: list(self.views.values()), self.observations, self.events, self.clock)

    def certificate(self, days: float, name: str = "shop") -> Certificate:
        """A leaf with so many days to live."""
        ends = self.clock.now() + days * DAY
        fingerprint = f"{name}-{days}".encode().hex()
        return replace(a_certificate(), not_after=ends, fingerprint_sha256=fingerprint, issuer="root")

    def shows(
        self, key: str, *chain: Certificate, result: ProbeResult | None = None, plan: Plan | None = None
    ) -> None:
        """Lets the newest probe of a check have seen this chain."""
        seen = Evidence(tls=TlsEvidence("TLSv1.3", chain=chain, verified=True))
        last = replace(result or up(key), evidence=seen)
        self.views[key] = CheckView(make_check(key, plan=plan), Health(key), last)

    async def look(self) -> list[Event]:
        """Looks once and returns what is new."""
        before = len(self.events.events)
        await self.watch.look()
        return self.events.events[before:]

    async def pass_days(self, days: int) -> list[tuple[datetime, Concern]]:
        """Looks four times a day, and returns what was raised."""
        raised = []
        for _ in range(4 * days):
            self.clock.jump(DAY.total_seconds() / 4)
            raised += [(event.at, Concern.of(event)) for event in await self.look()]
        return raised


@pytest.fixture
def house() -> House:
    return House()


def facts(event: Event) -> dict[str, Any]:
    assert event.kind is EventKind.CONCERN_RAISED
    return dict(Concern.of(event).facts)


@pytest.mark.promise("002-08")
async def test_certificate_that_nobody_renews_is_told_at_30_14_7_and_1_days(house: House) -> None:
    """One telling per threshold, each worse than the last, and one more when it has ended; nothing in between."""
    leaf = house.certificate(40)
    house.shows("shop/tls", leaf, ROOT)

    told = await house.pass_days(42)

    assert [(concern.facts["days"], concern.facts["days_left"]) for _, concern in told] == [
        (30, 30),
        (14, 14),
        (7, 7),
        (1, 1),
        (1, 0),
    ]
    assert [concern.facts["problem"] for _, concern in told] == ["expires_soon"] * 4 + ["expired"]
    assert {concern.key for _, concern in told} == {"certificate:shop/tls"}
    assert {concern.began_at for _, concern in told} == {told[0][0]}
    severities = [concern.severity for _, concern in told]
    assert severities == sorted(severities, reverse=True)
    assert (severities[0], severities[-1]) == (Severity.SEV4, Severity.SEV2)


@pytest.mark.promise("002-08")
async def test_certificate_renewed_clears_with_the_new_date(house: House) -> None:
    """The end of the worry says until when the new one is good."""
    house.shows("shop/tls", house.certificate(10))
    assert [event.kind for event in await house.look()] == [EventKind.CONCERN_RAISED]
    new = house.certificate(90)
    house.shows("shop/tls", new)

    (over,) = await house.look()

    assert (over.kind, over.subject) == (EventKind.CONCERN_CLEARED, "certificate:shop/tls")
    assert over.data["facts"] == {"not_after": new.not_after.isoformat()}
    assert await house.look() == []


async def test_certificate_of_two_checks_of_a_site_is_told_once(house: House) -> None:
    """The https check and the tls check of a site see the same one; another site tells it for itself."""
    leaf = house.certificate(10)
    for key in ("shop/http", "shop/tls", "blog/http"):
        house.shows(key, leaf, ROOT)

    assert [event.subject for event in await house.look()] == ["certificate:shop/http", "certificate:blog/http"]
    house.views["shop/http"] = replace(house.views["shop/http"], last=down("shop/http"))
    assert await house.look() == []


async def test_intermediate_that_ends_before_its_leaf_is_the_one_that_is_named(house: House) -> None:
    """A chain lasts as long as its first certificate to end."""
    ending = replace(house.certificate(5, "between"), subject="between")
    house.shows("shop/http", replace(house.certificate(80), issuer="between"), ending, ROOT)

    (event,) = await house.look()

    assert facts(event)["subject"] == "between"
    assert facts(event)["not_after"] == ending.not_after.isoformat()


async def test_worry_over_a_restart_is_neither_told_again_nor_forgotten(house: House) -> None:
    """What stands is in the store."""
    house.shows("shop/tls", house.certificate(10))
    await house.look()
    house.watch = house.restarted()
    assert await house.look() == []

    del house.views["shop/tls"]

    assert [event.kind for event in await house.look()] == [EventKind.CONCERN_CLEARED]


async def test_site_that_does_not_answer_keeps_its_worry(house: House) -> None:
    """A probe that saw no certificate says nothing of it."""
    house.shows("shop/tls", house.certificate(10))
    await house.look()

    house.views["shop/tls"] = replace(house.views["shop/tls"], last=down("shop/tls"))

    assert await house.look() == []


async def test_chain_that_was_refused_is_left_to_its_outage(house: House) -> None:
    """A self-signed certificate has the site down already; when it ends is nobody's worry."""
    house.shows("shop/tls", house.certificate(10))
    view = house.views["shop/tls"]
    refused = down("shop/tls", reason=Reason.TLS_SELF_SIGNED)
    shown = Evidence(tls=TlsEvidence(chain=(house.certificate(10),), error="self-signed certificate"))
    house.views["shop/tls"] = replace(view, last=replace(refused, evidence=shown))

    assert await house.look() == []


@pytest.mark.promise("002-08")
async def test_chain_in_disorder_is_told_and_cleared(house: House) -> None:
    """The site works in browsers, so it is a word to whoever keeps the server."""
    between = replace(house.certificate(200, "between"), subject="between")
    leaf = replace(house.certificate(80), issuer="between")
    house.shows("shop/http", leaf, ROOT, between)

    (event,) = await house.look()
    house.shows("shop/http", leaf, between, ROOT)
    (over,) = await house.look()

    assert event.subject == over.subject == "certificate:shop/http:chain"
    assert (facts(event)["problem"], facts(event)["misplaced"]) == ("chain_order", "between")
    assert Concern.of(event).severity is Severity.SEV4


@pytest.mark.promise("002-08")
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"key": "RSA 1024"}, "weak_key"),
        ({"signature": "sha1WithRSAEncryption"}, "weak_signature"),
    ],
)
async def test_weak_certificate_that_is_accepted_is_told(house: House, changes: Any, problem: str) -> None:
    """Where the machine's TLS library lets it pass, others will not."""
    house.shows("shop/http", replace(house.certificate(80), **changes), ROOT)

    (event,) = await house.look()

    assert facts(event)["problem"] == problem


async def test_plan_without_thresholds_tells_no_end(house: House) -> None:
    """Who wants no word of it says so in the plan."""
    house.shows("shop/tls", house.certificate(2), plan=Plan(expiry_warning_days=()))

    assert await house.look() == []


async def test_degraded_check_shows_its_chain_as_well(house: House) -> None:
    """`min_days_left` makes the tls check degraded; the thresholds count all the same."""
    soon = replace(up("shop/tls"), status=Status.DEGRADED, reason=Reason.TLS_EXPIRES_SOON)
    house.shows("shop/tls", house.certificate(10), result=soon)

    assert [event.kind for event in await house.look()] == [EventKind.CONCERN_RAISED]
