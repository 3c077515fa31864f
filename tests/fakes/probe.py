"""A probe that ends when the test says so."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sentry.domain.result import ProbeResult
from tests.fakes.checks import make_result


class ManualProbe:
    """Fills the `Probe` port; with `answer` set it answers at once, else when `finish` is called."""

    def __init__(self, answer: ProbeResult | None = None) -> None:
        self.answer = answer
        self.started: list[datetime] = []
        self.cancelled = 0
        self._done: Callable[[ProbeResult], None] | None = None

    def start(self, scheduled_at: datetime, done: Callable[[ProbeResult], None]) -> "ManualProbe":
        self.started.append(scheduled_at)
        self._done = done
        if self.answer is not None:
            done(replace(self.answer, scheduled_at=scheduled_at, started_at=scheduled_at))
        return self

    def cancel(self) -> None:
        self.cancelled += 1
        self._done = None

    def finish(self, result: ProbeResult | None = None) -> None:
        """Ends the probe under way."""
        assert self._done is not None
        self._done(result or make_result(at=self.started[-1]))
