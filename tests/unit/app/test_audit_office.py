"""The agent's audits: what they ask of a site counts into its budget of the day (promise 000-26)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sentry.app.auditing.office import counted
from sentry.domain.audited_site import AuditedSite
from sentry.domain.finding import AuditReport, Manifest

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
SITE = AuditedSite("shop", "acme", "Shop", "web1", ZoneInfo("UTC"))


async def test_requests_of_an_audit_count_into_the_budget_of_its_site() -> None:
    """Once it is done, all of them."""
    told: list[tuple[str, int]] = []

    async def audit(site: AuditedSite) -> AuditReport:
        return AuditReport("/srv", NOW, NOW, Manifest(requests=155), (), site.key)

    report = await counted(audit, lambda key, requests: told.append((key, requests)))(SITE)

    assert report.site_key == "shop"
    assert told == [("shop", 155)]
