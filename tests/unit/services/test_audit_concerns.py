"""What is told of an audit, to whom, how often, and when it is over."""

from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import pytest

from sentry.domain.audited_site import AuditedSite
from sentry.domain.concern import ConcernKind
from sentry.domain.events import EventKind
from sentry.domain.finding import Evidence, Finding, FindingClass, Place, Sign, Skipped
from sentry.domain.severity import Severity
from sentry.services.audit_concerns import AuditConcerns
from tests.fakes.audits import audited, found
from tests.fakes.clock import ManualClock
from tests.fakes.observations import MemoryObservations
from tests.fakes.told import ToldEvents

SHOP = AuditedSite("shop", "acme", "Acme shop", "web1", ZoneInfo("Europe/Madrid"))
SHELL = found("uploads/x.php")
KNOWN = "known · 12 components looked up"


def _hole(name: str, mended_in: str) -> Finding:
    sign = Sign("CVE-1", "orders can be read", FindingClass.VULNERABLE, Evidence.SETTING, mended_in=mended_in)
    return Finding(name, FindingClass.VULNERABLE, (sign,), place=Place.COMPONENT)


@dataclass
class Office:
    """The concerns of audits, and what was told."""

    events: ToldEvents = field(default_factory=ToldEvents)
    observations: MemoryObservations = field(default_factory=MemoryObservations)

    def __post_init__(self) -> None:
        self.concerns = AuditConcerns(self.observations, self.events, ManualClock())

    async def took(self, *findings: Finding, components: str = KNOWN, failures: tuple[str, ...] = ()) -> None:
        report = audited(*findings)
        report.manifest.parts["components"] = components
        report.manifest.failures.extend(failures)
        await self.concerns.tell(SHOP, report)


async def test_infection_is_one_incident_of_the_site_told_at_once_and_not_again() -> None:
    """However many files it has; another audit that finds the same says nothing."""
    office = Office()
    await office.took(SHELL, found("uploads/y.php"))

    (concern,) = office.events.raised()
    assert (concern.key, concern.kind, concern.severity) == ("infection:shop", ConcernKind.INFECTION, Severity.SEV1)
    assert (concern.site_key, concern.client_key) == ("shop", "acme")
    assert concern.facts == {"count": 2, "places": ["uploads/x.php", "uploads/y.php"]}

    await office.took(SHELL, found("uploads/y.php"))
    assert office.events.raised() == []


async def test_infection_that_spreads_updates_its_incident() -> None:
    """The same key, with what is known now, and since when it began."""
    office = Office()
    await office.took(SHELL)
    (first,) = office.events.raised()

    await office.took(SHELL, found("uploads/y.php"))

    (second,) = office.events.raised()
    assert (second.key, second.began_at) == (first.key, first.began_at)
    assert second.facts["count"] == 2


async def test_infection_ends_when_an_audit_has_looked_and_finds_it_no_longer() -> None:
    """One that failed in part, or could not read the file, ends nothing."""
    office = Office()
    await office.took(SHELL)
    office.events.raised()

    await office.took(failures=("files failed: MemoryError",))
    unreadable = audited()
    unreadable.manifest.skipped.append(Skipped("uploads/x.php", "cannot be read", 40))
    await office.concerns.tell(SHOP, unreadable)
    folder = audited()
    folder.manifest.skipped.append(Skipped("uploads/", "folder cannot be read", 0))
    await office.concerns.tell(SHOP, folder)
    assert office.events.news() == []

    await office.took()
    (over,) = office.events.news()
    assert (over.kind, over.subject) == (EventKind.CONCERN_CLEARED, "infection:shop")


async def test_allowed_malware_is_told_to_nobody() -> None:
    """Somebody has looked at it, and says why it may stay."""
    office = Office()
    await office.took(replace(SHELL, allowed="a sample for training (ana, until 2027-01-01)"))
    assert office.events.news() == []


@pytest.mark.promise("001-40")
async def test_each_vulnerable_component_has_its_own_ticket_with_the_version_that_mends_it() -> None:
    """And its own clock: one that is mended ends alone."""
    office = Office()
    await office.took(_hole("woocommerce 8.1.0", "8.1.1"), _hole("akismet 5.0", ""))

    shop, spam = office.events.raised()
    assert (shop.key, shop.severity) == ("vulnerability:shop/woocommerce 8.1.0", Severity.SEV2)
    assert shop.facts == {
        "component": "woocommerce 8.1.0",
        "mended_in": ["8.1.1"],
        "holes": ["CVE-1: orders can be read"],
    }
    assert "mended_in" not in spam.facts

    await office.took(_hole("akismet 5.0", ""))
    (over,) = office.events.news()
    assert (over.kind, over.subject) == (EventKind.CONCERN_CLEARED, shop.key)


@pytest.mark.parametrize(
    ("components", "failures"),
    [("unknown: osv: out of reach", ()), ("", ("components failed: OSError: disk full",)), (KNOWN, None)],
)
async def test_hole_ends_only_when_the_feeds_were_asked(components: str, failures: tuple[str, ...] | None) -> None:
    """A feed that is out of reach says nothing, and that is not good news."""
    office = Office()
    await office.took(_hole("akismet 5.0", ""))
    office.events.raised()

    await office.took(components=components, failures=failures or ())

    assert bool(office.events.news()) is (failures is None)


async def test_what_is_not_proven_goes_to_operators_once_until_it_changes() -> None:
    """Not to the client, and not at each audit."""
    office = Office()
    suspicious = found("a.php", FindingClass.SUSPICIOUS)
    await office.took(suspicious, found("adminer.php", FindingClass.RISKY_TOOL))

    (concern,) = office.events.raised()
    assert (concern.kind, concern.site_key, concern.client_key) == (ConcernKind.AUDIT_FINDINGS, "", "")
    assert concern.facts == {"audited": "Acme shop", "count": 1, "findings": ["suspicious: a.php"]}

    await office.took(suspicious)
    assert office.events.news() == []
    await office.took(suspicious, found(".env", FindingClass.EXPOSED))
    assert office.events.raised()[0].facts["findings"] == ["exposed: .env", "suspicious: a.php"]
    await office.took()
    assert [event.kind for event in office.events.news()] == [EventKind.CONCERN_CLEARED]


async def test_infection_of_the_database_lasts_while_nobody_can_look_at_it() -> None:
    """A database that does not answer says nothing."""
    office = Office()
    await office.took(found("wp_posts 7 post_content", place=Place.DATABASE))
    office.events.raised()

    await office.took(found("wp_posts", FindingClass.NOT_LOOKED_AT, place=Place.DATABASE))
    refused = audited()
    refused.manifest.skipped.append(Skipped("database", "access denied", 0))
    await office.concerns.tell(SHOP, refused)
    assert office.events.news() == []

    await office.took()
    assert [event.subject for event in office.events.news()] == ["infection:shop"]
