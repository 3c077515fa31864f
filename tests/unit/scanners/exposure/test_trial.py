"""What is exposed is what an answer shows, and not what a name suggests."""

import gzip
from pathlib import Path

import pytest

from scanners.exposure.examiner import ExposureExaminer
from scanners.exposure.suspects import LISTING, SUSPECTS
from scanners.web.answer import Answer, Visitor
from sentry.domain.finding import Finding, FindingClass, Manifest
from sentry.domain.site import CheckOptions, Site
from tests.fakes.scene import planted, scene_of
from tests.fakes.site_over_web import NOT_FOUND, Page, SiteOverWeb

SITE = Site(key="site", url="https://site.example/", checks=(CheckOptions(kind="http"),))
ROOT = "https://site.example/"
HOME = {"/": "<html>home</html>"}
DUMP = "-- MySQL dump 10.19\nCREATE TABLE `wp_users` (id int);\n"
SCHEMA = "-- The tables of Shop\nCREATE TABLE shop (id int);\nINSERT INTO system VALUES ('version', '1');\n"
SERVED: dict[str, tuple[str, str | bytes]] = {
    ".git/HEAD": ("git_repository_served", "ref: refs/heads/main\n"),
    ".svn/entries": ("subversion_served", "12\n"),
    ".hg/requires": ("mercurial_served", "dotencode\nfncache\n"),
    ".env": ("environment_file_served", "APP_ENV=production\nDB_PASS=x\n"),
    "api/.env.local": ("environment_file_served", "# ours\nexport API_KEY=1\n"),
    "wp-config.php.bak": ("configuration_served", "<?php define('DB_PASSWORD', 'x');"),
    ".htpasswd": ("configuration_served", "ana:$apr1$x$y\n"),
    "keys/server.key": ("private_key_served", "-----BEGIN RSA PRIVATE KEY-----\nx"),
    "backup/site.sql": ("database_dump_served", DUMP),
    "install/sql/old-site.sql": ("database_dump_served_within", DUMP),
    "wp-content/uploads/2026/site_db.sql": ("database_dump_served", "INSERT INTO wp_users VALUES (1);"),
    "db.sql.gz": ("database_dump_served", gzip.compress(DUMP.encode())),
    "old-site.zip": ("archive_served", b"PK\x03\x04 and more"),
    "wp-content/updraft/x/backup_db.zip": ("archive_served", b"PK\x03\x04 and more"),
    "index.php.old": ("source_copy_served", "<?php echo 1;"),
    "inc/.functions.php.swp": ("source_copy_served", b"b0VIM 8.2"),
    "config.yml~": ("source_copy_served", "database:\n  password: written here\n"),
    "wp-content/debug.log": ("log_served", "[02-Nov-2026 09:00:00 UTC] PHP Warning:  Undefined variable\n"),
    "info.php": ("phpinfo_served", "<!DOCTYPE html><html><head><title>PHP 8.2 - phpinfo()</title></head>"),
    "wp-admin/install.php": ("wordpress_not_installed", '<html><input name="weblog_title"></html>'),
    "install/index.php": ("installer_served", "<html><title>Shop installation assistant</title></html>"),
    "composer.lock": ("package_list_served", '{"packages": []}'),
    "readme.html": ("version_page_served", "<!DOCTYPE html><h1>WordPress</h1>"),
}


def exposed(tmp_path: Path, web: SiteOverWeb, files: dict[str, str | bytes]) -> tuple[set[tuple[str, str]], Manifest]:
    """Returns rule and path of what is exposed, without what headers and protocols are told of."""
    scene = scene_of(planted(tmp_path, files), site=SITE)
    examiner = ExposureExaminer(lambda _site: web, Visitor("the audit"))
    rules = {suspect.rule for suspect in (*SUSPECTS, LISTING)} | {"outside_not_seen"}
    found = [one for one in examiner.examine(scene) if one.signs[0].rule in rules]
    return {(one.signs[0].rule, one.path) for one in found}, scene.manifest


@pytest.mark.parametrize("path", SERVED)
@pytest.mark.parametrize("is_seen", [True, False], ids=["in the tree", "in the tree and blocked"])
def test_file_is_exposed_when_it_is_served(tmp_path: Path, path: str, is_seen: bool) -> None:
    """The same file behind a server that blocks it is fine."""
    rule, content = SERVED[path]
    web = SiteOverWeb(HOME | ({"/" + path: content} if is_seen else {}))

    found, _ = exposed(tmp_path, web, {path: content})

    assert found == ({(rule, ROOT + path)} if is_seen else set())


def test_well_known_paths_are_asked_for_without_a_tree(tmp_path: Path) -> None:
    """A site of which nobody gave us the files is looked at as a stranger would."""
    web = SiteOverWeb(HOME | {"/.git/HEAD": "ref: refs/heads/main\n", "/.env": "SECRET_KEY=1\n", "/backup.sql": DUMP})

    found, manifest = exposed(tmp_path, web, {})

    assert {rule for rule, _ in found} == {
        "git_repository_served",
        "environment_file_served",
        "database_dump_served",
    }
    assert manifest.requests == web.asked
    assert manifest.parts["exposure"].startswith("looked at")


CATCH_ALL: dict[str, str | bytes] = {
    "a page of the site": "<!DOCTYPE html><h1>WordPress</h1><title>install</title>CREATE TABLE DB_PASSWORD=1",
    "a trap for scanners": "ref: refs/heads/main\nDB_PASSWORD=1\nCREATE TABLE x\n<?php $a = 1;\n",
    "an empty answer": "",
    "a text": "nothing to see here, move on",
}


@pytest.mark.parametrize("body", CATCH_ALL.values(), ids=CATCH_ALL)
def test_site_that_answers_everything_exposes_nothing(tmp_path: Path, body: str | bytes) -> None:
    """A soft 404, a catch-all and a honeypot have the same for a name that nobody could have thought of."""
    web = SiteOverWeb(HOME, other=lambda _path, _visitor: body)

    found, _ = exposed(tmp_path, web, {path: content for path, (_, content) in SERVED.items()})

    assert found == set()


@pytest.mark.parametrize(
    ("path", "content", "served"),
    [
        (".env", "A_KEY=1\n", "<!DOCTYPE html><html>app</html>"),
        ("index.php.old", "<?php echo 1;", "hello"),
        ("download/brochure.zip", b"PK\x03\x04", b"PK\x03\x04"),
        ("wp-content/uploads/2026/01/brochure.zip", b"PK\x03\x04", b"PK\x03\x04"),
        (".env.example", "A_KEY=\n", "A_KEY=\n"),
        ("wp-content/plugins/shop/schema.sql", SCHEMA, SCHEMA),
        ("phpmyadmin/sql/create_tables.sql", SCHEMA, SCHEMA),
        ("mail/SQL/mysql.initial.sql", SCHEMA, SCHEMA),
        ("vendor/acme/src/Info.php", "<?php class Info {}", '<h1 class="p">PHP Version'),
        ("wp-admin/install.php", "<?php", "<html><title>WordPress Installation</title><h1>Already Installed</h1>"),
        ("wp-config.php", "<?php define('DB_PASSWORD', 'x');", ""),
        ("cert/ca.pem", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----"),
    ],
)
def test_look_alike_is_not_exposed(tmp_path: Path, path: str, content: str | bytes, served: str | bytes) -> None:
    """What is run, meant to be fetched, or answered with something else."""
    web = SiteOverWeb(HOME | {"/" + path: served})

    assert exposed(tmp_path, web, {path: content})[0] == set()


def test_bytes_as_on_disk_are_proof_enough(tmp_path: Path) -> None:
    """A dump in a form that nobody knows: what comes over the web is what lies in the docroot."""
    content = b"\x00\x01 an export in its very own form \xff" * 10
    web = SiteOverWeb(HOME | {"/data.dump": content})

    assert exposed(tmp_path, web, {"data.dump": content})[0] == {("database_dump_served", f"{ROOT}data.dump")}


def test_folder_that_the_server_lists_is_exposed(tmp_path: Path) -> None:
    """One with an index page is not asked for."""
    listing = "<html><head><title>Index of /wp-content/uploads/</title></head>"
    web = SiteOverWeb(HOME | {"/wp-content/uploads/": listing})

    found, _ = exposed(
        tmp_path, web, {"wp-content/uploads/a.jpg": "x", "pages/index.php": "<?php", "pages/a.txt": "a"}
    )

    assert found == {("folder_listed", f"{ROOT}wp-content/uploads/")}
    assert f"{ROOT}pages/" not in web.urls


def test_site_below_a_path_is_asked_at_both_roots(tmp_path: Path) -> None:
    """The docroot may be that of the host or that of the path."""
    web = SiteOverWeb(
        {"/blog/": "<html>home</html>", "/blog/.git/HEAD": "ref: refs/heads/main\n", "/.env": "KEY=1\n"}
    )
    site = SITE.model_copy(update={"url": "https://site.example/blog/"})
    examiner = ExposureExaminer(lambda _site: web, Visitor("the audit"))

    found = list(examiner.examine(scene_of(tmp_path, site=site)))

    exposed_ones = {one.path for one in found if one.verdict is FindingClass.EXPOSED}
    assert exposed_ones == {"https://site.example/blog/.git/HEAD", "https://site.example/.env"}


def test_budget_that_is_used_up_is_told(tmp_path: Path) -> None:
    """What was not asked for is not fine."""
    web = SiteOverWeb(HOME, limit=10)

    found, manifest = exposed(tmp_path, web, {})

    assert found == {("outside_not_seen", "exposure")}
    assert "used up" in manifest.parts["exposure"]
    assert "addresses were not asked for" in manifest.parts["exposure"]


@pytest.mark.parametrize("page", [Answer("", 503), NOT_FOUND, Answer("", 403)])
def test_site_that_does_not_let_us_in_is_unknown(tmp_path: Path, page: Page) -> None:
    """A wall in front of everything hides what is behind it."""
    found, manifest = exposed(tmp_path, SiteOverWeb({"/": page}), {})

    assert found == {("outside_not_seen", "exposure")}
    assert manifest.parts["exposure"].startswith("unknown: the home page answered")


def test_secret_does_not_stand_in_the_finding(tmp_path: Path) -> None:
    """A report is read by more people than the file."""
    web = SiteOverWeb(HOME | {"/.env": "DB_PASSWORD=hunter2\n"})
    examiner = ExposureExaminer(lambda _site: web, Visitor("the audit"))

    found: list[Finding] = list(examiner.examine(scene_of(tmp_path, site=SITE)))

    assert any(one.path.endswith("/.env") for one in found)
    assert "hunter2" not in repr(found)


@pytest.mark.promise("002-08")
def test_file_with_secrets_that_all_may_read_is_advice(tmp_path: Path) -> None:
    """Seen from inside, also where no site is named."""
    planted(tmp_path, {"wp-config.php": "<?php", ".env": "A=1", "wp-admin/network/settings.php": "<?php"})
    (tmp_path / "wp-config.php").chmod(0o644)
    (tmp_path / ".env").chmod(0o640)
    scene = scene_of(tmp_path)

    found = list(ExposureExaminer(lambda _site: SiteOverWeb({}), Visitor("the audit")).examine(scene))

    assert [(one.path, one.signs[0].rule) for one in found] == [("wp-config.php", "secrets_readable_by_all")]
    assert scene.manifest.parts["exposure"] == "from inside only: no site was named"


@pytest.mark.parametrize("is_served", [True, False])
def test_tree_that_is_served_need_not_be_guessed_at(tmp_path: Path, *, is_served: bool) -> None:
    """Where a file comes as it lies on disk, nothing else is asked for; else the docroot is another."""
    sheet = "body { color: black }\n" * 10
    web = SiteOverWeb(HOME | {"/style.css": sheet if is_served else "body {}", "/.env": "A_KEY=1\n"})

    found, _ = exposed(tmp_path, web, {"style.css": sheet})

    assert found == (set() if is_served else {("environment_file_served", f"{ROOT}.env")})
    assert (f"{ROOT}server-status" in web.urls, f"{ROOT}backup.zip" in web.urls) == (True, not is_served)
