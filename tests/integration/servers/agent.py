"""The agent itself as a real process: what is tested is what a user starts."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.integration.servers.loopback import LOOPBACK, Answer, answers, fetch
from tests.integration.servers.process import ServerProcess


class AgentProcess(ServerProcess):
    """Runs `online-sentry --config FILE run` in the configuration's folder.

    Args:
        config: the configuration file; its folder becomes the working directory.
        port: where `web.listen` of that file lets the agent listen on 127.0.0.1.
        ca_path: the only certificate authority that the agent trusts; the machine's own when absent.
        token: sent as bearer token by `get` and `post`.
        workers: how many processes probe; as the configuration says when absent.
    """

    name = "agent"

    def __init__(
        self,
        config: Path,
        port: int,
        *,
        ca_path: Path | None = None,
        token: str | None = None,
        workers: int | None = None,
    ) -> None:
        super().__init__(config.parent)
        self.config = config
        self.url = f"http://{LOOPBACK}:{port}"
        self._ca_path = ca_path
        self._workers = () if workers is None else ("--workers", str(workers))
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def command(self) -> Sequence[str]:
        return (_program(), "--config", str(self.config), "run", *self._workers)

    def environment(self) -> Mapping[str, str]:
        trusted = {"SSL_CERT_FILE": str(self._ca_path)} if self._ca_path else {}
        return {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", **trusted}

    def is_ready(self) -> bool:
        return answers(f"{self.url}/healthz")

    def reload(self) -> None:
        """Sends SIGHUP: take up the changed configuration."""
        self.signal(signal.SIGHUP)

    def get(self, path: str) -> Answer:
        """Reads a page of the running agent."""
        return fetch(f"{self.url}{path}", headers=self._headers)

    def post(self, path: str, body: bytes = b"", *, within_s: float = 5.0) -> Answer:
        """Posts to the running agent."""
        return fetch(f"{self.url}{path}", method="POST", headers=self._headers, body=body, timeout_s=within_s)

    def metrics(self) -> str:
        """Returns what Prometheus would scrape."""
        return self.get("/metrics").text

    def cli(self, *arguments: str, within_s: float = 30.0) -> subprocess.CompletedProcess[str]:
        """Runs another command of the agent on the same configuration, e.g. `cli("ticket", "list", "--json")`."""
        return subprocess.run(
            [_program(), "--config", str(self.config), *arguments],
            cwd=self.folder,
            env=dict(self.environment()),
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )


def _program() -> str:
    return str(Path(sys.executable).with_name("online-sentry"))
