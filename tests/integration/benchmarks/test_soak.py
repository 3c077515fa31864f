import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.integration
@pytest.mark.timeout(120)
def test_soak_of_a_few_minutes_agrees_with_its_injector(tmp_path: Path) -> None:
    """It ends with 0, prints a row for the seed, and its JSON says what was compared."""
    file = tmp_path / "soak.json"
    size = ("--sites", "40", "--minutes", "10", "--faults-per-hour", "6")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", "--seeds", "7", *size, "--json", str(file)],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the accounts agree" in done.stdout
    (run,) = json.loads(file.read_text())["runs"]
    assert run["agrees"]
    assert run["found"] == run["outages"] > 0
    assert run["others"] > 0
    assert run["probes"] >= 40 * 10
