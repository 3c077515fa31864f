"""A real tinyproxy that asks for a password and makes tunnels to any port."""

import socket
from collections.abc import Sequence
from pathlib import Path

from tests.integration.servers.loopback import LOOPBACK, free_port
from tests.integration.servers.process import ServerProcess, require


class Tinyproxy(ServerProcess):
    """Runs tinyproxy on a free port of loopback."""

    name = "tinyproxy"

    def __init__(self, folder: Path, *, user: str, password: str) -> None:
        super().__init__(folder)
        self._program = require("tinyproxy", "tinyproxy-bin")
        self.port = free_port()
        lines = (f"Port {self.port}", f"Listen {LOOPBACK}", "Timeout 30", f"BasicAuth {user} {password}")
        (folder / "tinyproxy.conf").write_text("\n".join([*lines, ""]))

    def command(self) -> Sequence[str]:
        return (self._program, "-d", "-c", str(self.folder / "tinyproxy.conf"))

    def is_ready(self) -> bool:
        try:
            socket.create_connection((LOOPBACK, self.port), 1).close()
        except OSError:
            return False
        return True
