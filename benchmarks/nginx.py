"""The target of a closed loop: one page from one worker of Debian's nginx."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.authority import HOST, Chain
from benchmarks.installed import provide
from benchmarks.servers import LOOPBACK, free_port, listens, serving

CONFIGURATION = """\
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen {address}:{port} {tls} backlog=4096;
    server_name {host};
    root {folder}/www;
    default_type text/html;
    {certificate}
  }}
}}
"""


@contextmanager
def serving_page(folder: Path, page: bytes, chain: Chain | None, on: frozenset[int]) -> Iterator[int]:
    """Serves a page at / until the block ends, over TLS where there is a chain, and gives the port."""
    program = provide("nginx")["nginx"]
    (folder / "www").mkdir(parents=True)
    (folder / "www" / "index.html").write_bytes(page)
    port = free_port()
    certificate = f"ssl_certificate {chain.served}; ssl_certificate_key {chain.key};" if chain else ""
    (folder / "nginx.conf").write_text(
        CONFIGURATION.format(
            user="user root;" if os.geteuid() == 0 else "",  # else the worker could not read our folder
            folder=folder,
            address=LOOPBACK,
            port=port,
            tls="ssl" if chain else "",
            host=HOST,
            certificate=certificate,
        )
    )
    command = [program, "-c", str(folder / "nginx.conf"), "-p", str(folder), "-e", str(folder / "error.log")]
    with serving(command, on=on, folder=folder, ready=lambda: listens(port)):
        yield port
