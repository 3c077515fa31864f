from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.servers.process import require

Benchmark = Callable[..., dict[str, Any]]
SMALL = ("--sites", "20", "--interval", "2", "--warm-up", "5", "--duration", "4")


@pytest.mark.integration
@pytest.mark.timeout(120)
@pytest.mark.usefixtures("compiler")
def test_open_loop_small_run_measures_the_agent_and_its_peers(benchmark: Benchmark) -> None:
    """The agent's own process sees every site up, and tells CPU, memory and lateness; so do its peers."""
    require("prometheus", "prometheus")
    require("prometheus-blackbox-exporter", "prometheus-blackbox-exporter")

    document = benchmark("open_loop", *SMALL, "--cases", "tls")

    ours, peer = sorted(document["rows"], key=lambda row: row["name"], reverse=True)
    assert (ours["name"], peer["name"]) == ("online-sentry", "blackbox_exporter+prometheus")
    for row in (ours, peer):
        assert row["case"] == "tls"
        assert row["core_share"] > 0
        assert row["rss_mb"] > 1
    assert ours["late_p99_ms"] > 0
    assert ours["missed_slots"] == 0
    assert ours["store_mb"] > 0
    assert len(document["owed"]) == 3
