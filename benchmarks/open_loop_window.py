"""What each side of the open loop is given, and the span of time in which it is measured."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Cores, cpu_s, peak_rss_bytes, rss_bytes, starved_s

SCRAPE_EVERY_S = 15.0
SCRAPES_AT_LEAST = 2
"""In a span so short that the interval above would leave none."""

MB = 1_000_000

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Sites to watch, and how.

    Attributes:
        folder: for configurations and stores.
        ca: the root of the sites' certificates; None for plain HTTP.
        server_pid: the process that serves the sites.
        interval_s: seconds from one probe of a site to the next.
        warm_up_s: seconds from a side's start to the measured span.
        duration_s: seconds of the measured span.
    """

    folder: Path
    urls: Sequence[str]
    ca: Path | None
    server_pid: int
    interval_s: int
    warm_up_s: float
    duration_s: float
    cores: Cores

    @property
    def probes(self) -> float:
        """How many probes the measured span should hold."""
        return len(self.urls) * self.duration_s / self.interval_s


Window = Callable[[Crowd], Figures]
"""Starts a side, lets it warm up, measures it for the duration and stops it. At least `core_share` is returned.

Raises `RunRejected` where a site was not seen up in time.
"""


class Span:
    """A measured span of some processes: their CPU from when it is made until `figures`."""

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self._cpu_s, self._starved_s = cpu_s(*pids), starved_s(*pids)
        self.began = time.monotonic()

    def scrapes(self, duration_s: float) -> Iterator[None]:
        """Waits, and yields every `SCRAPE_EVERY_S` seconds, until the span has lasted as long as told."""
        end = self.began + duration_s
        every_s = min(SCRAPE_EVERY_S, duration_s / SCRAPES_AT_LEAST)
        due = self.began + every_s
        while due <= end:
            time.sleep(max(0.0, due - time.monotonic()))
            yield
            due += every_s
        time.sleep(max(0.0, end - time.monotonic()))

    def figures(self) -> dict[str, float]:
        """Returns the share of a core that was used and that was wanted in vain, and the memory that is used now."""
        took_s = time.monotonic() - self.began
        return {
            "core_share": (cpu_s(*self._pids) - self._cpu_s) / took_s,
            "starved_share": (starved_s(*self._pids) - self._starved_s) / took_s,
            "rss_mb": rss_bytes(*self._pids) / MB,
            "peak_rss_mb": peak_rss_bytes(*self._pids) / MB,
        }
