"""What the agent says of itself."""

from typing import Protocol

from sentry.domain.health import Health
from sentry.domain.result import ProbeResult
from sentry.domain.site import Check
from sentry.ports.watching import SampleKind


class Telemetry(Protocol):
    """What the agent says of itself, to whoever scrapes it."""

    def probe_finished(self, check: Check, result: ProbeResult, kind: SampleKind, delay_s: float) -> None:
        """A probe ended; `delay_s` is how late it had started."""
        ...

    def forget_check(self, check_key: str) -> None:
        """A check was removed; its series vanish."""
        ...

    def slot_missed(self, check_key: str) -> None:
        """A slot went by without a probe."""
        ...

    def verdict(self, check_key: str, health: Health) -> None:
        """What is now believed of a check."""
        ...

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Adds to one of the agent's own counters, by its name in `sentry.metrics`."""
        ...

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Sets one of the agent's own gauges, by its name in `sentry.metrics`."""
        ...
