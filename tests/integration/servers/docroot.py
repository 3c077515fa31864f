"""A real nginx that serves one folder, as a host serves a site's docroot."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path

from tests.integration.servers.certificates import ServerCertificate
from tests.integration.servers.loopback import LOOPBACK, free_port
from tests.integration.servers.process import ServerProcess, require


class DocrootServer(ServerProcess):
    """Serves `folder/www`.

    Args:
        folder: of the server.
        settings: of the server block, e.g. `autoindex on;`.
        certificate: with one, it speaks TLS alone.
    """

    name = "nginx"

    def __init__(self, folder: Path, settings: str = "", certificate: ServerCertificate | None = None) -> None:
        super().__init__(folder)
        self._program = require("nginx", "nginx-light")
        self._port = free_port()
        self._scheme = "https" if certificate else "http"
        self.docroot = folder / "www"
        self.docroot.mkdir(parents=True, exist_ok=True)
        tls = ""
        if certificate:
            (folder / "chain.pem").write_bytes(certificate.chain_pem)
            (folder / "key.pem").write_bytes(certificate.key_pem)
            tls = f"ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem;"
        # A worker of another user could not read the test's folder.
        user = "user root;" if os.geteuid() == 0 else ""
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind}_temp; "
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        listen = f"listen {LOOPBACK}:{self._port}{' ssl' if certificate else ''};"
        (folder / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; {user} pid {folder}/nginx.pid; error_log stderr notice;\n"
            f"events {{ worker_connections 256; }}\n"
            f"http {{ {temporary} access_log {folder}/access.log; types {{ text/html html; }}\n"
            f"server {{ {listen} {tls} root {self.docroot}; index index.html; {settings} }} }}\n"
        )

    def url(self, path: str = "/") -> str:
        """Returns an address of it."""
        return f"{self._scheme}://localhost:{self._port}{path}"

    def command(self) -> Sequence[str]:
        return (self._program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", "stderr")

    def is_ready(self) -> bool:
        try:
            socket.create_connection((LOOPBACK, self._port), 1.0).close()
        except OSError:
            return False
        return True
