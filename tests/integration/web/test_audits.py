"""Security audits on pages and in the interface."""

import pytest

from sentry.domain.audited_site import AuditStanding
from sentry.domain.finding import FindingClass
from tests.fakes.audits import audited, found
from tests.fakes.web import Client, House

EVIL = "<script>alert(1)</script>"


@pytest.fixture
async def audits(house: House) -> None:
    """Two audits of a site: the second finds malware, and something else no longer."""
    now = house.clock.now()
    await house.audits.keep(audited(found("old.php", FindingClass.SUSPICIOUS), site_key="acme-shop", at=now))
    await house.audits.keep(audited(found(EVIL, detail=EVIL), site_key="acme-shop", at=now))
    house.audit_standings["acme-shop"] = AuditStanding(now, completed_at=now, why=EVIL)


@pytest.mark.usefixtures("audits")
async def test_interface_lists_audits_and_shows_one_whole(client: Client) -> None:
    """Figures in the list; findings with their age, their reasons and what may be done in the detail."""
    listed = (await (await client.get("/api/v1/audits?site=acme-shop&limit=1")).json())["items"]
    (newest,) = listed
    assert (newest["number"], newest["counts"], newest["new"], newest["gone"]) == (2, {"confirmed": 1}, 1, 1)
    older = (await (await client.get("/api/v1/audits?before=2")).json())["items"]
    assert [one["number"] for one in older] == [1]

    whole = await (await client.get("/api/v1/audits/2")).json()
    (finding,) = whole["findings"]
    assert (finding["finding"]["path"], finding["may_be_acted_upon"]) == (EVIL, False)
    assert finding["why"].startswith("A person must say so")
    assert (whole["manifest"]["files"], len(whole["rules"]["files"])) == (10, 64)
    assert [one["path"] for one in whole["gone_findings"]] == ["old.php"]
    assert (await client.get("/api/v1/audits/7")).status == 404


@pytest.mark.usefixtures("audits")
async def test_page_of_a_site_tells_of_its_last_audit_and_leads_to_it(client: Client) -> None:
    """What it found, when the next begins, and what went wrong since; every byte of a stranger escaped."""
    page = await (await client.get("/sites/acme-shop")).text()
    assert 'href="/audits/2"' in page
    assert "next: " in page
    assert EVIL not in page

    audit = await (await client.get("/audits/2")).text()
    assert EVIL not in audit
    assert "it does what malware does" in audit
    assert "old.php" in audit
    assert "A person must say so" in audit
    assert (await client.get("/audits/9")).status == 404


async def test_page_of_a_site_that_is_not_audited_says_nothing_of_audits(client: Client) -> None:
    """Nobody is promised what nobody configured."""
    assert "Security audit" not in await (await client.get("/sites/acme-shop")).text()
