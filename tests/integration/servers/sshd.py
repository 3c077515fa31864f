"""A real OpenSSH server for one unprivileged account, with host and user keys of its own."""

import contextlib
import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.integration.servers.loopback import LOOPBACK, free_port
from tests.integration.servers.process import ServerError, ServerProcess, require

ACCOUNT = "online-sentry-test"
SFTP_ONLY = ("ForceCommand internal-sftp",)
"""A configuration for an account that may run no command."""


class Sshd(ServerProcess):
    """Runs sshd on a free port of loopback.

    As root it serves an account of its own, made where there is none yet; else the account that runs the tests.

    Args:
        folder: for its configuration and its keys.
        options: further lines of sshd_config, e.g. `SFTP_ONLY` or `MaxSessions 2`.
        address: where it listens.
        within: what starts it, e.g. in another network namespace.

    Attributes:
        user: the account.
        home: a folder that belongs to the account and that it can reach; its `$HOME`. Gone when the server stops.
        key_path: the private key that lets in, without passphrase; `host_key` as it stands in known_hosts.
    """

    name = "sshd"

    def __init__(
        self, folder: Path, options: Sequence[str] = (), *, address: str = LOOPBACK, within: Sequence[str] = ()
    ) -> None:
        super().__init__(folder)
        self._program = require("sshd", "openssh-server")
        self.address, self.port = address, free_port()
        self._within = within
        self.user = _account()
        self.home = Path(tempfile.mkdtemp(prefix="online-sentry-sshd-"))
        self.own(self.home)
        self.home.chmod(0o755)
        self.key_path = folder / "user_key"
        (self.home / "authorized_keys").write_text(new_key(self.key_path) + "\n")
        self.host_key = ""
        self.change_host_key()
        lines = (
            f"Port {self.port}",
            f"ListenAddress {address}",
            f"HostKey {folder}/host_key",
            f"PidFile {folder}/sshd.pid",
            f"AuthorizedKeysFile {self.home}/authorized_keys",
            f"SetEnv HOME={self.home}",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "Subsystem sftp internal-sftp",
            "PrintMotd no",
            *options,
        )
        (folder / "sshd_config").write_text("\n".join([*lines, ""]))

    def change_host_key(self) -> str:
        """Gives it another host key, which it shows from its next start on; returns the public one."""
        self.host_key = new_key(self.folder / "host_key")
        return self.host_key

    def own(self, path: Path) -> None:
        """Gives a file or a folder, with all that is in it, to the account."""
        if os.geteuid() == 0:
            subprocess.run(["chown", "-hR", f"{self.user}:", str(path)], check=True)

    def command(self) -> Sequence[str]:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        return (*self._within, self._program, "-D", "-e", "-f", str(self.folder / "sshd_config"))

    def is_ready(self) -> bool:
        try:
            with socket.create_connection((self.address, self.port), 1) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def cut(self) -> None:
        """Kills what serves the connections that stand, and their commands; new ones are taken."""
        for pid in _below(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def freeze(self) -> None:
        """Stops what serves the connections that stand: the kernel takes what is sent, and nobody answers."""
        for pid in _below(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def kill(self) -> int:
        if self.is_running:
            self.cut()
        return super().kill()

    def stop(self, within_s: float = 10.0) -> int:
        if self.is_running:
            self.cut()
        return super().stop(within_s)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, traceback)
        shutil.rmtree(self.home, ignore_errors=True)


def new_key(path: Path, passphrase: bytes | None = None) -> str:
    """Writes a new Ed25519 private key and returns the public one, as in authorized_keys."""
    key = Ed25519PrivateKey.generate()
    hidden = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    encoded = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, hidden)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(encoded)
    public = key.public_key()
    return public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


def _account() -> str:
    if os.geteuid() != 0:
        return getpass.getuser()
    try:
        pwd.getpwnam(ACCOUNT)
    except KeyError:
        # A password that fits nothing; "!" would be a locked account, which sshd refuses.
        command = ["useradd", "--create-home", "--shell", "/bin/sh", "--password", "*", ACCOUNT]
        made = subprocess.run(command, check=False, capture_output=True)
        if made.returncode not in (0, 9):  # 9: another test run has just made it
            raise ServerError(f"no account for sshd: {made.stderr.decode()}") from None
    return ACCOUNT


def _below(pid: int) -> list[int]:
    """Returns the processes that a process has started, and theirs, leaves first."""
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            children += [int(child) for child in task.read_text().split()]
    return [found for child in children for found in (*_below(child), child)]
