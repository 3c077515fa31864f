"""Shared by the tests of the whole story: the agent as a user starts it, among real servers."""

import pytest

from tests.integration.servers.certificates import Certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A certificate authority for the whole run, and what it issues."""
    return Certificates(tmp_path_factory.mktemp("ca"))
