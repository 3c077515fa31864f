"""The agent's own metrics, made from the table: objects for the few, lines for what has a value per site."""

from collections.abc import Callable, Mapping

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from sentry.metrics.labels import labels as rendered
from sentry.metrics.labels import number
from sentry.metrics.lines import Block, header
from sentry.metrics.own import OWN_METRICS, MetricType, OwnMetric

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # its series double every counter


Made = Counter | Gauge | Histogram


class UnknownMetric(LookupError):  # noqa: N818  # reads as a state; a programming error, caught by the tests
    """A name, a label or a use that the table of own metrics does not know."""


class OwnRegistry:
    """Everything of `sentry.metrics.own`, on a registry that no other library writes to."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        at_once = [metric for metric in OWN_METRICS.values() if metric.type is not MetricType.GAUGE]
        self._made = {metric.name: _make(metric, self.registry) for metric in at_once}
        self._writers: dict[tuple[object, ...], Callable[[float], None]] = {}
        self._lines: dict[str, dict[tuple[str, ...], str]] = {}

    def add(self, name: str, amount: float, given: Mapping[str, str]) -> None:
        """Adds to a counter, or one observation to a histogram.

        Raises:
            UnknownMetric: there is no such counter or histogram with these labels.
        """
        key = (name, *given.items())
        write = self._writers.get(key)
        if write is None:
            write = self._writers[key] = self._writer(name, given)
        write(amount)

    def _writer(self, name: str, given: Mapping[str, str]) -> Callable[[float], None]:
        """Looked up once: several figures are written for each probe."""
        metric = _look_up(name, given)
        made = self._made.get(name)
        if isinstance(made, Counter):
            return made.labels(**given).inc if metric.labels else made.inc
        if isinstance(made, Histogram):
            return made.labels(**given).observe if metric.labels else made.observe
        raise UnknownMetric(f"{name} is a {metric.type}; it cannot be added to")

    def put(self, name: str, value: float, given: Mapping[str, str]) -> None:
        """Sets a gauge.

        Raises:
            UnknownMetric: there is no such gauge with these labels.
        """
        metric = _look_up(name, given)
        if metric.type is not MetricType.GAUGE:
            raise UnknownMetric(f"{name} is a {metric.type}; it cannot be set")
        if not metric.is_per_site:
            made = self._made.get(name) or self._gauge(metric)
            assert isinstance(made, Gauge)  # noqa: S101  # its type in the table was just looked at
            (made.labels(**given) if metric.labels else made).set(value)
            return
        ordered = {label: given[label] for label in metric.labels}
        line = f"{metric.full_name}{{{rendered(**ordered)}}} {number(value)}\n"
        self._lines.setdefault(name, {})[tuple(ordered.values())] = line

    def _gauge(self, metric: OwnMetric) -> Made:
        """Made when it is first set: 0 would be a figure, and nobody has measured it yet."""
        return self._made.setdefault(metric.name, _make(metric, self.registry))

    def forget_site(self, site_key: str) -> None:
        """Drops the lines of a site that is no longer watched."""
        for name, lines in self._lines.items():
            if "site" not in OWN_METRICS[name].labels:
                continue
            place = OWN_METRICS[name].labels.index("site")
            for key in [key for key in lines if key[place] == site_key]:
                del lines[key]

    def line_blocks(self) -> list[Block]:
        """Returns the families that are kept as lines; copies."""
        return [
            (header(metric.full_name, metric.help, metric.type), list(self._lines[metric.name].values()))
            for metric in OWN_METRICS.values()
            if self._lines.get(metric.name)
        ]


def _look_up(name: str, given: Mapping[str, str]) -> OwnMetric:
    metric = OWN_METRICS.get(name)
    if metric is None:
        raise UnknownMetric(f"there is no metric {name}; add it to sentry/metrics/own.py")
    if set(metric.labels) != set(given):
        raise UnknownMetric(f"{name} has the labels {metric.labels}, not {tuple(given)}")
    return metric


def _make(metric: OwnMetric, registry: CollectorRegistry) -> Made:
    name, text, names = metric.full_name, metric.help, metric.labels
    if metric.type is MetricType.GAUGE:
        return Gauge(name, text, names, registry=registry)
    made: Counter | Histogram
    if metric.type is MetricType.HISTOGRAM:
        made = Histogram(name, text, names, registry=registry, buckets=metric.buckets)
    else:
        made = Counter(name, text, names, registry=registry)
    for value in metric.preset:
        made.labels(value)
    return made
