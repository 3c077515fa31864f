"""A store that a real agent has filled, and the command line as a shell starts it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from sentry.app.agent import Agent, open_agent
from sentry.cli import build
from sentry.domain.incident import IncidentState
from tests.integration.hostile_servers import Exchange, page, serving
from tests.integration.servers.agent_config import agent_document, write_config

PROGRAM = Path(sys.executable).with_name("online-sentry")
PATIENCE_S = 20.0


@dataclass(frozen=True)
class CommandLine:
    """Runs commands on one configuration."""

    config: Path

    def run(self, *arguments: str) -> Result:
        """In this process."""
        return CliRunner().invoke(build(), ["--config", str(self.config), *arguments], catch_exceptions=False)

    def start(self, *arguments: str, within_s: float = 30.0, **environment: str) -> subprocess.CompletedProcess[str]:
        """In a process of its own, its output piped."""
        command = [str(PROGRAM), "--config", str(self.config), *arguments]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
            cwd=self.config.parent,
            env={**os.environ, "PYTHONSAFEPATH": "1", **environment},
        )


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A shop that failed and recovered, and a blog that is down: incidents, tickets, minutes and samples of both."""
    folder = tmp_path_factory.mktemp("watched")
    return CommandLine(asyncio.run(_a_short_night(folder / "sentry.yaml")))


async def _a_short_night(config: Path) -> Path:
    shop_status = 200

    async def shop(exchange: Exchange) -> None:
        await exchange.send(page(b"<h1>Tienda</h1>", status=shop_status))

    async def blog(exchange: Exchange) -> None:
        await exchange.send(page(b"<h1>Error [bold]fatal[/bold]</h1>", status=500))

    async with serving(shop) as first, serving(blog) as second:
        sites = {
            key: {"url": server.url("127.0.0.1"), "name": name, "checks": [{"kind": "http", "timeout_s": 2}]}
            for key, name, server in (("shop", "Tienda", first), ("blog", "Blog", second))
        }
        document = agent_document(0, sites, interval_s=1, recheck_after_s=(0.1, 0.1))
        document["store"] = f"sqlite:///{config.parent}/sentry.db"
        write_config(config, document)
        async with open_agent(config) as agent:
            await _until(lambda: _is(agent, "blog", IncidentState.OPEN))
            shop_status = 503
            await _until(lambda: _is(agent, "shop", IncidentState.OPEN))
            shop_status = 200
            await _until(lambda: _is(agent, "shop", IncidentState.RESOLVED))
            await _until(lambda: _tickets(agent))
    return config


async def _is(agent: Agent, site: str, state: IncidentState) -> bool:
    latest = await agent.books.store.incidents.latest(site)
    return latest is not None and latest.state is state and latest.ticket_number is not None


async def _tickets(agent: Agent) -> bool:
    found = await agent.books.store.tickets.list()
    return len(found) == 2 and any(ticket.state != "new" for ticket in found)


async def _until(reached: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await reached():  # noqa: ASYNC110  # the store tells nobody when it changes
            await asyncio.sleep(0.05)
