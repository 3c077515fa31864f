"""Histograms that cost little: several figures are observed for each probe, and read once a scrape."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import accumulate

from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from sentry.metrics.own import OwnMetric


class Tally:
    """Counts values by bucket. Written by one thread; another may read it meanwhile."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def observe(self, value: float) -> None:
        """Counts a value; a bucket holds what is at most its bound."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def read(self) -> tuple[list[int], float]:
        """Returns how many values were at most each bound, all of them last, and their sum."""
        return list(accumulate(self._counts.copy())), self._total


class TallyCollector(Collector):
    """One histogram of the table, in the form that prometheus_client writes out."""

    def __init__(self, metric: OwnMetric) -> None:
        self._metric = metric
        self._les = [*map(floatToGoString, metric.buckets), "+Inf"]
        self._tallies: dict[tuple[str, ...], Tally] = {}
        for values in [(value,) for value in metric.preset] if metric.labels else [()]:
            self._tallies[values] = Tally(metric.buckets)

    def at(self, given: Mapping[str, str]) -> Tally:
        """Returns the tally under these labels."""
        values = tuple(str(given[label]) for label in self._metric.labels)
        return self._tallies.setdefault(values, Tally(self._metric.buckets))

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yields the family as it is now."""
        family = HistogramMetricFamily(self._metric.full_name, self._metric.help, labels=self._metric.labels)
        for values, tally in self._tallies.copy().items():
            counts, total = tally.read()
            family.add_metric(values, list(zip(self._les, counts, strict=True)), total)
        yield family
