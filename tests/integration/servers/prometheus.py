"""A real Prometheus that scrapes what a test serves, and promtool beside it."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from tests.integration.servers.loopback import LOOPBACK, answers, fetch, free_port
from tests.integration.servers.process import ServerError, ServerProcess, require, wait_until

Series = Mapping[str, str]


class Prometheus(ServerProcess):
    """Scrapes the given agents once a second.

    Args:
        folder: for its configuration and its data.
        targets: `host:port` of agents whose /metrics are scraped, labels honoured.
        discovery_url: an agent's /sd, used with `http_sd_configs` and its /probe as blackbox_exporter's is.
        bearer_token: sent with every scrape and discovery.
    """

    name = "prometheus"

    def __init__(
        self,
        folder: Path,
        targets: Sequence[str] = (),
        *,
        discovery_url: str | None = None,
        bearer_token: str | None = None,
    ) -> None:
        super().__init__(folder)
        self._program = require("prometheus", "prometheus")
        self._port = free_port()
        self.url = f"http://{LOOPBACK}:{self._port}"
        jobs = [_agent_job(targets, bearer_token)] if targets else []
        if discovery_url:
            jobs.append(_discovered_job(discovery_url, bearer_token))
        document = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(document))

    def command(self) -> Sequence[str]:
        return (
            self._program,
            f"--config.file={self.folder}/prometheus.yml",
            f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address={LOOPBACK}:{self._port}",
            "--log.level=warn",
        )

    def is_ready(self) -> bool:
        return answers(f"{self.url}/-/ready")

    def query(self, expression: str) -> list[tuple[Series, float]]:
        """Evaluates PromQL now and returns the vector as pairs of labels and value."""
        data = self._api("query", {"query": expression})
        return [(row["metric"], float(row["value"][1])) for row in data["result"]]

    def value(self, expression: str) -> float | None:
        """Returns the value of an expression that yields at most one series, None where it yields none."""
        rows = self.query(expression)
        if len(rows) > 1:
            raise ServerError(f"{expression} yields {len(rows)} series")
        return rows[0][1] if rows else None

    def wait_for(self, expression: str, within_s: float = 20.0) -> list[tuple[Series, float]]:
        """Returns the vector of an expression as soon as it is not empty, e.g. `probe_success == 0`."""
        wait_until(lambda: bool(self.query(expression)), f"Prometheus to find {expression}", within_s)
        return self.query(expression)

    def targets(self) -> list[dict[str, Any]]:
        """Returns the active targets with their health and last error."""
        active: list[dict[str, Any]] = self._api("targets", {"state": "active"})["activeTargets"]
        return active

    def _api(self, path: str, parameters: Mapping[str, str]) -> Any:
        answer = fetch(f"{self.url}/api/v1/{path}?{urlencode(parameters)}")
        document = json.loads(answer.text)
        if document["status"] != "success":
            raise ServerError(f"Prometheus refused {parameters}: {document.get('error')}")
        return document["data"]


def promtool_problems(exposition: str) -> list[str]:
    """Returns what `promtool check metrics` says of a scrape, one line each; nothing when it is clean."""
    promtool = require("promtool", "prometheus")
    done = subprocess.run(
        [promtool, "check", "metrics"], input=exposition, capture_output=True, text=True, timeout=20, check=False
    )
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if done.returncode and not lines:
        lines.append(f"promtool ended with exit code {done.returncode}")
    return lines


def _credentials(bearer_token: str | None) -> dict[str, Any]:
    return {"authorization": {"credentials": bearer_token}} if bearer_token else {}


def _agent_job(targets: Sequence[str], bearer_token: str | None) -> dict[str, Any]:
    return {
        "job_name": "online-sentry",
        "honor_labels": True,
        "static_configs": [{"targets": list(targets)}],
        **_credentials(bearer_token),
    }


def _discovered_job(discovery_url: str, bearer_token: str | None) -> dict[str, Any]:
    agent = discovery_url.removeprefix("http://").split("/", 1)[0]
    return {
        "job_name": "discovered",
        "metrics_path": "/probe",
        "http_sd_configs": [{"url": discovery_url, "refresh_interval": "2s", **_credentials(bearer_token)}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": agent},
        ],
        **_credentials(bearer_token),
    }
