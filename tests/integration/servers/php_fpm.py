"""A real PHP-FPM of a site's own account, and PHP on its command line."""

import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.integration.servers.account import Account
from tests.integration.servers.process import ServerProcess, require

VERSION = "8.2"


class PhpFpm(ServerProcess):
    """Runs PHP-FPM on a socket in its folder."""

    name = "php-fpm"

    def __init__(self, folder: Path, account: Account) -> None:
        super().__init__(folder)
        self._program = require(f"php-fpm{VERSION}", f"php{VERSION}-fpm")
        self._account = account
        self.socket = folder / "s"
        lines = (
            "[global]",
            f"error_log = {folder / 'errors.log'}",
            "daemonize = no",
            "[www]",
            f"listen = {self.socket}",
            "pm = static",
            "pm.max_children = 2",
            "catch_workers_output = yes",
            "php_admin_value[opcache.validate_timestamps] = 1",
            "php_admin_value[opcache.revalidate_freq] = 0",
        )
        (folder / "fpm.conf").write_text("\n".join((*lines, "")))
        account.own(folder)

    def command(self) -> Sequence[str]:
        # What a pool says of `user_ini.cache_ttl` comes too late for it.
        options = ("--nodaemonize", "-d", "user_ini.cache_ttl=0", "--fpm-config", str(self.folder / "fpm.conf"))
        return self._account.running(self._program, *options)

    def is_ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as caller:
            return self.socket.exists() and caller.connect_ex(str(self.socket)) == 0


def run_php(account: Account, source: str, *, folder: Path) -> str:
    """Runs PHP source as an account and returns what it prints; for what WordPress itself must do in a test."""
    done = subprocess.run(
        account.running(require("php", f"php{VERSION}-cli")),
        cwd=folder,
        input=source,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"PHP ended with {done.returncode}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    return done.stdout
