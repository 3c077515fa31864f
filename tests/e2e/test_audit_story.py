"""A site that is infected: the agent audits it in time, tells client and operators, and sees that it was mended."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sentry.clock import SystemClock
from sentry.domain.finding import AuditReport, Manifest
from sentry.store import open_store
from tests.e2e.house import House, http_site
from tests.integration.servers.process import wait_until
from tests.integration.servers.smtp_sink import ReceivedMail
from tests.integration.servers.webhook_sink import WebhookSink

pytestmark = pytest.mark.integration

WITHIN_S = 90.0
"""The agent looks each 15 s, and the audit starts a Python of its own; the rest is for a busy machine."""


@pytest.fixture
def docroot(tmp_path: Path) -> Path:
    """A site with an inert back door in its uploads."""
    uploads = tmp_path / "www" / "wp-content" / "uploads"
    uploads.mkdir(parents=True)
    (tmp_path / "www" / "index.php").write_text("<?php echo 'hola';")
    (uploads / "x.php").write_text("<?php @eval($_POST['b']);")
    return tmp_path / "www"


@pytest.fixture
def house(tmp_path: Path, free_port: Callable[[], int], docroot: Path) -> Iterator[House]:
    """An agent whose only site was last audited sixteen days ago."""
    with WebhookSink() as shop:
        site = http_site(shop) | {"access": {"docroot": str(docroot), "local": True}}
        house = House.prepare(tmp_path / "agent", free_port(), {"tienda": site})
        asyncio.run(_audited_before(house.store))
        with house.site, house.mail, house.agent:
            yield house


async def _audited_before(store: Path) -> None:
    then = datetime.now(UTC) - timedelta(days=16)
    async with open_store(f"sqlite:///{store}", handlers=("incidents", "tickets"), clock=SystemClock()) as opened:
        await opened.audits.keep(AuditReport("/srv", then, then, Manifest(files=2), (), "tienda"))


@pytest.mark.promise("001-38", "001-39")
@pytest.mark.timeout(300)
def test_infected_site_is_audited_in_time_told_at_once_and_over_when_it_was_mended(
    house: House, docroot: Path
) -> None:
    """Incident, ticket and a mail that the client understands; the next audit finds it gone and ends it."""
    wait_until(lambda: len(house.json("audit", "list")) == 2, "the audit that was due", WITHIN_S)
    newest = house.json("audit", "list")[0]
    assert (newest["site"], newest["counts"]["confirmed"], newest["new"] >= 1) == ("tienda", 1, True)

    told = " ".join(_mail(house, "se encontró código dañino en 1").text().split())
    assert "Alguien ha puesto en la web código que no le pertenece" in told
    assert "wp-content/uploads/x.php" in told
    (incident,) = [one for one in house.json("incident", "list") if one["concern"] == "infection"]
    wait_until(lambda: house.json("incident", "show", str(incident["id"]))["ticket_number"] is not None, "ticket")
    labels = 'verdict="confirmed",site="tienda"'
    wait_until(lambda: house.series(f"sentry_audit_findings{{{labels}}}") == 1, "the metric", WITHIN_S)

    (docroot / "wp-content" / "uploads" / "x.php").unlink()
    assert house.agent.cli("audit", "tienda", within_s=120).returncode == 0

    _mail(house, "el código dañino ya no está")
    assert house.json("incident", "show", str(incident["id"]))["state"] == "resolved"
    wait_until(lambda: house.series(f"sentry_audit_findings{{{labels}}}") == 0, "the metric", WITHIN_S)


def _mail(house: House, subject: str) -> ReceivedMail:
    wait_until(lambda: any(subject in mail.subject for mail in house.mail.mails), subject, WITHIN_S)
    return next(mail for mail in house.mail.mails if subject in mail.subject)
