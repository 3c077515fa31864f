"""What a probe notes while it runs, so that a failure at any point leaves all that was seen before it."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Protocol

from probes.environment import ProbeFailure
from probes.plain_text import one_line
from sentry.domain.result import Evidence, HttpEvidence, Phase, Reason, TlsEvidence
from sentry.ports import Clock

LOG_LINES = 250
LOG_CHARS = 1000
"""Bounds of what strangers can make a log grow to."""

Note = tuple[str, tuple[object, ...], float | None, float]
"""Template, values, the beginning of the phase under way and the instant, monotonic seconds."""


class HttpSeen(Protocol):
    """What an HTTP exchange has seen, turned into evidence once its end is known."""

    def evidence(self) -> HttpEvidence | None:
        """Returns all of it, for a failure."""
        ...

    def evidence_of_good(self) -> HttpEvidence | None:
        """Returns what is kept of a probe that went well."""
        ...


@dataclass(slots=True)
class Trace:
    """The notes of one probe.

    Attributes:
        clock: times the phases.
        phase: the phase under way; a deadline that passes is blamed on it.
        http: what an HTTP exchange has seen so far.
        dead_address: what an address of the name did that was passed over for another one.
        progress: how far the phase under way has come, for the detail of a deadline that passes.
        received_bytes: all that came over TCP so far, also in an attempt that was none.
        failure: a verdict already reached while evidence for it is still being read; the deadline cannot change it.
    """

    clock: Clock
    phase: Phase | None = None
    phases: dict[Phase, float] = field(default_factory=dict)
    address: str | None = None
    addresses: tuple[str, ...] = ()
    tls: TlsEvidence | None = None
    http: HttpSeen | None = None
    values: dict[str, float] = field(default_factory=dict)
    degraded: tuple[Reason, str] | None = None
    dead_address: ProbeFailure | None = None
    progress: Callable[[], str] | None = None
    failure: ProbeFailure | None = None
    received_bytes: int = 0
    _since: float | None = None
    _log: list[Note] = field(default_factory=list)

    def begin_anew(self) -> None:
        """Forgets all that was noted but what it has cost the site; an attempt that was none has left it."""
        fresh = Trace(self.clock, received_bytes=self.received_bytes)
        for one in fields(self):
            setattr(self, one.name, getattr(fresh, one.name))

    def note(self, template: str, *values: object) -> None:
        """Adds a line to the log of `probe --explain` and of the failure report.

        It is put into words only when somebody reads it: of ten thousand good probes nobody reads a line.

        Args:
            template: the line itself; with values, a format string, which must then be ours and no stranger's text.
                `{took:.1f}` in it is how long the phase under way has lasted, milliseconds.
            values: what goes into the template; several texts in a tuple are listed.
        """
        if len(self._log) < LOG_LINES:
            self._log.append((template, values, self._since, self.clock.monotonic()))

    def enter(self, phase: Phase) -> None:
        """Ends the phase under way and begins another at the same instant; hops of a redirect sum up."""
        now = self.clock.monotonic()
        before, since = self.phase, self._since
        if since is not None and before is not None:
            self.phases[before] = self.phases.get(before, 0.0) + now - since
        self.phase, self._since, self.progress = phase, now, None

    def begin_phase_anew(self) -> float:
        """Forgets how long the phase under way has taken, and returns it, seconds."""
        took_s, self._since = self.lap_s, self.clock.monotonic()
        return took_s

    def leave(self) -> None:
        """Ends the phase under way, if there is one; what follows is not timed."""
        phase, since = self.phase, self._since
        if since is not None and phase is not None:
            self.spent(phase, self.clock.monotonic() - since)
        self._since = None

    @property
    def lap_s(self) -> float:
        """How long the phase under way has lasted, seconds; 0 where none is."""
        return 0.0 if self._since is None else self.clock.monotonic() - self._since

    def spent(self, phase: Phase, seconds: float) -> None:
        """Adds time to a phase that was measured elsewhere."""
        self.phases[phase] = self.phases.get(phase, 0.0) + seconds

    def log(self) -> tuple[str, ...]:
        """Returns what was noted, one line a step."""
        return tuple(one_line(line, LOG_CHARS) for line in map(_worded, self._log))

    def evidence(self) -> Evidence:
        """Returns everything that was noted, at the end."""
        return Evidence(
            address=self.address,
            addresses=self.addresses,
            tls=self.tls,
            http=self._seen(whole=True),
            values=self.values,
            log=self.log(),
        )

    def evidence_of_good(self) -> Evidence:
        """Returns what is kept of a probe that went well: no log."""
        return Evidence(self.address, self.addresses, self.tls, self._seen(whole=False), self.values)

    def _seen(self, *, whole: bool) -> HttpEvidence | None:
        seen, self.http = self.http, None  # which refers to us: a cycle would keep the body until it is collected
        if seen is None:
            return None
        return seen.evidence() if whole else seen.evidence_of_good()


def _worded(note: Note) -> str:
    template, values, since, now = note
    if not values:
        return template
    listed = (", ".join(map(str, value)) if isinstance(value, tuple) else value for value in values)
    return template.format(*listed, took=0.0 if since is None else (now - since) * 1000)
