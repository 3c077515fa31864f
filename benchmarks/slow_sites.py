"""The target of an open loop: thousands of slow sites, each at an address of its own of the loopback network."""

import ipaddress
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.authority import Chain
from benchmarks.installed import compiled
from benchmarks.page import page
from benchmarks.servers import free_port, listens, serving

FIRST_SITE = ipaddress.IPv4Address("127.1.0.0")
"""As in slow_sites.c."""


@dataclass(frozen=True, slots=True)
class SlowSites:
    """Running sites.

    Attributes:
        urls: one per site.
        pid: of the process that serves them all.
    """

    urls: Sequence[str]
    pid: int


@contextmanager
def slow_sites(
    folder: Path, count: int, delay_ms: tuple[int, int], chain: Chain | None, on: frozenset[int]
) -> Iterator[SlowSites]:
    """Serves so many sites, over TLS where there is a chain, until the block ends.

    Args:
        folder: for the page and the log.
        count: how many.
        delay_ms: least and most milliseconds from a request to its answer.
        chain: its `served` holds one certificate for each site.
        on: the cores of the server.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "page.html").write_bytes(page())
    port = free_port()
    program = compiled(Path(__file__).with_name("slow_sites.c"))
    command: list[str | Path] = [program, str(port), *map(str, delay_ms), folder / "page.html"]
    scheme = "http"
    if chain is not None:
        command += [chain.served, chain.key]
        scheme = "https"
    with serving(command, on=on, folder=folder, ready=lambda: listens(port)) as pid:
        yield SlowSites([f"{scheme}://{FIRST_SITE + number}:{port}/" for number in range(count)], pid)
