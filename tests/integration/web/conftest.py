"""The web server on a real socket, over a house in memory."""

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from sentry.web.application import build_app
from sentry.web.sources import WebOptions
from tests.fakes.web import Client, House, Serve


@pytest.fixture
def house() -> House:
    """An agent that watches one healthy site."""
    house = House()
    house.add_site()
    return house


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts servers that end with the test."""
    started: list[Client] = []

    async def start(house: House, options: WebOptions) -> Client:
        client = TestClient(TestServer(build_app(house.sources, options)))
        await client.start_server()
        started.append(client)
        return client

    yield start
    for client in started:
        await client.close()


@pytest.fixture
async def client(house: House, serve: Serve) -> Client:
    """A caller of the house, without a token."""
    return await serve(house, WebOptions())
