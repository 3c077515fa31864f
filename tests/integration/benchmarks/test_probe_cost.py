import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.authority import HOST, long_chain, stranger
from benchmarks.installed import compiled
from benchmarks.measure import cores
from benchmarks.nginx import serving_page
from benchmarks.page import page
from tests.integration.servers.process import require

Benchmark = Callable[..., dict[str, Any]]
SMALL = ("--http-count", "60", "--tls-count", "30", "--in-flight", "10")


@pytest.mark.integration
@pytest.mark.timeout(120)
def test_probe_cost_small_run_compares_agent_and_peers(benchmark: Benchmark) -> None:
    """Agent, exporter and aiohttp each get a row per case, with a ratio to every other."""
    require("nginx", "nginx-light")
    require("prometheus-blackbox-exporter", "prometheus-blackbox-exporter")
    names = {"online-sentry", "blackbox_exporter", "aiohttp"}

    document = benchmark("probe_cost", *SMALL, "--cases", "http", "tls", "--contestants", *names)

    rows = document["rows"]
    assert {(row["name"], row["case"]) for row in rows} == {
        (name, case) for name in names for case in ("http", "tls")
    }
    for row in rows:
        assert row["cpu_ms"] > 0
        assert row["ratio_to"].keys() == names - {row["name"]}
    by_name = {row["name"]: row for row in rows if row["case"] == "tls"}
    peer = by_name["blackbox_exporter"]
    assert by_name["online-sentry"]["ratio_to"]["blackbox_exporter"] == pytest.approx(
        peer["cpu_ms"] / by_name["online-sentry"]["cpu_ms"]
    )
    owed = {one["figure"]: one for one in document["owed"]}
    assert owed["http: online-sentry, times cheaper than blackbox_exporter"]["measured"] > 0
    assert owed["http: online-sentry, times cheaper than c_reference"]["measured"] is None


@pytest.mark.integration
@pytest.mark.timeout(120)
@pytest.mark.usefixtures("compiler")
def test_c_reference_long_chain_verifies_what_it_reads(tmp_path: Path) -> None:
    """The limit takes a good chain and a page with the text, and nothing less."""
    require("nginx", "nginx-light")
    chain = long_chain(tmp_path / "tls")
    nobody = stranger(tmp_path / "stranger")
    program = compiled(Path("benchmarks/c_reference.c").resolve())

    def outcome(port: int, host: str, text: str, ca: Path) -> str:
        words = [program, str(port), "6", "2", host, text, str(ca)]
        return subprocess.run(words, capture_output=True, text=True, timeout=20, check=True).stdout

    with serving_page(tmp_path / "nginx", page(), chain, cores().target) as port:
        assert outcome(port, HOST, "All systems OK", chain.ca).startswith('{"ok": 6, "failed": 0,')
        assert outcome(port, HOST, "Not this", chain.ca).startswith('{"ok": 0, "failed": 6,')
        assert outcome(port, "other.test", "All systems OK", chain.ca).startswith('{"ok": 0, "failed": 6,')
        assert outcome(port, HOST, "All systems OK", nobody).startswith('{"ok": 0, "failed": 6,')
