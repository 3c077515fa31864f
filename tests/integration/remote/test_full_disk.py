"""A disk that is full where a file should be written."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentry.domain.errors import HostError
from sentry.ports.hosts import Host
from sentry.remote.local_host import LocalHost
from sentry.remote.ssh_host import RemoteHost
from tests.contract.hosts import access_to
from tests.integration.servers.sshd import Sshd

pytestmark = pytest.mark.integration


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    """A server with a small disk."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    with Sshd(tmp_path) as server:
        disk = server.home / "disk"
        disk.mkdir()
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=777", "tmpfs", str(disk)], check=False)
        if made.returncode:
            pytest.skip("no file system can be mounted here")
        yield server
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("kind", ["local", "ssh"])
def test_write_to_a_full_disk_leaves_the_old_file_and_nothing_else(sshd: Sshd, kind: str) -> None:
    """What is half written never stands in for the whole, and takes no more room away."""
    host: Host = LocalHost() if kind == "local" else RemoteHost(access_to(sshd))
    path = sshd.home / "disk" / "index.php"
    host.write(bytes(path), b"old", 0o640)

    with pytest.raises(HostError, match=r"cannot write .*index\.php"):
        host.write(bytes(path), bytes(3_000_000), 0o640)

    assert [one.name for one in path.parent.iterdir()] == ["index.php"]
    assert path.read_bytes() == b"old"
    host.write(bytes(path), b"new", 0o640)
    assert path.read_bytes() == b"new"
    host.close()
