"""The look-up of components in feeds of known holes, from a tree to findings."""

import json
import os
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scanners.components.examiner import ComponentsExaminer
from scanners.components.feeds import Feeds
from scanners.components.index import Index, ready
from scanners.components.versions import Ecosystem
from sentry.domain.finding import Finding, FindingClass, Manifest, Place
from sentry.domain.vulnerability_feed import VulnerabilityFeed
from tests.fakes.clock import ManualClock
from tests.fakes.feeds import osv_record, wordfence_record
from tests.fakes.scene import planted, scene_of

CLOCK = ManualClock()
SHOP = {"wp-content/plugins/shop/shop.php": "<?php /* Plugin Name: Shop\nVersion: 1.4.2\n*/"}
MAILER = {
    "composer.lock": json.dumps({"packages": [{"name": "acme/mailer", "version": "2.0.0"}], "packages-dev": []})
}


def fresh(path: Path, age_h: float = 1.0) -> Path:
    """Gives a file an age by the clock of the test."""
    at = (CLOCK.now() - timedelta(hours=age_h)).timestamp()
    os.utime(path, (at, at))
    return path


def wordfence_file(folder: Path, *records: dict[str, Any]) -> Path:
    path = folder / "wordfence.json"
    path.write_text(json.dumps({record["id"]: record for record in records}))
    return fresh(path)


def osv_zip(folder: Path, *records: dict[str, Any]) -> Path:
    path = folder / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for record in records:
            archive.writestr(f"{record['id']}.json", json.dumps(record))
    return fresh(path)


def looked_up(tmp_path: Path, files: dict[str, str], **feeds: Path) -> tuple[list[Finding], Manifest]:
    """Looks a tree up in feeds, by their kind."""
    configured = [VulnerabilityFeed(kind=kind, path=str(path)) for kind, path in feeds.items()]
    scene = scene_of(planted(tmp_path / "site", files), clock=CLOCK)
    examiner = ComponentsExaminer(Feeds(configured, tmp_path, tmp_path / "cache"))
    return list(examiner.examine(scene)), scene.manifest


@pytest.mark.promise("001-40")
def test_plugin_with_a_known_hole_is_a_finding(tmp_path: Path) -> None:
    """With its name, its weight, the versions, the cure, and the terms of whoever found it out."""
    (found,), manifest = looked_up(tmp_path, SHOP, wordfence=wordfence_file(tmp_path, wordfence_record()))

    assert (found.path, found.place, found.verdict) == ("plugin/shop@1.4.2", Place.COMPONENT, FindingClass.VULNERABLE)
    (sign,) = found.signs
    assert sign.rule == "CVE-2026-0001"
    assert "SQL Injection" in sign.meaning
    assert "critical, CVSS 9.8" in sign.meaning
    assert sign.detail.startswith("update to 1.4.3; affected: up to 1.4.2;")
    assert "https://feed.example/shop" in sign.detail
    assert "Copyright 2012-2026 Example Inc." in sign.author
    assert "The Example Corporation" in sign.author
    assert "https://feed.example/terms" in sign.licence
    assert manifest.parts["components"].startswith("known · 1 components looked up · wordfence")


def test_plugin_that_nobody_mended_is_to_be_deactivated(tmp_path: Path) -> None:
    """A range without end, and no version that would help."""
    record = wordfence_record(high="*", patched=())

    (found,), _ = looked_up(tmp_path, SHOP, wordfence=wordfence_file(tmp_path, record))

    assert found.signs[0].detail.startswith("no version mends it: deactivate it; affected: all versions")


@pytest.mark.parametrize(
    "record",
    [
        wordfence_record(high="1.4.2", high_inclusive=False),
        wordfence_record(low="1.4.3", high="2.0"),
        wordfence_record("another"),
        wordfence_record(kind="theme"),
    ],
    ids=["below", "above", "other plugin", "a theme of that name"],
)
def test_plugin_outside_the_range_is_none(tmp_path: Path, record: dict[str, Any]) -> None:
    """The bounds, the name and the kind decide."""
    other = wordfence_record("third", identifier="x", cve=None)
    found, manifest = looked_up(tmp_path, SHOP, wordfence=wordfence_file(tmp_path, record, other))

    assert [one for one in found if one.verdict is FindingClass.VULNERABLE] == []
    assert manifest.parts["components"].startswith("known")


def test_package_of_composer_is_looked_up_in_osv(tmp_path: Path) -> None:
    """By its range, with the score of its vector."""
    (found,), _ = looked_up(tmp_path, MAILER, osv=osv_zip(tmp_path, osv_record()))

    assert (found.path, found.signs[0].rule) == ("composer/acme/mailer@2.0.0", "GHSA-aaaa-bbbb-cccc")
    assert "critical, CVSS 9.8" in found.signs[0].meaning
    assert found.signs[0].detail.startswith("update to 2.0.1; affected: before 2.0.1;")
    assert (found.signs[0].author, found.signs[0].licence[:9]) == ("GitHub Advisory Database", "CC BY 4.0")


def test_record_that_was_withdrawn_is_none(tmp_path: Path) -> None:
    """Its publisher took it back."""
    feed = osv_zip(tmp_path, osv_record(withdrawn="2026-03-05T00:00:00Z"), osv_record("acme/other", identifier="b"))

    assert looked_up(tmp_path, MAILER, osv=feed)[0] == []


@pytest.mark.parametrize(
    "record",
    [
        osv_record(events=({"introduced": "0"}, {"last_affected": "2.0.0"})),
        osv_record(events=(), versions=("1.0.0", "2.0.0")),
        osv_record(events=({"introduced": "1.0"}, {"fixed": "1.5"}, {"introduced": "2.0.0"})),
    ],
    ids=["last affected", "list of versions", "introduced again"],
)
def test_record_of_any_form_is_understood(tmp_path: Path, record: dict[str, Any]) -> None:
    """Ranges with a last affected version, lists, and several spans in one range."""
    assert len(looked_up(tmp_path, MAILER, osv=osv_zip(tmp_path, record))[0]) == 1


def test_hole_that_two_feeds_know_is_told_once(tmp_path: Path) -> None:
    """One ticket, not two: the CVE joins them."""
    record = osv_record("plugin/shop", ecosystem="WordPress", aliases=("CVE-2026-0001",), versions=("1.4.2",))

    found, _ = looked_up(
        tmp_path, SHOP, wordfence=wordfence_file(tmp_path, wordfence_record()), osv=osv_zip(tmp_path, record)
    )

    assert [one.signs[0].rule for one in found] == ["CVE-2026-0001"]


def test_package_for_development_is_advice(tmp_path: Path) -> None:
    """A lock file of a theme names hundreds that no visitor ever meets."""
    lock = {"composer.lock": json.dumps({"packages-dev": [{"name": "acme/mailer", "version": "2.0.0"}]})}

    (found,), _ = looked_up(tmp_path, lock, osv=osv_zip(tmp_path, osv_record()))

    assert found.verdict is FindingClass.ADVICE
    assert "for development only" in found.signs[0].detail


def unknown(found: list[Finding], manifest: Manifest) -> str:
    """What is said where nothing is known; it is never green."""
    assert manifest.parts["components"].startswith("unknown: ")
    (gap,) = [one for one in found if one.verdict is FindingClass.NOT_LOOKED_AT]
    return gap.signs[0].detail


def test_site_without_any_feed_is_unknown(tmp_path: Path) -> None:
    """Nobody has looked."""
    assert "write one into audits.feeds" in unknown(*looked_up(tmp_path, SHOP))


def test_feed_that_is_missing_makes_it_unknown(tmp_path: Path) -> None:
    """And says which file."""
    found, manifest = looked_up(tmp_path, SHOP, wordfence=tmp_path / "gone.json")
    assert "gone.json cannot be read: No such file" in unknown(found, manifest)


def test_feed_that_is_too_old_makes_it_unknown(tmp_path: Path) -> None:
    """What it knows is told all the same."""
    feed = fresh(wordfence_file(tmp_path, wordfence_record()), age_h=100)

    found, manifest = looked_up(tmp_path, SHOP, wordfence=feed)

    assert "older than 72 h" in unknown(found, manifest)
    assert [one.verdict for one in found if one.place is Place.COMPONENT][-1] is FindingClass.VULNERABLE


@pytest.mark.parametrize("kind", ["wordfence", "osv"])
def test_feed_that_is_cut_short_makes_it_unknown(tmp_path: Path, kind: str) -> None:
    """Half a list is no list; nothing of it is believed."""
    whole = wordfence_file(tmp_path, wordfence_record()) if kind == "wordfence" else osv_zip(tmp_path, osv_record())
    whole.write_bytes(whole.read_bytes()[:-30])

    found, manifest = looked_up(tmp_path, SHOP, **{kind: fresh(whole)})

    assert "is damaged" in unknown(found, manifest)


def test_feed_that_became_damaged_is_asked_as_it_was(tmp_path: Path) -> None:
    """A mirror that breaks off does not hide what was known the day before."""
    feed = wordfence_file(tmp_path, wordfence_record())
    looked_up(tmp_path, SHOP, wordfence=feed)
    feed.write_text('{"a": {')

    found, manifest = looked_up(tmp_path, SHOP, wordfence=fresh(feed))

    assert "is damaged" in unknown(found, manifest)
    assert FindingClass.VULNERABLE in {one.verdict for one in found}


def test_feed_with_a_record_that_cannot_be_read_makes_it_unknown(tmp_path: Path) -> None:
    """That record might have been the one."""
    folder = tmp_path / "osv"
    planted(folder, {"a.json": json.dumps(osv_record()), "b.json": "{"})
    for file in folder.iterdir():
        fresh(file)

    found, manifest = looked_up(tmp_path, MAILER, osv=folder)

    assert "1 of its records cannot be read: b.json" in unknown(found, manifest)


@pytest.mark.parametrize(
    ("key", "nonsense"), [("affected_versions", None), ("affected_versions", {"* - 1": "all"}), ("slug", "")]
)
def test_software_of_a_feed_that_cannot_be_read_makes_it_unknown(tmp_path: Path, key: str, nonsense: object) -> None:
    """It might have been this very plugin."""
    record = wordfence_record("other", identifier="x")
    record["software"][0][key] = nonsense

    found, manifest = looked_up(
        tmp_path, SHOP, wordfence=wordfence_file(tmp_path, record, wordfence_record(high="1.0"))
    )

    assert "1 of its records cannot be read" in unknown(found, manifest)


@pytest.mark.parametrize("content", ["{}", "[]"])
def test_feed_without_a_record_makes_it_unknown(tmp_path: Path, content: str) -> None:
    """An empty answer of whatever was to be mirrored."""
    feed = tmp_path / "empty.json"
    feed.write_text(content)

    assert "holds no record" in unknown(*looked_up(tmp_path, SHOP, wordfence=fresh(feed)))


def test_ecosystem_that_no_feed_covers_makes_it_unknown(tmp_path: Path) -> None:
    """A feed of WordPress says nothing of npm."""
    found, manifest = looked_up(
        tmp_path, SHOP | MAILER, wordfence=wordfence_file(tmp_path, wordfence_record(high="1.0"))
    )

    assert unknown(found, manifest) == "no feed knows of any, and the site has 1"
    assert [one.path for one in found] == ["Packagist"]


def test_component_without_a_version_is_not_taken_for_safe(tmp_path: Path) -> None:
    """Where holes are known, and nobody can say whether it has them."""
    tree = {"wp-content/plugins/shop/shop.php": "<?php /* Plugin Name: Shop */"}

    (found,), _ = looked_up(tmp_path, tree, wordfence=wordfence_file(tmp_path, wordfence_record()))

    assert (found.verdict, found.path) == (FindingClass.NOT_LOOKED_AT, "plugin/shop@unknown")
    assert "CVE-2026-0001" in found.signs[0].detail


def test_tree_without_components_needs_no_feed(tmp_path: Path) -> None:
    """There is nothing that could be looked up."""
    found, manifest = looked_up(tmp_path, {"index.html": "hello"})

    assert found == []
    assert manifest.parts["components"] == "no components found"


def test_index_is_built_once_for_each_content(tmp_path: Path) -> None:
    """The second audit reads the small file; a feed that changes is read anew."""
    feed, index = wordfence_file(tmp_path, wordfence_record()), tmp_path / "cache" / "a.index"
    ready("wordfence", feed, index).close()
    built = index.stat()
    ready("wordfence", feed, index).close()
    assert index.stat().st_ino == built.st_ino

    feed.write_text(json.dumps({"a": wordfence_record(high="9")}))
    ready("wordfence", feed, index).close()

    opened = Index(index)
    assert [affected.holds("8") for _, affected in opened.of(Ecosystem.WORDPRESS_PLUGIN, "Shop")] == [True]
    opened.close()


def test_index_that_is_damaged_is_built_anew(tmp_path: Path) -> None:
    """A full disk or a crash leaves no lasting mark."""
    feed = wordfence_file(tmp_path, wordfence_record())
    looked_up(tmp_path, SHOP, wordfence=feed)
    for index in (tmp_path / "cache").iterdir():
        index.write_bytes(b"nonsense" * 500)

    found, manifest = looked_up(tmp_path, SHOP, wordfence=feed)

    assert len(found) == 1
    assert manifest.parts["components"].startswith("known")
