"""What a shell relies on: pipes, codes, quiet output, quick help."""

import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.integration.cli.conftest import PROGRAM, CommandLine

READERS = (
    ("incident", "show", "1"),
    ("incident", "list"),
    ("ticket", "show", "1", "--json"),
    ("report", "acme", "--format", "html"),
    ("schema",),
    ("check-config", "--json"),
)


@pytest.mark.parametrize("arguments", READERS, ids=" ".join)
def test_reader_that_goes_away_is_no_failure(watched: CommandLine, arguments: Sequence[str]) -> None:
    """`| head -1`: no traceback, no complaint, and with pipefail no error."""
    line = " ".join(map(str, (PROGRAM, "--config", watched.config, *arguments)))
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{line} | head -c 1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (ended.returncode, len(ended.stdout), ended.stderr) == (0, 1, "")


def test_process_of_its_own_writes_json_alone(watched: CommandLine) -> None:
    """The real program: no log line, no progress, no colour, neither on standard output nor beside it."""
    ended = watched.start("incident", "list", "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(json.loads(ended.stdout)) == 2


def test_table_in_a_pipe_folds_no_line_and_has_no_colour(watched: CommandLine) -> None:
    """One line a row, for grep and awk."""
    ended = watched.start("incident", "list", TERM="xterm-256color", COLUMNS="40")
    assert len(ended.stdout.splitlines()) == 3
    assert "\x1b" not in ended.stdout


def test_help_is_quick_and_lists_every_command() -> None:
    """Whoever looks a command up does not wait for the whole agent to be imported: well below a second."""
    began = time.monotonic()
    ended = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True, timeout=30)
    took_s = time.monotonic() - began
    for command in ("init", "probe", "status", "incident", "ticket", "verify", "ledger", "budget", "report", "demo"):
        assert command in ended.stdout
    imports = "import sys, sentry.cli; print([m for m in ('sqlalchemy', 'aiohttp', 'pydantic') if m in sys.modules])"
    loaded = subprocess.run([PROGRAM.with_name("python"), "-c", imports], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"
    assert took_s < 5, "a bound for a busy machine; it takes a quarter of a second"


def test_version_is_shown() -> None:
    """For reports of faults."""
    ended = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True, timeout=30)
    assert ended.stdout.startswith("online-sentry 0.")


def test_store_that_cannot_be_opened_is_code_4(tmp_path: Path) -> None:
    """A store of another making is named, and left as it is."""
    (tmp_path / "sentry.db").write_bytes(b"this is no database, whatever its name says" * 100)
    config = tmp_path / "sentry.yaml"
    config.write_text(
        "store: sqlite:///sentry.db\nsites: [{key: shop, url: 'http://127.0.0.1/', checks: [{kind: http}]}]\n"
    )
    ended = CommandLine(config).start("status")
    assert ended.returncode == 4, ended.stderr
    assert "sentry.db" in ended.stderr
    assert "Traceback" not in ended.stderr
