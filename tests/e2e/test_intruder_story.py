"""The audit of a real WordPress behind a real sshd: nothing to say of a clean one, and all that an intruder left."""

import asyncio
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from scanners.packs.building import Order, build
from sentry.app.auditing.errand import audited
from sentry.app.auditing.order import AuditOrder
from sentry.app.pack_access import PackAccess
from sentry.domain.audit_visits import AuditVisits
from sentry.domain.finding import WORST_FIRST, AuditReport, Finding, FindingClass, Place
from sentry.domain.site import Site
from tests.e2e.intruder import FILES, ROWS, intrude
from tests.integration.servers.sshd import Sshd
from tests.integration.servers.wordpress import ADMIN, PACKAGED, WordPress, wordpress_kit

pytestmark = pytest.mark.integration
SITE: TypeAdapter[Site] = TypeAdapter(Site)


@pytest.fixture
def site() -> Iterator[WordPress]:
    """A site as it was installed."""
    with wordpress_kit().site() as site:
        yield site


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    """The way to it, for an account without any right beyond its own files."""
    with Sshd(tmp_path / "sshd") as sshd:
        yield sshd


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> PackAccess:
    """What Debian published, as an agency would pack it."""
    folder = tmp_path_factory.mktemp("packs")
    published = folder / "wordpress"
    subprocess.run(("cp", "-aL", str(PACKAGED), str(published)), check=True)
    (published / "wp-config.php").unlink()  # Debian's own, which each site replaces
    assert build(Order(published, folder / "packs", date(2026, 11, 1), keep_files=False))
    return PackAccess((str(folder / "packs"),), unsigned=True)


def _order(site: WordPress, sshd: Sshd, packs: PackAccess) -> AuditOrder:
    ssh = {
        "host": "127.0.0.1",
        "port": sshd.port,
        "user": sshd.user,
        "key_file": str(sshd.key_path),
        "host_keys": [sshd.host_key],
    }
    return AuditOrder(
        packs=packs,
        visits=AuditVisits(pause_s=0),
        site=SITE.validate_python(
            {
                "key": "client",
                "url": site.url,
                "checks": [{"kind": "http"}],
                "access": {"ssh": ssh, "docroot": str(site.docroot)},
                "audit": {"known_admins": [ADMIN]},
            }
        ),
    )


async def _audit(order: AuditOrder) -> AuditReport:
    return await audited(order, lambda _progress: None, within_s=200)


def _badness(verdict: FindingClass) -> int:
    return WORST_FIRST.index(verdict)


def _shown(findings: list[Finding]) -> list[tuple[str, str, list[str]]]:
    return [(one.path, one.verdict, [sign.rule for sign in one.signs]) for one in findings]


@pytest.mark.promise("001-38", "001-39")
async def test_audit_of_a_real_site_finds_nothing_until_an_intruder_comes_and_then_everything(
    site: WordPress, sshd: Sshd, packs: PackAccess
) -> None:
    """Clean: no finding above a risky tool, and all of it looked at. Infected: each thing, with its class."""
    order = _order(site, sshd, packs)
    clean = await _audit(order)
    assert clean.manifest.failures == []
    assert _shown([one for one in clean.findings if _badness(one.verdict) < _badness(FindingClass.RISKY_TOOL)]) == []
    assert clean.manifest.files == sum(path.is_file() for path in site.docroot.rglob("*"))
    assert clean.manifest.rows > 100

    await asyncio.to_thread(intrude, site)
    infected = await _audit(order)
    assert infected.manifest.failures == []
    by_path = {one.path: one for one in infected.findings if one.place is Place.FILE}
    for left in FILES:
        assert left.path in by_path, f"{left.path} is not found; found are {sorted(by_path)}"
        found = by_path[left.path]
        assert _badness(found.verdict) <= _badness(left.least), _shown([found])
    rows = [one for one in infected.findings if one.place is Place.DATABASE]
    for row in ROWS:
        verdicts = [one.verdict for one in rows if one.path.startswith(row.place)]
        assert verdicts == [row.least], f"{row.place}: {_shown(rows)}"
    expected = {left.path for left in FILES}
    worse = [one for one in infected.findings if _badness(one.verdict) < _badness(FindingClass.RISKY_TOOL)]
    assert _shown([one for one in worse if one.place is Place.FILE and one.path not in expected]) == []
    assert site.fetch().status == 200
