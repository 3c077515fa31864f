"""A real nginx with one port (and one TLS port) per virtual host, so that every site has its own address."""

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.integration.servers.certificates import ServerCertificate
from tests.integration.servers.loopback import LOOPBACK, fetch, free_port
from tests.integration.servers.process import ServerProcess, require, wait_until


@dataclass(frozen=True, slots=True)
class Page:
    """What one path answers.

    Attributes:
        status: 200, or any from 300 to 599.
        redirect: the Location of a 3xx.
        proxy_to: an http:// address that answers instead (a socket that never does makes a hanging page).
    """

    body: str = "<html><body>It works</body></html>"
    status: int = 200
    content_type: str = "text/html"
    redirect: str | None = None
    proxy_to: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vhost:
    """One web site: its pages by exact path, and the certificate of its TLS port where it has one."""

    name: str
    pages: Mapping[str, Page] = field(default_factory=lambda: {"/": Page()})
    certificate: ServerCertificate | None = None


class Nginx(ServerProcess):
    """Runs nginx with one worker, configured in its folder.

    `url("shop")` and `https_url("shop")` name a site; the host name is `localhost`.
    A path that has no page answers 404.
    """

    name = "nginx"

    def __init__(self, folder: Path, vhosts: Sequence[Vhost]) -> None:
        super().__init__(folder)
        self._program = require("nginx", "nginx-light")
        self._vhosts = {vhost.name: vhost for vhost in vhosts}
        self._ports = {vhost.name: free_port() for vhost in vhosts}
        self._tls_ports = {vhost.name: free_port() for vhost in vhosts if vhost.certificate}
        self._control_port = free_port()
        self._generation = 1
        self._write()

    def url(self, vhost: str, path: str = "/") -> str:
        """Returns the http:// address of a page."""
        return f"http://localhost:{self._ports[vhost]}{path}"

    def https_url(self, vhost: str, path: str = "/") -> str:
        """Returns the https:// address of a page."""
        return f"https://localhost:{self._tls_ports[vhost]}{path}"

    def port(self, vhost: str) -> int:
        """Returns the plain port of a site."""
        return self._ports[vhost]

    def tls_port(self, vhost: str) -> int:
        """Returns the TLS port of a site."""
        return self._tls_ports[vhost]

    def set_page(self, vhost: str, page: Page, path: str = "/") -> None:
        """Changes one page and returns once the running nginx serves it."""
        before = self._vhosts[vhost]
        self._vhosts[vhost] = replace(before, pages={**before.pages, path: page})
        self.reload()

    def set_certificate(self, vhost: str, certificate: ServerCertificate) -> None:
        """Changes the certificate of a site that has one and returns once the running nginx shows it."""
        self._vhosts[vhost] = replace(self._vhosts[vhost], certificate=certificate)
        self.reload()

    def reload(self) -> None:
        """Writes the configuration anew and, when nginx runs, returns once it has taken it up."""
        self._generation += 1
        self._write()
        if self.is_running:
            retired = self._retired_workers()
            self.signal(signal.SIGHUP)
            # The old worker accepts for 100 ms beside the new one.
            wait_until(
                lambda: self._retired_workers() > retired and self.is_ready(),
                f"nginx to take up its configuration\n{self.log_tail()}",
            )

    def command(self) -> Sequence[str]:
        return (self._program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", "stderr")

    def is_ready(self) -> bool:
        try:
            return fetch(f"http://{LOOPBACK}:{self._control_port}/", timeout_s=1.0).text == str(self._generation)
        except OSError:
            return False

    def _retired_workers(self) -> int:
        return self.log.count("gracefully shutting down")

    def _write(self) -> None:
        servers = "\n".join(self._server(vhost) for vhost in self._vhosts.values())
        # A worker of another user could not read the test's folder.
        user = "user root;" if os.geteuid() == 0 else ""
        temporary = "\n".join(
            f"  {kind}_temp_path {self.folder}/{kind}_temp;"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.folder / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; {user}\n"
            f"pid {self.folder}/nginx.pid;\n"
            "error_log stderr notice;\n"
            "events { worker_connections 1024; }\n"
            "http {\n"
            f"{temporary}\n"
            f"  access_log {self.folder}/access.log;\n"
            f"  server {{ listen {LOOPBACK}:{self._control_port}; "
            f"location / {{ return 200 '{self._generation}'; }} }}\n"
            f"{servers}\n}}\n"
        )

    def _server(self, vhost: Vhost) -> str:
        root = self.folder / vhost.name
        root.mkdir(exist_ok=True)
        listen = [f"listen {LOOPBACK}:{self._ports[vhost.name]};"]
        if vhost.certificate:
            (root / "chain.pem").write_bytes(vhost.certificate.chain_pem)
            (root / "key.pem").write_bytes(vhost.certificate.key_pem)
            listen.append(f"listen {LOOPBACK}:{self._tls_ports[vhost.name]} ssl;")
            listen.append(f"ssl_certificate {root}/chain.pem; ssl_certificate_key {root}/key.pem;")
        pages = [_location(root, number, path, page) for number, (path, page) in enumerate(vhost.pages.items())]
        return "\n".join(["  server {", *listen, *pages, "location / { return 404; }", "  }"])


def _location(root: Path, number: int, path: str, page: Page) -> str:
    headers = " ".join(f"add_header {name} '{value}' always;" for name, value in page.headers.items())
    if page.proxy_to:
        return f"location = {path} {{ proxy_pass {page.proxy_to}; {headers} }}"
    if page.redirect:
        return f"location = {path} {{ return {page.status} '{page.redirect}'; }}"
    file = root / f"page{number}"
    file.write_text(page.body)
    # Not `alias`: for a path that ends in a slash nginx would look for a folder with an index.
    served = f"types {{ }} default_type {page.content_type}; {headers} root {root}; try_files /{file.name} =404;"
    if page.status == 200:
        return f"location = {path} {{ {served} }}"
    inner = f"/.page{number}"
    return (
        f"location = {path} {{ error_page {page.status} {inner}; return {page.status}; }}\n"
        f"location = {inner} {{ internal; {served} }}"
    )
