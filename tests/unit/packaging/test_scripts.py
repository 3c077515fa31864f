"""What scripts/run and scripts/test start, and with which words; pip and the programs only write down their calls."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RECORDED = (
    "python",
    "pip",
    "online-sentry",
    "pytest",
    "coverage",
    "nginx",
    "prometheus",
    "promtool",
    "prometheus-alertmanager",
    "ip",
)


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
        write_program(programs / name, f'echo {name} "$@" >> {tmp_path}/calls')
    return tmp_path


def write_program(path: Path, body: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def start(checkout: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a script from another folder; programs in the checkout's folder `first` go before the system's."""
    environment = {**os.environ, "PATH": f"{checkout}/first:{os.environ['PATH']}"}
    command = [str(checkout / "scripts" / script), *arguments]
    return subprocess.run(command, cwd="/", env=environment, timeout=15, check=False, capture_output=True, text=True)


def run(checkout: Path, script: str, *arguments: str) -> list[str]:
    """Runs a script that works and returns the calls that it made."""
    calls = checkout / "calls"
    calls.unlink(missing_ok=True)
    done = start(checkout, script, *arguments)
    assert done.returncode == 0, done.stderr
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
    """The whole run, in its two lanes, has the floor; a run of some tests has none."""
    whole = run(checkout, "test")
    assert whole[0] == installed(".[test]")
    at_the_limit = ["tests/integration/probes/test_hostile_numbers.py", "tests/matrix"]
    left_out = " ".join(f"--ignore={path}" for path in ("tests/unit", "tests/contract", "tests/e2e", *at_the_limit))
    assert sorted(whole[1:4]) == [
        f"pytest --cov --cov-report= tests {left_out}",
        "pytest --cov --cov-report= tests/e2e",
        "pytest --cov --cov-report= tests/unit tests/contract",
    ]
    assert whole[4] == f"pytest {' '.join(at_the_limit)}"
    assert "--fail-under=" in whole[-1]
    assert run(checkout, "test", "-k", "one thing") == ["pytest -k one thing"]
    assert run(checkout, "test", "--promises") == ["pytest --promises"]


@pytest.mark.parametrize("lane", ["--ignore=tests/unit", "tests/unit", "tests/e2e"])
def test_test_with_a_failure_in_either_lane_fails(checkout: Path, lane: str) -> None:
    """Both are waited for, and what the other one found is still printed."""
    programs = checkout / ".venv" / "bin"
    write_program(programs / "pytest", f'echo "ran $*"; for word in "$@"; do [ "$word" != {lane} ] || exit 1; done')
    done = start(checkout, "test")
    assert done.returncode == 1
    assert done.stdout.count("ran --cov") == 3


def test_run_after_test_needs_no_further_installation(checkout: Path) -> None:
    """The environment of the tests holds all that the agent needs."""
    run(checkout, "test")
    assert run(checkout, "run")[0].startswith("online-sentry")


def test_run_in_a_moved_checkout_makes_its_environment_anew(checkout: Path) -> None:
    """The programs of the old environment name the folder that it was made in."""
    run(checkout, "run")
    shutil.copytree(checkout / ".venv" / "bin", checkout / "fresh")
    (checkout / ".venv" / "bin" / "activate").write_text("PATH=/where/it/was/.venv/bin:$PATH\n")
    make = f'if [ "$2" = venv ]; then mkdir "$3" && cp -r {checkout}/fresh "$3/bin"; fi'
    write_program(checkout / "first" / "python3", make)
    assert run(checkout, "run") == [
        installed("."),
        "online-sentry --config sentry.yaml init",
        "online-sentry --config sentry.yaml run",
    ]


def test_run_without_the_venv_package_names_the_command_that_installs_it(checkout: Path) -> None:
    """Somebody who is not root is told what root has to do, and nothing half-made is left."""
    shutil.rmtree(checkout / ".venv")
    write_program(checkout / "first" / "id", "echo 1000")
    half = 'if [ "$2" = venv ]; then mkdir -p "$3/bin"; echo ensurepip is not available; exit 1; fi'
    write_program(checkout / "first" / "python3", half)
    done = start(checkout, "run")
    assert done.returncode == 1
    assert "As root: apt-get update && apt-get install python3-venv" in done.stderr
    assert not (checkout / ".venv").exists()


def test_run_without_the_venv_package_as_root_installs_it(checkout: Path) -> None:
    """Root needs not be told."""
    shutil.move(checkout / ".venv" / "bin", checkout / "fresh")
    shutil.rmtree(checkout / ".venv")
    write_program(checkout / "first" / "id", "echo 0")
    write_program(checkout / "first" / "apt-get", f'echo apt-get "$@" >> {checkout}/calls')
    make = (
        f'[ "$2" = venv ] || exit 0; mkdir -p "$3"; grep -q python3-venv {checkout}/calls || exit 1; '
        f'cp -r {checkout}/fresh "$3/bin"'
    )
    write_program(checkout / "first" / "python3", make)
    assert run(checkout, "run")[:3] == [
        "apt-get update -qq",
        "apt-get install -y -qq --no-install-recommends python3-venv",
        installed("."),
    ]
