"""`audit --path` as a person calls it, on a small site with inert samples in it."""

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sentry.cli import build


@pytest.fixture
def docroot(tmp_path: Path) -> Path:
    """A site with a page, a back door in uploads, and a file that cannot be looked at."""
    root = tmp_path / "site"
    (root / "wp-content" / "uploads").mkdir(parents=True)
    (root / "index.php").write_text("<?php echo htmlspecialchars($_GET['name']);")
    (root / "wp-content" / "uploads" / "x.php").write_text("<?php\n$c = $_POST['[b]'];\n@eval($c);\n")
    (root / "link.php").symlink_to("/usr/share/doc/readme")
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


@pytest.fixture
def config(docroot: Path, tmp_path: Path) -> str:
    """A configuration with one site, whose files are on this machine."""
    path = tmp_path / "sentry.yaml"
    path.write_text(
        "sites:\n"
        "  - key: shop\n"
        "    url: http://127.0.0.1:9/\n"
        f"    access: {{docroot: {docroot}, local: true}}\n"
        "    audit:\n"
        "      allow: [{path: '*', rule: none-of-these, reason: for the test, author: ana, expires_on: 2001-01-01}]\n"
    )
    return str(path)


def _run(config: str, *words: str) -> Result:
    return CliRunner().invoke(build(), ["--config", config, "audit", *words])


def test_audit_of_a_site_is_kept_and_shown_again(config: str, docroot: Path) -> None:
    """With what is new and gone since the one before, the proof's hash, and entries that have expired."""
    first = _run(config, "shop")
    (docroot / "wp-content" / "uploads" / "x.php").unlink()
    second = _run(config, "shop")

    assert (first.exit_code, second.exit_code) == (12, 0)
    assert "kept as audit 1:" in first.stderr
    listed = json.loads(_run(config, "list", "--json").stdout)
    assert [(one["number"], one["gone"]) for one in listed] == [(2, 1), (1, 0)]
    shown = _run(config, "show", "2").stdout
    assert "gone since the audit before confirmed wp-content/uploads/x.php" in shown
    assert listed[0]["sha256"] in shown
    assert "allow-list: no longer allowed: path *, rule none-of-these (until 2001-01-01, for the test)" in shown


def test_malware_is_allowed_by_its_digest_and_until_it_is_taken_back(config: str, docroot: Path) -> None:
    """It is still shown, and no longer what the exit code tells of."""
    digest = hashlib.sha256((docroot / "wp-content" / "uploads" / "x.php").read_bytes()).hexdigest()
    words = ("--reason", "a sample for training", "--expires", "2999-01-01", "--author", "ana")

    by_path = _run(config, "allow", "shop", "--path", "*", *words)
    still = _run(config, "shop")
    by_digest = _run(config, "allow", "shop", "--digest", digest, *words)
    allowed = _run(config, "shop")
    entries = _run(config, "allowed", "shop").stdout
    taken_back = _run(config, "disallow", "2", "--reason", "the training is over")
    again = _run(config, "shop")

    assert [one.exit_code for one in (by_path, by_digest, taken_back)] == [0, 0, 0]
    assert [one.exit_code for one in (still, allowed, again)] == [12, 0, 12]
    assert "confirmed (allowed) wp-content/uploads/x.php" in allowed.stdout
    assert "It may stay: a sample for training (ana, until 2999-01-01)." in allowed.stdout
    assert "2001-01-01 (expired)" in entries


def test_allow_of_everything_is_refused(config: str) -> None:
    """And a day that is none, with the word that is wrong."""
    words = ("allow", "shop", "--reason", "because", "--expires")

    assert "name a path, a sha256 or a rule" in _run(config, *words, "2999-01-01").stderr
    assert "expires_on:" in _run(config, *words, "tomorrow", "--path", "a.php").stderr


def test_audit_of_a_site_without_access_says_what_to_write(config: str, tmp_path: Path) -> None:
    """And of one that is not there, that it is not."""
    other = tmp_path / "other.yaml"
    other.write_text("sites: [{key: shop, url: http://127.0.0.1:9/}]")

    done = _run(str(other), "shop")
    assert done.exit_code == 5
    assert "write its `access` (docs/access.md)" in done.stderr
    assert _run(str(other), "nothing").exit_code == 5
    assert _run(str(other)).exit_code == 2


BEGINS = {"text": "confirmed ", "json": "{", "sarif": "{", "csv": "\ufeffclass,", "html": "<!doctype html>"}


@pytest.mark.parametrize("form", BEGINS)
def test_audit_is_written_into_a_file_in_each_format(docroot: Path, tmp_path: Path, form: str) -> None:
    """The exit code is the same as on the terminal."""
    output = tmp_path / f"audit.{form}"

    done = CliRunner().invoke(build(), ["audit", "--path", str(docroot), "--format", form, "--output", str(output)])

    assert done.exit_code == 12
    written = output.read_text(encoding="utf-8")
    assert written.lower().startswith(BEGINS[form])
    assert "wp-content/uploads/x.php" in written
