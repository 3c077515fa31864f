"""The database examiner through a real sshd."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sentry.remote.ssh_host import RemoteHost
from tests.contract.hosts import access_to
from tests.integration.database.scene import look
from tests.integration.servers.loopback import LOOPBACK
from tests.integration.servers.sshd import Sshd
from tests.integration.servers.wordpress import WordPress, wordpress_kit

pytestmark = pytest.mark.integration


@pytest.fixture
def host(tmp_path: Path) -> Iterator[RemoteHost]:
    """The server of the site, as its own account reaches it."""
    with Sshd(tmp_path / "sshd") as sshd:
        host = RemoteHost(access_to(sshd))
        yield host
        host.close()


@pytest.fixture
def site() -> Iterator[WordPress]:
    """A site that the test may change."""
    with wordpress_kit().site() as site:
        yield site


def test_database_on_a_port_is_read_through_the_connection_itself(site: WordPress, host: RemoteHost) -> None:
    """No program of the host is needed: sshd connects, and the agent speaks with the database."""
    source = (site.docroot / "wp-config.php").read_text()
    address = f"{LOOPBACK}:{site.database.port}"
    site.write("wp-config.php", source.replace(f"localhost:{site.database.socket}", address))
    looked = look(site.docroot, url=site.url, host=host)
    assert "over the SSH connection" in looked.manifest.parts["database"]
    assert looked.manifest.rows > 100
    assert looked.above_advice == []


def test_database_on_a_socket_is_read_by_the_client_of_the_host(site: WordPress, host: RemoteHost) -> None:
    """Where it listens on no port."""
    looked = look(site.docroot, url=site.url, host=host)
    assert "by mariadb on its host" in looked.manifest.parts["database"]
    assert looked.manifest.rows > 100
    assert looked.above_advice == []


def test_database_of_a_site_whose_database_is_down_is_said_not_to_be_looked_at(
    site: WordPress, host: RemoteHost
) -> None:
    """What cannot be asked is never green."""
    site.database.stop()
    looked = look(site.docroot, url=site.url, host=host)
    assert "not looked at" in looked.manifest.parts["database"]
    assert [skipped.path for skipped in looked.manifest.skipped] == ["database of the docroot"]
    assert looked.findings == []
