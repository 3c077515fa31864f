"""Windows of the configuration and of the command line come in force in an agent that runs."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sentry.app.agent import open_agent
from sentry.app.books import open_books
from sentry.domain.maintenance_window import window_of
from tests.integration.hostile_servers import Exchange, page, serving
from tests.integration.servers.agent_config import agent_document, write_config

PATIENCE_S = 20.0


async def until(condition: Callable[[], bool]) -> None:
    """Waits for something that the agent does by itself."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  # what is waited for is seen from outside only
            await asyncio.sleep(0.05)


async def answers(exchange: Exchange) -> None:
    """A site that works."""
    await exchange.send(page(b"<h1>Tienda</h1>"))


async def test_windows_come_in_force_by_start_by_reload_and_beside_the_agent(tmp_path: Path) -> None:
    """The start announces what is written, a reload what has changed, and another process is heard within seconds."""
    begin = datetime.now(UTC) + timedelta(days=5)
    window = {"reason": "Disks", "starts_at": f"{begin:%Y-%m-%dT%H:%M}", "duration_min": 60, "zone": "UTC"}
    async with serving(answers) as server:
        document = agent_document(0, {"shop": server.url("127.0.0.1"), "blog": server.url("127.0.0.1")})
        document["store"] = f"sqlite:///{tmp_path}/sentry.db"
        document["maintenance"] = {"disks": {**window, "sites": ["shop"]}}
        config = write_config(tmp_path / "sentry.yaml", document)
        async with open_agent(config) as agent:
            sites = agent.books.roster.sites
            assert [len(sites[key].maintenance) for key in ("shop", "blog")] == [1, 0]

            document["maintenance"] = {"disks": {**window, "all_sites": True}}
            write_config(config, document)
            changes = await agent.reload()
            assert changes.other == ("maintenance",)
            assert [len(site.maintenance) for site in agent.books.roster.sites.values()] == [1, 1]

            async with open_books(config) as beside:
                now = f"{datetime.now(UTC) - timedelta(minutes=1):%Y-%m-%dT%H:%M}"
                running = {**window, "starts_at": now, "reason": "Urgent", "sites": ["blog"]}
                await beside.maintenance.announce(window_of(running), "ana")
            await until(lambda: len(agent.books.roster.sites["blog"].work) == 2)

            document["maintenance"] = {}
            write_config(config, document)
            await agent.reload()
            assert [len(site.work) for site in agent.books.roster.sites.values()] == [0, 1]
    async with open_books(config) as books:
        assert [(one.key, one.cancelled) for one in books.maintenance.windows.values()] == [
            ("configuration/disks", True),
            ("1", False),
        ]
