"""A line that dies without a word: no packet comes back, and no end of the connection either."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sentry.domain.errors import HostLost
from sentry.remote.ssh_host import RemoteHost
from tests.contract.hosts import access_to
from tests.integration.servers.sshd import Sshd
from tests.matrix.network import Network

pytestmark = pytest.mark.integration
SERVER = "11.80.0.9"


@pytest.fixture
def network() -> Iterator[Network]:
    """Two machines and a cable."""
    with Network() as network, network.inside():
        yield network


@pytest.fixture
def host(network: Network, tmp_path: Path) -> Iterator[RemoteHost]:
    """A host at the far end."""
    with Sshd(tmp_path, address=SERVER, within=network.in_world(())) as sshd:
        host = RemoteHost(access_to(sshd))
        yield host
        host.close()


def test_dead_line_is_noticed_though_nothing_is_sent(network: Network, host: RemoteHost) -> None:
    """Long before silence would be too long; when the line is back, so is the host."""
    with host.stream(["sh", "-c", "echo begun; sleep 600"], silent_s=300) as output:
        assert output.read(100) == b"begun\n"
        network.swallow(SERVER)
        with pytest.raises(HostLost, match="the link broke"):
            output.end()

    network.mend()
    assert host.run(["echo", "again"]).output == b"again\n"
