"""Reads pages of metrics as a benchmark needs them: sums of series, and quantiles of what histograms gained."""

import gzip
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$")
BOUND = re.compile(r'(?:^|,)le="([^"]+)"')
SCRAPE_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Exposition:
    """The samples of one scrape, by name, each with its labels as they are written."""

    samples: dict[str, list[tuple[str, float]]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, names: frozenset[str]) -> "Exposition":
        """Keeps the samples of these names; the other lines of a large page are passed over unread."""
        found = cls()
        for line in text.splitlines():
            name = line[: min(line.find(mark) % (len(line) + 1) for mark in "{ ")]
            if name in names and (sample := SAMPLE.match(line)):
                found.samples.setdefault(name, []).append((sample[2] or "", float(sample[3])))
        return found

    def total(self, name: str, label: str = "") -> float:
        """Returns the sum of the samples of a name whose labels contain a text, e.g. `result="up"`."""
        return sum(value for labels, value in self.samples.get(name, []) if label in labels)

    def buckets(self, name: str) -> dict[float, float]:
        """Returns the cumulative counts of a histogram by upper bound."""
        return {float(bound): count for bound, count in self._bounds(name)}

    def _bounds(self, name: str) -> Iterator[tuple[str, float]]:
        for labels, count in self.samples.get(f"{name}_bucket", []):
            if bound := BOUND.search(labels):
                yield bound[1], count


def scraped(url: str) -> str:
    """Reads a page as Prometheus does, compressed."""
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})  # noqa: S310  # our own agent's
    with urllib.request.urlopen(request, timeout=SCRAPE_WITHIN_S) as answer:  # noqa: S310  # as above
        body: bytes = answer.read()
        packed = answer.headers.get("Content-Encoding") == "gzip"
    return (gzip.decompress(body) if packed else body).decode()


def quantile(name: str, share: float, before: Exposition, after: Exposition) -> float | None:
    """Returns a quantile of what a histogram gained between two scrapes, even within a bucket as PromQL has it.

    Returns:
        None where it gained nothing; the highest finite bound where the quantile lies above it.
    """
    earlier = before.buckets(name)
    gained = sorted((bound, count - earlier.get(bound, 0.0)) for bound, count in after.buckets(name).items())
    if not gained or gained[-1][1] <= 0:
        return None
    wanted = share * gained[-1][1]
    lower, below = 0.0, 0.0
    for bound, count in gained:
        if count >= wanted:
            return lower if bound == float("inf") else lower + (bound - lower) * (wanted - below) / (count - below)
        lower, below = bound, count
    return lower
