"""A real Alertmanager, alone (no cluster), that may pass its notifications on to a webhook of the test."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.integration.servers.loopback import LOOPBACK, answers, fetch, free_port
from tests.integration.servers.process import ServerProcess, require, wait_until


class Alertmanager(ServerProcess):
    """Takes alerts at `url` (API v2).

    Args:
        folder: for its configuration and its data.
        notify_url: where its notifications go, e.g. a `WebhookSink`; nowhere when absent.
    """

    name = "alertmanager"

    def __init__(self, folder: Path, notify_url: str | None = None) -> None:
        super().__init__(folder)
        self._program = require("prometheus-alertmanager", "prometheus-alertmanager")
        self._port = free_port()
        self.url = f"http://{LOOPBACK}:{self._port}"
        receiver: dict[str, Any] = {"name": "test"}
        if notify_url:
            receiver["webhook_configs"] = [{"url": notify_url, "send_resolved": True}]
        route = {"receiver": "test", "group_by": ["..."], "group_wait": "100ms", "group_interval": "1s"}
        (folder / "alertmanager.yml").write_text(yaml.safe_dump({"route": route, "receivers": [receiver]}))

    def command(self) -> Sequence[str]:
        return (
            self._program,
            f"--config.file={self.folder}/alertmanager.yml",
            f"--storage.path={self.folder}/data",
            f"--web.listen-address={LOOPBACK}:{self._port}",
            "--cluster.listen-address=",
            "--log.level=debug",
        )

    def is_ready(self) -> bool:
        return answers(f"{self.url}/-/ready")

    def alerts(self) -> list[dict[str, Any]]:
        """Returns the alerts that have not ended, as API v2 gives them; a resolved one is no longer among them."""
        alerts: list[dict[str, Any]] = fetch(f"{self.url}/api/v2/alerts").json()
        return alerts

    def wait_for_alerts(self, count: int, within_s: float = 20.0) -> list[dict[str, Any]]:
        """Returns the alerts as soon as there are this many; 0 waits for the last one to be resolved."""
        wait_until(lambda: len(self.alerts()) == count, f"Alertmanager to hold {count} alerts", within_s)
        return self.alerts()
