"""The hosts that the suites of `Host` and `Tree` run on."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sentry.domain.access import SshAccess
from sentry.ports.hosts import Host
from sentry.remote.local_host import LocalHost
from sentry.remote.ssh_host import RemoteHost
from tests.integration.servers.sshd import Sshd

KINDS = ("local", "ssh")


@dataclass(frozen=True, slots=True)
class Ground:
    """A host, and a folder of it that its account may write and that the test sees too.

    Attributes:
        account: to whom the files belong; empty where the test itself is the account.
    """

    host: Host
    folder: Path
    account: str = ""

    def put(self, name: str, content: bytes = b"", mode: int = 0o644) -> bytes:
        """Writes a file for the account and returns its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
        self.give()
        return bytes(path)

    def give(self) -> None:
        """Makes all of the folder the account's own."""
        if self.account:
            subprocess.run(["chown", "-hR", f"{self.account}:", str(self.folder)], check=True)


def access_to(sshd: Sshd) -> SshAccess:
    """Returns how that server is reached."""
    return SshAccess(
        host=sshd.address, port=sshd.port, user=sshd.user, key_file=sshd.key_path, host_keys=(sshd.host_key,)
    )


@contextmanager
def opened(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Ground]:
    """Opens a host of a kind, with an empty folder."""
    if kind == "local":
        yield Ground(LocalHost(), folder)
        return
    sshd: Sshd = request.getfixturevalue("sshd")
    host = RemoteHost(access_to(sshd))
    ground = Ground(host, Path(tempfile.mkdtemp(dir=sshd.home)), sshd.user)
    ground.give()
    try:
        yield ground
    finally:
        host.close()
