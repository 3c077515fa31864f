"""`init`, `check-config` and `schema`, and every command where there is no configuration."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sentry.cli import build
from tests.integration.cli.conftest import CommandLine

GOOD = "sites: [{key: shop, url: 'https://shop.acme.example/', checks: [{kind: http, expect_text: Carrito}]}]\n"
BAD = """\
agency: {language: xx}
clients: {acme: {name: Acme}}
sites:
  - {key: Shop, client: acmee, url: not an address, checks: [{kind: htttp}]}
"""


@pytest.fixture
def here(tmp_path: Path) -> CommandLine:
    """A folder without a configuration."""
    return CommandLine(tmp_path / "sentry.yaml")


def test_init_writes_a_configuration_that_can_be_used(here: CommandLine) -> None:
    """With the addresses given; the next command is told."""
    result = here.run("init", "https://shop.acme.example/", "www.acme.example")
    assert result.exit_code == 0
    assert f"now run: online-sentry --config {here.config} run" in result.stdout
    text = here.config.read_text()
    assert "https://shop.acme.example/" in text
    assert "https://www.acme.example/" in text
    assert here.run("check-config").stdout.startswith("the configuration can be used: 3 sites")


def test_check_config_counts_a_warning_that_many_sites_share(here: CommandLine) -> None:
    """Three are shown with their lines, the rest as a number; JSON has them all."""
    sites = [
        {"key": f"shop-{n}", "url": "https://shop.acme.example/", "checks": [{"kind": "tls"}]} for n in range(20)
    ]
    here.config.write_text(json.dumps({"sites": sites}))
    lines = here.run("check-config").stderr.splitlines()
    alike = [line for line in lines if "no check watches whether the site answers" in line]
    assert len(alike) == 4
    assert alike[-1].startswith("warning 17 more (all with --json): no check")
    assert len(json.loads(here.run("check-config", "--json").stdout)["warnings"]) > 20


def test_init_never_overwrites(here: CommandLine) -> None:
    """What somebody wrote stays, byte for byte."""
    here.config.write_text("mine\n")
    result = here.run("init")
    assert result.exit_code == 3
    assert "left as it is" in result.stderr
    assert here.config.read_text() == "mine\n"


def test_init_with_a_bad_address_writes_nothing(here: CommandLine) -> None:
    """Every bad address is named at once."""
    result = here.run("init", "ftp://files.acme.example", "https://", "https://good.acme.example")
    assert result.exit_code == 3
    assert len(result.stderr.splitlines()) == 2
    assert not here.config.exists()


def test_check_config_says_that_it_can_be_used(here: CommandLine) -> None:
    """Counts on standard output, warnings beside it."""
    here.config.write_text(GOOD)
    result = here.run("check-config")
    assert result.exit_code == 0
    assert result.stdout == "the configuration can be used: 1 site, 1 check, 1 client, 0 channels\n"
    assert "warning" in result.stderr
    document = json.loads(here.run("check-config", "--json").stdout)
    assert (document["ok"], document["problems"]) == (True, [])
    assert document["settings"]["sites"][0]["key"] == "shop"


def test_check_config_tells_every_problem_with_its_place(here: CommandLine) -> None:
    """All at once, each with file, line and path; code 3."""
    here.config.write_text(BAD)
    result = here.run("check-config")
    assert (result.exit_code, result.stdout) == (3, "")
    for line, path in ((1, "agency.language"), (4, "sites[0].key"), (4, "sites[0].client"), (4, "sites[0].url")):
        assert f"{here.config}:{line}: {path}: " in result.stderr
    document = json.loads(here.run("check-config", "--json").stdout)
    assert document["ok"] is False
    assert len(document["problems"]) == len(result.stderr.splitlines()) - 1
    assert {"file", "line", "path", "message"} == document["problems"][0].keys()


def test_schema_is_a_json_schema_with_every_kind(here: CommandLine) -> None:
    """Editors need no configuration to complete one."""
    document = json.loads(here.run("schema").stdout)
    assert document["$schema"].startswith("https://json-schema.org/")
    assert "heartbeat" in json.dumps(document)


@pytest.mark.parametrize(
    "arguments",
    [("status",), ("run",), ("incident", "list"), ("ticket", "list"), ("verify",), ("budget",), ("check-config",)],
    ids=" ".join,
)
def test_command_without_a_configuration_says_how_to_make_one(here: CommandLine, arguments: Sequence[str]) -> None:
    """The first thing a new user meets."""
    result = here.run(*arguments)
    assert (result.exit_code, result.stdout) == (3, "")
    assert f"online-sentry --config {here.config} init" in result.stderr
    assert list(here.config.parent.iterdir()) == []


def test_configuration_that_is_no_yaml_is_named_by_every_command(here: CommandLine) -> None:
    """A command that reads the store says what is wrong as check-config does."""
    here.config.write_text("sites: [\n")
    result = here.run("status")
    assert result.exit_code == 3
    assert f"{here.config}:" in result.stderr
    assert "Traceback" not in result.stderr


def test_configuration_is_named_by_the_environment_too(tmp_path: Path) -> None:
    """For units and containers."""
    config = tmp_path / "other.yaml"
    config.write_text(GOOD)
    result = CliRunner().invoke(build(), ["check-config"], env={"ONLINE_SENTRY_CONFIG": str(config)})
    assert result.stdout.startswith("the configuration can be used: 1 site")
