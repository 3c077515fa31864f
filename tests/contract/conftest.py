"""Fixtures of the contract suites: every store test runs on SQLite and on a real PostgreSQL."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sentry.store import Store, open_store
from tests.fakes.clock import ManualClock
from tests.fakes.postgres import PostgresServer
from tests.integration.servers.sshd import Sshd

HANDLERS = ("incidents", "alerts")
WAIT_S = 0.3


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for the whole run; without one the tests fail on a build machine and are skipped elsewhere."""
    server = PostgresServer()
    try:
        start_or_skip(server)
        yield server
    finally:
        server.stop()


def start_or_skip(server: PostgresServer) -> None:
    """Starts it; where there is none the test is skipped, but never on a build machine."""
    try:
        server.start()
    except (OSError, RuntimeError) as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no PostgreSQL here: {error}")


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/sentry.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.empty_database()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still."""
    return ManualClock()


@pytest.fixture
async def store(address: str, clock: ManualClock) -> AsyncIterator[Store]:
    """An open, empty store of each kind."""
    async with open_store(address, handlers=HANDLERS, clock=clock, wait_s=WAIT_S) as opened:
        yield opened


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """One SSH server for the whole run."""
    with Sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server
