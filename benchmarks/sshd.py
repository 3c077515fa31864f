"""OpenSSH's server on loopback for whoever runs the benchmark, with keys of its own."""

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import RunRejected
from benchmarks.servers import LOOPBACK, free_port, listens, serving

SYSTEM = "/usr/sbin:/usr/local/sbin:/sbin:/usr/bin"


@dataclass(frozen=True, slots=True)
class Door:
    """How the server is reached.

    Attributes:
        host_key: as it stands in known_hosts.
    """

    port: int
    user: str
    key_file: Path
    host_key: str


@contextmanager
def sshd(folder: Path) -> Iterator[Door]:
    """Runs the server until the block ends.

    Args:
        folder: for its keys and its configuration.

    Raises:
        RunRejected: it is not installed or does not start.
    """
    program, keygen = (shutil.which(name, path=SYSTEM) for name in ("sshd", "ssh-keygen"))
    if program is None or keygen is None:
        raise RunRejected("sshd is not installed; as root: apt-get install --no-install-recommends openssh-server")
    folder.mkdir()
    for name in ("host_key", "user_key"):
        made = (keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
        subprocess.run(made, check=True)  # noqa: S603  # a folder of our own
    port = free_port()
    lines = (
        f"Port {port}",
        f"ListenAddress {LOOPBACK}",
        f"HostKey {folder}/host_key",
        f"AuthorizedKeysFile {folder}/user_key.pub",
        f"PidFile {folder}/pid",
        "StrictModes no",
        "UsePAM no",
        "PermitRootLogin prohibit-password",
        "PasswordAuthentication no",
        "Subsystem sftp internal-sftp",
    )
    (folder / "sshd_config").write_text("\n".join((*lines, "")), encoding="utf-8")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    command = (program, "-D", "-e", "-f", folder / "sshd_config")
    cores = frozenset(os.sched_getaffinity(0))
    with serving(command, on=cores, folder=folder, ready=lambda: listens(port)):
        yield Door(
            port, getpass.getuser(), folder / "user_key", (folder / "host_key.pub").read_text(encoding="utf-8")
        )
