"""An agent with workers beside real sites, and a look at its processes."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sentry.app.kinds import load_settings
from sentry.app.workers.sharding import shards
from tests.integration.servers.agent import AgentProcess
from tests.integration.servers.agent_config import Document, agent_document, write_config
from tests.integration.servers.process import wait_until
from tests.integration.servers.webhook_sink import WebhookSink

SITES = 8


@dataclass(frozen=True, slots=True)
class Shop:
    """An agent that watches pages of one server: `s0`, `s1` and so on, each with one http check."""

    site: WebhookSink
    agent: AgentProcess
    document: Document

    def workers(self) -> list[int]:
        """Process ids of the workers, oldest first."""
        return children(self.agent.pid)

    def series(self, start: str) -> float:
        """Returns the sum of the agent's series whose line starts like this."""
        lines = (line for line in self.agent.metrics().splitlines() if line.startswith(start))
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def down(self) -> float:
        """How many checks are believed to be down."""
        return self.series("sentry_check_down{")

    def calls(self) -> dict[str, int]:
        """How often each page was asked for."""
        counted: dict[str, int] = {}
        for call in self.site.calls:
            counted[call.path] = counted.get(call.path, 0) + 1
        return counted

    def shard(self, worker: int) -> set[str]:
        """The pages that a worker asks for, by its number."""
        part = shards(load_settings(self.agent.config).checks(), 2)[worker - 1]
        return {f"/{check.site_key}" for check in part}

    def restarted(self, before: float = 0) -> int:
        """Waits for a worker to be started again, and returns its number."""
        wait_until(lambda: self.series("sentry_worker_restarts_total{") > before, "a worker to be started again")
        return next(n for n in (1, 2) if self.series(f'sentry_worker_restarts_total{{worker="{n}"}}'))

    def wait_for_all(self, within_s: float = 20.0) -> None:
        """Waits until each page that was there from the start is asked for twice more."""
        before = self.calls()
        pages = {urlsplit(site["url"]).path for site in self.document["sites"]}

        def asked() -> bool:
            calls = self.calls()
            return all(calls.get(path, 0) >= before.get(path, 0) + 2 for path in pages)

        wait_until(asked, "each page to be asked for", within_s)

    def reload(self, **changes: Any) -> None:
        """Writes another configuration and has the agent take it up."""
        before = self.series("sentry_config_last_reload_success_timestamp_seconds")
        write_config(self.agent.config, {**self.document, **changes})
        self.agent.reload()
        wait_until(
            lambda: self.series("sentry_config_last_reload_success_timestamp_seconds") > before,
            "the configuration to be loaded",
        )


def page(site: WebhookSink, key: str, **keys: Any) -> dict[str, Any]:
    """A site of the configuration that is one page of a server."""
    return {"url": site.url(f"/{key}"), "checks": [{"kind": "http", "timeout_s": 3, **keys}]}


def children(pid: int) -> list[int]:
    """Process ids of the children of a process."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in text.split()]


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False


OpenShop = Callable[..., Shop]


@pytest.fixture
def open_shop(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[OpenShop]:
    """A function that starts an agent with two workers, of which each has something to do."""
    with ExitStack() as stack:

        def opened(*, sites: int = SITES, **sections: Any) -> Shop:
            site, port = stack.enter_context(WebhookSink()), free_port()
            pages = {f"s{number}": page(site, f"s{number}") for number in range(sites)}
            document = agent_document(port, pages, **{"interval_s": 1, **sections})
            folder = tmp_path / f"agent{port}"
            agent = AgentProcess(write_config(folder / "sentry.yaml", document), port, workers=2)
            stack.enter_context(agent)
            shop = Shop(site, agent, document)
            wait_until(lambda: shop.series("sentry_worker_up{") == 2, "both workers to be up")
            return shop

        yield opened


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Freezes one process for a while."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if alive(pid):
            os.kill(pid, signal.SIGCONT)
