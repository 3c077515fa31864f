"""The audit of a real WordPress behind a real sshd: nothing to say of a clean one, and all that an intruder left."""

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

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
from tests.integration.servers.agent import AgentProcess
from tests.integration.servers.agent_config import agent_document, write_config
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
    assert build(
        Order(
            published,
            folder / "packs",
            date(2026, 11, 1),
        )
    )
    return PackAccess((str(folder / "packs"),), unsigned=True)


def _site(site: WordPress, sshd: Sshd) -> dict[str, Any]:
    """Returns the site as a configuration has it."""
    ssh = {
        "host": "127.0.0.1",
        "port": sshd.port,
        "user": sshd.user,
        "key_file": str(sshd.key_path),
        "host_keys": [sshd.host_key],
    }
    return {
        "url": site.url,
        "checks": [{"kind": "http"}],
        "access": {"ssh": ssh, "docroot": str(site.docroot)},
        "audit": {"known_admins": [ADMIN]},
    }


def _order(site: WordPress, sshd: Sshd, packs: PackAccess) -> AuditOrder:
    described = SITE.validate_python({"key": "client", **_site(site, sshd)})
    return AuditOrder(packs=packs, visits=AuditVisits(pause_s=0), site=described)


async def _audit(order: AuditOrder) -> AuditReport:
    return await audited(order, lambda _progress: None, within_s=200)


def _badness(verdict: FindingClass) -> int:
    return WORST_FIRST.index(verdict)


def _shown(findings: list[Finding]) -> list[tuple[str, str, list[str]]]:
    return [(one.path, one.verdict, [sign.rule for sign in one.signs]) for one in findings]


@pytest.mark.timeout(480)
@pytest.mark.promise("001-39")
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
    assert infected.manifest.hidden == sum(path.name.startswith(".") for path in site.docroot.rglob("*"))
    assert infected.manifest.hidden >= 3
    assert infected.manifest.scripts > clean.manifest.scripts > 500
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


def _files(site: WordPress) -> Mapping[str, tuple[bytes, int]]:
    """Returns content and mode of every file, by its path."""
    found = (path for path in site.docroot.rglob("*") if path.is_file())
    return {str(path.relative_to(site.docroot)): (path.read_bytes(), path.stat().st_mode) for path in found}


@pytest.fixture
def agent(
    site: WordPress, sshd: Sshd, packs: PackAccess, tmp_path: Path, free_port: Callable[[], int]
) -> AgentProcess:
    """The command line of an agent that has the site in its configuration."""
    port = free_port()
    known = {"packs_dirs": list(packs.folders), "unsigned_packs": True, "visits": {"enabled": False}}
    document = agent_document(port, {"client": _site(site, sshd)}, audits=known)
    return AgentProcess(write_config(tmp_path / "agent" / "sentry.yaml", document), port)


@pytest.mark.timeout(480)
@pytest.mark.promise("001-41")
def test_site_after_an_intruder_is_cleaned_to_the_byte_and_given_back_to_the_byte(
    site: WordPress, agent: AgentProcess
) -> None:
    """On a person's word all that was left is taken away, what was changed is restored, and it can all be undone."""
    before = _files(site)
    intrude(site)
    infected = _files(site)
    word = ("--by", "Ana", "--reason", "seen by a person")
    wishes = [part for left in FILES for part in ("--file" if left.is_added_to else "--remove", left.path)]

    cleaned = agent.cli("clean", "client", *wishes, *word, within_s=200)

    assert _changed(before, _files(site)) == [], cleaned.stdout + cleaned.stderr
    assert site.fetch().status == 200
    kept = json.loads(agent.cli("quarantine", "list", "--json").stdout)
    assert len(kept) == len(FILES)
    for one in reversed(kept):
        given_back = agent.cli("quarantine", "restore", one["key"], *word)
        assert given_back.returncode == 0, given_back.stdout + given_back.stderr
    assert _changed(infected, _files(site)) == []


def _changed(one: Mapping[str, tuple[bytes, int]], other: Mapping[str, tuple[bytes, int]]) -> list[str]:
    """Returns the paths that stand in one only, or are not the same in both."""
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))
