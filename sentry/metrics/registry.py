"""The agent's own metrics, made from the table: objects for the few, cells for what has a value per site."""

from collections.abc import Callable, Iterator, Mapping

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

from sentry.metrics.cells import cell
from sentry.metrics.labels import labels as rendered
from sentry.metrics.own import OWN_METRICS, MetricType, OwnMetric
from sentry.metrics.sheet import Block, Sheet
from sentry.metrics.tally import Tally, TallyCollector

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # its series double every counter


class UnknownMetric(LookupError):  # noqa: N818  # reads as a state; a programming error, caught by the tests
    """A name, a label or a use that the table of own metrics does not know."""


class OwnRegistry:
    """Everything of `sentry.metrics.own`, on a registry that no other library writes to."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._counters: dict[str, Counter] = {}
        self._histograms: dict[str, TallyCollector] = {}
        self._gauges: dict[str, Gauge] = {}
        self._writers: dict[tuple[object, ...], Callable[[float], None]] = {}
        per_site = [metric for metric in OWN_METRICS.values() if metric.is_per_site]
        self._sites = Sheet({metric.full_name: metric.help for metric in per_site})
        self._rows: dict[str, int] = {}
        for metric in OWN_METRICS.values():
            self._make(metric)

    def _make(self, metric: OwnMetric) -> None:
        """A gauge is only made when it is first set: 0 would be a figure, and nobody has measured it yet."""
        if metric.type is MetricType.HISTOGRAM:
            self._histograms[metric.name] = TallyCollector(metric)
            self.registry.register(self._histograms[metric.name])
        elif metric.type is MetricType.COUNTER:
            counter = Counter(metric.full_name, metric.help, metric.labels, registry=self.registry)
            for value in metric.preset:
                counter.labels(value)
            self._counters[metric.name] = counter

    def add(self, name: str, amount: float, given: Mapping[str, str]) -> None:
        """Adds to a counter, or one observation to a histogram.

        Raises:
            UnknownMetric: there is no such counter or histogram with these labels.
        """
        key = (name, *given.items())
        write = self._writers.get(key)
        if write is None:
            write = self._writers[key] = self.writer(name, given)
        write(amount)

    def writer(self, name: str, given: Mapping[str, str]) -> Callable[[float], None]:
        """Returns what adds to a counter or histogram, for those who add to it for each probe.

        Raises:
            UnknownMetric: there is no such counter or histogram with these labels.
        """
        metric = _look_up(name, given)
        if metric.type is MetricType.HISTOGRAM:
            return self.tally(name, given).observe
        if metric.type is MetricType.COUNTER:
            counter = self._counters[name]
            return counter.labels(**given).inc if metric.labels else counter.inc
        raise UnknownMetric(f"{name} is a {metric.type}; it cannot be added to")

    def tally(self, name: str, given: Mapping[str, str]) -> Tally:
        """Returns a histogram's tally under these labels."""
        return self._histograms[name].at(given)

    def put(self, name: str, value: float, given: Mapping[str, str]) -> None:
        """Sets a gauge.

        Raises:
            UnknownMetric: there is no such gauge with these labels.
        """
        metric = _look_up(name, given)
        if metric.type is not MetricType.GAUGE:
            raise UnknownMetric(f"{name} is a {metric.type}; it cannot be set")
        if metric.is_per_site:
            self._put_for_site(metric, value, given)
            return
        made = self._gauges.get(name)
        if made is None:
            made = Gauge(metric.full_name, metric.help, metric.labels, registry=self.registry)
            self._gauges[name] = made
        (made.labels(**given) if metric.labels else made).set(value)

    def _put_for_site(self, metric: OwnMetric, value: float, given: Mapping[str, str]) -> None:
        site = given["site"]
        row = self._rows.get(site)
        if row is None:
            row = self._rows[site] = self._sites.add(rendered(site=site))
        further = "".join([f"{rendered(**{label: given[label]})}," for label in metric.labels if label != "site"])
        self._sites.put(row, f"{metric.full_name}{{{further}", cell(value))

    def forget_site(self, site_key: str) -> None:
        """Drops the figures of a site that is no longer watched."""
        row = self._rows.pop(site_key, None)
        if row is not None:
            self._sites.drop(row)

    def site_blocks(self) -> Iterator[Block]:
        """Yields the families that have a value per site."""
        return self._sites.blocks()


def _look_up(name: str, given: Mapping[str, str]) -> OwnMetric:
    metric = OWN_METRICS.get(name)
    if metric is None:
        raise UnknownMetric(f"there is no metric {name}; add it to sentry/metrics/own.py")
    if metric.labels != tuple(given) and set(metric.labels) != set(given):
        raise UnknownMetric(f"{name} has the labels {metric.labels}, not {tuple(given)}")
    return metric
