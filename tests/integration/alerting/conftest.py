"""Shared by the tests of channels against real servers."""

import ssl
from collections.abc import AsyncIterator

import pytest

from alerting.environment import ChannelEnvironment
from sentry.clock import SystemClock
from sentry.outgoing import open_session
from tests.integration.servers.certificates import Certificates


@pytest.fixture
async def environment(certificates: Certificates) -> AsyncIterator[ChannelEnvironment]:
    """What channels are given; trusts the tests' own authority beside the system's."""
    tls = ssl.create_default_context()
    tls.load_verify_locations(certificates.ca_path)
    async with open_session() as session:
        yield ChannelEnvironment(SystemClock(), session, tls)


@pytest.fixture
async def distrusting() -> AsyncIterator[ChannelEnvironment]:
    """What channels are given where nobody has told them of the tests' authority."""
    async with open_session() as session:
        yield ChannelEnvironment(SystemClock(), session, ssl.create_default_context())
