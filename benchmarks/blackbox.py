"""A blackbox_exporter of Debian, told to look at a page as the agent does."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.installed import provide
from benchmarks.prober_blackbox import MODULE
from benchmarks.servers import LOOPBACK, free_port, listens, serving


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running exporter."""

    url: str
    port: int
    pid: int


def module(host: str, text: str, ca: Path | None) -> dict[str, object]:
    """Returns the module that demands this text in the page and, with a root, a certificate for the host."""
    http: dict[str, object] = {
        "fail_if_body_not_matches_regexp": [re.escape(text)],
        "headers": {"Host": host},
        "preferred_ip_protocol": "ip4",
    }
    if ca is not None:
        http["tls_config"] = {"ca_file": str(ca), "server_name": host}
        http["fail_if_not_ssl"] = True
    return {"prober": "http", "timeout": "10s", "http": http}


@contextmanager
def exporting(folder: Path, page: dict[str, object], on: frozenset[int]) -> Iterator[Exporter]:
    """Runs an exporter with one module until the block ends."""
    program = provide("prometheus-blackbox-exporter")["prometheus-blackbox-exporter"]
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "blackbox.yml"
    configuration.write_text(json.dumps({"modules": {MODULE: page}}))  # JSON is YAML
    port = free_port()
    command = [
        program,
        f"--config.file={configuration}",
        f"--web.listen-address={LOOPBACK}:{port}",
        "--log.level=error",
    ]
    with serving(command, on=on, folder=folder, ready=lambda: listens(port)) as pid:
        yield Exporter(f"http://{LOOPBACK}:{port}", port, pid)
