"""The peers' side of the open loop: blackbox_exporter, and the Prometheus that schedules and stores for it."""

import json
import urllib.parse
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.authority import HOST
from benchmarks.blackbox import exporting, module
from benchmarks.installed import provide
from benchmarks.measure import RunRejected
from benchmarks.open_loop_window import Crowd, Figures, Span
from benchmarks.page import TEXT
from benchmarks.prober_blackbox import MODULE
from benchmarks.servers import LOOPBACK, free_port, serving

QUERY_WITHIN_S = 30.0
SCRAPE_WITHIN_S = 15


def peer_window(crowd: Crowd) -> Figures:
    """Runs and measures both; see `Window`."""
    program = provide("prometheus")["prometheus"]
    with TemporaryDirectory(dir=crowd.folder, prefix="peer-") as name:
        folder = Path(name)
        port = free_port()
        page = module(HOST, TEXT, crowd.ca)
        with exporting(folder / "blackbox", page, crowd.cores.prober) as exporter:
            configuration = folder / "prometheus.json"
            configuration.write_text(json.dumps(_configuration(crowd, exporter.port)))  # JSON is YAML
            url = f"http://{LOOPBACK}:{port}"
            command = [
                program,
                f"--config.file={configuration}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={LOOPBACK}:{port}",
                "--log.level=warn",
            ]
            with serving(command, on=crowd.cores.prober, folder=folder, ready=lambda: _is_ready(url)) as pid:
                return _measured(crowd, (exporter.pid, pid), url)


def _configuration(crowd: Crowd, exporter_port: int) -> dict[str, object]:
    job = {
        "job_name": "sites",
        "metrics_path": "/probe",
        "params": {"module": [MODULE]},
        "static_configs": [{"targets": list(crowd.urls)}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": f"{LOOPBACK}:{exporter_port}"},
        ],
    }
    return {
        "global": {
            "scrape_interval": f"{crowd.interval_s}s",
            "scrape_timeout": f"{min(crowd.interval_s, SCRAPE_WITHIN_S)}s",
        },
        "scrape_configs": [job],
    }


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=1) as answer:  # noqa: S310  # our own Prometheus
            return bool(answer.status == 200)  # noqa: PLR2004  # 200 OK
    except OSError:
        return False


def _measured(crowd: Crowd, pids: tuple[int, int], url: str) -> Figures:
    for _ in Span(*pids).scrapes(crowd.warm_up_s):
        pass
    span = Span(*pids)
    for _ in span.scrapes(crowd.duration_s):
        pass
    figures = span.figures()
    up, known = _value(url, "sum(probe_success)"), _value(url, "count(probe_success)")
    if up < len(crowd.urls):
        raise RunRejected(f"Prometheus has seen {known:g} of {len(crowd.urls)} sites, of which {up:g} were up")
    return figures


def _value(url: str, expression: str) -> float:
    query = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"{url}/api/v1/query?{query}", timeout=QUERY_WITHIN_S) as answer:  # noqa: S310  # ours
        result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return float(result[0]["value"][1]) if result else 0.0
