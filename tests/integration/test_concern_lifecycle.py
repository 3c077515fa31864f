"""A concern in a whole agent: raised by an event, kept over a restart, let go with its site, shown to people."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sentry.app.agent import Agent, open_agent
from sentry.cli import build
from sentry.domain.concern import ConcernKind, cleared
from sentry.domain.incident import Incident, IncidentState
from tests.fakes.concerns import concern
from tests.integration.servers.agent_config import Document, agent_document, write_config

pytestmark = pytest.mark.integration

PATIENCE_S = 20.0
FAULT = concern(ConcernKind.OWN_FAULT, began_at=datetime.now(UTC))
DOMAIN = concern(ConcernKind.DOMAIN, began_at=datetime.now(UTC))


def document(folder: Path, site_key: str = "acme-shop") -> Document:
    """One site that is hardly ever probed."""
    sites = {site_key: "http://127.0.0.1:9/"}
    return agent_document(0, sites, interval_s=3600) | {"store": f"sqlite:///{folder}/sentry.db"}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path / "sentry.yaml", document(tmp_path))


async def standing(agent: Agent, key: str, holds: Callable[[Incident], bool] = lambda _: True) -> Incident:
    """The newest incident of a concern, as soon as it is as it should be."""

    async def found() -> Incident | None:
        latest = await agent.books.store.incidents.latest(key)
        return latest if latest is not None and latest.ticket_number is not None and holds(latest) else None

    return await _until(found)


async def _until(found: Callable[[], Awaitable[Incident | None]]) -> Incident:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            incident = await found()
            if incident is not None:
                return incident
            await asyncio.sleep(0.05)


def run(config: Path, *arguments: str) -> str:
    """What a command prints."""
    done = CliRunner().invoke(build(), ["--config", str(config), *arguments], catch_exceptions=False)
    return done.stdout


async def test_concern_said_before_and_after_a_restart_is_one_incident_until_it_is_cleared(config: Path) -> None:
    """Whoever watches for it may have forgotten that it has said so."""
    async with open_agent(config) as agent:
        await agent.books.store.events.publish([FAULT.raised(datetime.now(UTC))])
        opened = await standing(agent, FAULT.key)
    async with open_agent(config) as agent:
        now = datetime.now(UTC)
        await agent.books.store.events.publish([FAULT.raised(now), cleared(FAULT.key, now, now)])
        over = await standing(agent, FAULT.key, lambda latest: latest.state is IncidentState.RESOLVED)

    assert (over.id, over.opening) == (opened.id, 1)


async def test_concern_of_a_site_that_is_removed_is_let_go_and_the_agents_own_stands(config: Path) -> None:
    """Nobody would ever clear it; at a reload as at a start."""
    async with open_agent(config) as agent:
        now = datetime.now(UTC)
        await agent.books.store.events.publish([FAULT.raised(now), DOMAIN.raised(now)])
        await standing(agent, DOMAIN.key)
        write_config(config, document(config.parent, "other"))
        await agent.reload()

        over = await standing(agent, DOMAIN.key, lambda latest: latest.state is IncidentState.RESOLVED)
        own = await standing(agent, FAULT.key)

    assert over.recovered_at is not None
    assert own.state is IncidentState.OPEN


def test_concern_of_the_agent_is_read_on_the_command_line(config: Path) -> None:
    """It has no site, and says what to do."""

    async def raise_it() -> None:
        async with open_agent(config) as agent:
            await agent.books.store.events.publish([FAULT.raised(datetime.now(UTC))])
            await standing(agent, FAULT.key)

    asyncio.run(raise_it())

    assert "(agent)" in run(config, "incident", "list")
    shown = " ".join(run(config, "incident", "show", "1").split())
    assert "La propia vigilancia tiene una avería" in shown
    assert "QUÉ HACER" in shown
    told: dict[str, Any] = json.loads(run(config, "incident", "show", "1", "--json"))
    assert (told["concern"], told["report"], told["site_key"]) == ("own_fault", None, "")
    assert told["facts"] == FAULT.facts
    assert "(agent)" in run(config, "ticket", "list")
    assert "site (agent)" in run(config, "ticket", "show", "1")
