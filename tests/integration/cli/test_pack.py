"""`pack key|build|list|verify|show` as a person calls them."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sentry.cli import build
from tests.fakes.packages import WORDPRESS, zip_of


def called(*arguments: object) -> Result:
    """What a command answers."""
    return CliRunner().invoke(build(), [str(argument) for argument in arguments], env={"COLUMNS": "240"})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a package and a key in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wordpress.zip").write_bytes(zip_of(WORDPRESS))
    made = called("pack", "key", "packs.key")
    assert made.exit_code == 0
    (tmp_path / "public").write_text(re.findall(r"ed25519:[^']+", made.stdout)[0])
    return tmp_path


def test_pack_built_and_signed_is_believed_by_the_settings(folder: Path) -> None:
    """From the package to a list in which everything is believed."""
    (folder / "sentry.yaml").write_text(
        f"audits: {{trusted_keys: ['{(folder / 'public').read_text()}']}}\n"
        "sites: [{key: a, url: 'https://a.example/', checks: [{kind: tls}]}]\n"
    )

    built = called("pack", "build", "--key", "packs.key", "wordpress.zip")
    listed = called("pack", "list", "--json")
    verified = called("pack", "verify")

    assert built.exit_code == listed.exit_code == verified.exit_code == 0
    assert "wordpress 6.1.9: 5 files in packs/wordpress-6.1.9-" in built.stdout
    packs = json.loads(listed.stdout)["packs"]
    assert {(one["kind"], one["name"], one["believed"]) for one in packs} == {
        ("core", "wordpress", "yes"),
        ("plugin", "contact", "yes"),
        ("theme", "simple", "yes"),
    }
    assert "3 packs are believed, 0 are not" in verified.stdout


def test_pack_of_a_stranger_is_refused(folder: Path) -> None:
    """With what to do where the key is one's own."""
    called("pack", "build", "--key", "packs.key", "wordpress.zip")

    listed = called("pack", "list", "--packs", "packs")
    trusted = called("pack", "list", "--packs", "packs", "--trust", (folder / "public").read_text())

    assert listed.exit_code == 1
    assert "which is none of the trusted keys; add it to audits.trusted_keys if it is yours" in listed.stderr
    assert trusted.exit_code == 0


@pytest.mark.usefixtures("folder")
def test_pack_without_a_signature_is_believed_where_that_is_allowed() -> None:
    """Building one says so at once."""
    built = called("pack", "build", "wordpress.zip")

    assert "nobody signed" in built.stderr
    assert called("pack", "verify").exit_code == 1
    assert called("pack", "verify", "--unsigned").exit_code == 0


def test_verify_finds_a_pristine_file_that_is_gone(folder: Path) -> None:
    """Before it is needed."""
    called("pack", "build", "wordpress.zip", "--without-files")

    verified = called("pack", "verify", "--unsigned")

    assert verified.exit_code == 1
    assert "wordpress 6.1.9: 5 pristine files are not kept" in verified.stdout
    assert not list((folder / "packs").glob("*.zip"))


def test_show_prints_every_file(folder: Path) -> None:
    """With its SHA-256, for people and for programs."""
    called("pack", "build", "--key", "packs.key", "wordpress.zip")
    (path,) = (folder / "packs").glob("wordpress-*.pack")

    shown, document = called("pack", "show", path), json.loads(called("pack", "show", path, "--json").stdout)

    assert "wordpress 6.1.9, 5 files" in shown.stdout
    assert "'wp-includes/version.php'" in shown.stdout
    assert document["listed"]["readme.html"]["size_bytes"] == len(WORDPRESS["readme.html"])
    assert document["sources"][0]["name"] == "wordpress.zip"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["build", "gone.zip"], 1, "gone.zip cannot be read"),
        (["build", "packs.key"], 1, "it is no zip, no deb, no tar and no folder"),
        (["build", "wordpress.zip", "--name", "x"], 2, "--name and --version belong together"),
        (["build", "wordpress.zip", "--key", "wordpress.zip"], 1, "holds no key"),
        (["list", "--packs", "gone"], 5, "there is no folder gone with packs"),
        (["list", "--trust", "me"], 2, "a public key is `ed25519:`"),
        (["show", "wordpress.zip"], 1, "is no pack"),
        (["key", "packs.key"], 1, "name a new file"),
    ],
)
def test_wrong_use_says_what_is_wrong_and_what_to_do(arguments: list[str], code: int, said: str) -> None:
    """The exit code is the one of its kind."""
    done = called("pack", *arguments)

    assert (done.exit_code, said in done.stderr) == (code, True), done.stderr
