"""What scripts/run and scripts/test start, and with which words; pip and the programs only write down their calls."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RECORDED = ("pip", "online-sentry", "pytest", "nginx", "prometheus", "promtool", "prometheus-alertmanager", "ip")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with an environment in which every program writes its call into `calls`."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "activate").write_text(f"PATH={programs}:$PATH\n")
    for name in RECORDED:
        (programs / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/calls\n')
        (programs / name).chmod(0o755)
    return tmp_path


def run(checkout: Path, script: str, *arguments: str) -> list[str]:
    """Runs a script from another folder and returns the calls that it made."""
    calls = checkout / "calls"
    calls.unlink(missing_ok=True)
    subprocess.run([checkout / "scripts" / script, *arguments], cwd="/", env=dict(os.environ), timeout=15, check=True)
    return calls.read_text().splitlines()


def installed(target: str) -> str:
    """Returns the call that installs this checkout."""
    quiet = "--quiet --disable-pip-version-check --no-input"
    return f"pip install {quiet} --constraint constraints.txt --editable {target}"


def test_run_with_urls_installs_writes_a_starter_and_starts(checkout: Path) -> None:
    """The URLs go to `init` and nowhere else."""
    assert run(checkout, "run", "http://a.test/", "http://b.test/") == [
        installed("."),
        "online-sentry --config sentry.yaml init http://a.test/ http://b.test/",
        "online-sentry --config sentry.yaml run",
    ]


def test_run_a_second_time_installs_nothing_and_keeps_the_configuration(checkout: Path) -> None:
    """What stands is used as it is."""
    run(checkout, "run")
    (checkout / "sentry.yaml").write_text("mine")
    assert run(checkout, "run", "http://c.test/") == ["online-sentry --config sentry.yaml run"]
    assert (checkout / "sentry.yaml").read_text() == "mine"


def test_run_after_new_pins_installs_again(checkout: Path) -> None:
    """An update of the checkout reaches its environment."""
    run(checkout, "run")
    (checkout / "constraints.txt").write_text("typer==0.1\n")
    assert run(checkout, "run")[0] == installed(".")


def test_test_without_arguments_measures_coverage(checkout: Path) -> None:
    """The whole run has the floor; a run of some tests has none."""
    whole = run(checkout, "test")
    assert whole[0] == installed(".[test]")
    assert "--cov-fail-under=" in whole[-1]
    assert run(checkout, "test", "-k", "one thing") == ["pytest -k one thing"]
    assert run(checkout, "test", "--promises") == ["pytest --promises"]


def test_run_after_test_needs_no_further_installation(checkout: Path) -> None:
    """The environment of the tests holds all that the agent needs."""
    run(checkout, "test")
    assert run(checkout, "run")[0].startswith("online-sentry")
