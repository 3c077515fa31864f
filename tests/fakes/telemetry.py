"""A telemetry that remembers what it was told."""

from collections import Counter

from sentry.domain.health import Health
from sentry.domain.result import ProbeResult
from sentry.domain.site import Check
from sentry.ports import SampleKind


class RecordingTelemetry:
    """Fills the `Telemetry` port. `counters` sums over labels; `labelled` keeps each set of labels apart."""

    def __init__(self) -> None:
        self.finished: list[tuple[Check, ProbeResult, SampleKind, float]] = []
        self.forgotten: list[str] = []
        self.missed: list[str] = []
        self.verdicts: dict[str, Health] = {}
        self.counters: Counter[str] = Counter()
        self.labelled: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
        self.gauges: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}

    def probe_finished(self, check: Check, result: ProbeResult, kind: SampleKind, delay_s: float) -> None:
        self.finished.append((check, result, kind, delay_s))

    def forget_check(self, check_key: str) -> None:
        self.forgotten.append(check_key)

    def slot_missed(self, check_key: str) -> None:
        self.missed.append(check_key)

    def verdict(self, check_key: str, health: Health) -> None:
        self.verdicts[check_key] = health

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        self.counters[name] += amount  # type: ignore[assignment]  # Counter sums floats as well
        key = (name, frozenset(labels.items()))
        self.labelled[key] = self.labelled.get(key, 0) + amount

    def gauge(self, name: str, value: float, **labels: str) -> None:
        self.gauges[(name, frozenset(labels.items()))] = value

    def counted(self, name: str, **labels: str) -> float:
        """What a counter holds under exactly these labels."""
        return self.labelled.get((name, frozenset(labels.items())), 0)
