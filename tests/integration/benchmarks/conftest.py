"""Runs a benchmark as a user does, with counts so small that its figures mean nothing."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
RUN_WITHIN_S = 110
Benchmark = Callable[..., dict[str, Any]]


@pytest.fixture
def benchmark(tmp_path: Path) -> Benchmark:
    """A function that runs a benchmark with arguments and returns the JSON that it wrote."""

    def run(name: str, *arguments: str) -> dict[str, Any]:
        file = tmp_path / f"{name}.json"
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", "--rounds", "1", "--json", str(file), *arguments],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=RUN_WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(file.read_text())
        assert f"{name}: " in done.stdout
        return document

    return run


@pytest.fixture
def compiler() -> None:
    """Skips where nothing compiles C with OpenSSL."""
    if shutil.which("gcc") is None or not Path("/usr/include/openssl/ssl.h").exists():
        pytest.skip("as root: apt-get install --no-install-recommends gcc libssl-dev")
