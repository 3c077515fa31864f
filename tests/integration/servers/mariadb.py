"""A real MariaDB of a site's own account, small and not durable."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.integration.servers.account import Account
from tests.integration.servers.loopback import LOOPBACK
from tests.integration.servers.process import ServerProcess, require

SMALL = (
    "--innodb-log-file-size=4M",
    "--innodb-data-file-path=ibdata1:4M:autoextend",
    "--innodb-buffer-pool-size=24M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--key-buffer-size=1M",
    "--performance-schema=OFF",
    "--skip-log-bin",
)


class MariaDb(ServerProcess):
    """Runs mariadbd on a socket in its folder and on a port of loopback; its data stand in `folder/data`.

    Args:
        folder: of the account; its path must be short, for the socket's name.
        port: on loopback.
        options: more of mariadbd's, e.g. `--event-scheduler=ON`.
    """

    name = "mariadbd"

    def __init__(self, folder: Path, account: Account, port: int, options: Sequence[str] = ()) -> None:
        super().__init__(folder)
        self._program = require("mariadbd", "mariadb-server")
        self._client = require("mariadb", "mariadb-client")
        self._account = account
        self._options = options
        self.port = port
        self.socket = folder / "s"

    def install(self) -> None:
        """Makes an empty database server, whose root needs no password; takes seconds, so it is done once a run."""
        program = require("mariadb-install-db", "mariadb-server")
        self._account.own(self.folder)
        where = (f"--datadir={self.folder / 'data'}", "--auth-root-authentication-method=normal", "--skip-test-db")
        subprocess.run(
            self._account.running(program, "--no-defaults", *where, *SMALL),
            check=True,
            cwd=self.folder,
            capture_output=True,
            timeout=120,
        )

    def sql(self, statements: str, database: str = "") -> str:
        """Runs statements as root and returns what they print, a row a line and a tab between columns."""
        where = ("--no-defaults", f"--socket={self.socket}", "--user=root", "--batch", "--skip-column-names")
        done = subprocess.run(
            (self._client, *where, database),
            input=statements,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"MariaDB refused: {done.stderr}\n{statements[:500]}")
        return done.stdout

    def command(self) -> Sequence[str]:
        where = (f"--datadir={self.folder / 'data'}", f"--socket={self.socket}", f"--pid-file={self.folder / 'pid'}")
        net = (f"--port={self.port}", f"--bind-address={LOOPBACK}")
        return self._account.running(self._program, "--no-defaults", *where, *net, *SMALL, *self._options)

    def is_ready(self) -> bool:
        try:
            return self.sql("SELECT 1") == "1\n"
        except AssertionError:
            return False
