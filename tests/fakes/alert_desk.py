"""Alerts with everything around them in memory: opens and resolves incidents, moves time, shows what arrived."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sentry.domain.concern import ConcernKind
from sentry.domain.events import Event, EventKind
from sentry.domain.incident import Incident, IncidentState
from sentry.domain.notice import ChannelOptions, Route
from sentry.domain.severity import Severity
from sentry.domain.site import Language
from sentry.ports import Channel
from sentry.services.alerts import Alerts
from sentry.services.switchboard import Audience, Line
from tests.fakes.channel import MemoryChannel
from tests.fakes.clock import ManualClock
from tests.fakes.concerns import concern_incident
from tests.fakes.failure_reports import error_result, incident_of
from tests.fakes.incidents import MemoryIncidentStore
from tests.fakes.outbox import MemoryOutbox
from tests.fakes.renderer import PlainRenderer
from tests.fakes.telemetry import RecordingTelemetry

EVERYTHING = (Route(to=("mail",)),)


class AlertDesk:
    """The alert service and its surroundings; without arguments, one channel `mail` that gets every incident.

    Args:
        options: further keys of `ChannelOptions` by channel.

    Attributes:
        quiet: whether nobody is woken by an incident.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel] | None = None,
        routes: Sequence[Route] = EVERYTHING,
        *,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        attempt_timeout_s: float = 60.0,
        outbox: MemoryOutbox | None = None,
    ) -> None:
        self.clock = ManualClock()
        self.incidents = MemoryIncidentStore()
        self.outbox = outbox or MemoryOutbox()
        self.telemetry = RecordingTelemetry()
        self.renderer = PlainRenderer()
        self.mail = MemoryChannel("guardia@example.com")
        self.audiences = {"acme-shop": Audience("priority", Language.ES)}
        self.quiet: Callable[[Incident, datetime], bool] = lambda _incident, _at: False
        self.alerts = Alerts(
            incidents=self.incidents,
            outbox=self.outbox,
            lines=lines({"mail": self.mail} if channels is None else channels, options),
            routes=routes,
            audience=self.audiences.get,
            renderer=self.renderer,
            clock=self.clock,
            telemetry=self.telemetry,
            quiet=self._is_quiet,
            jitter=lambda: 1.0,
            attempt_timeout_s=attempt_timeout_s,
        )

    def _is_quiet(self, incident: Incident, at: datetime) -> bool:
        return self.quiet(incident, at)

    async def open(self, **changes: object) -> Incident:
        """Opens an incident that began 31 s ago and lets the service handle its event."""
        now = self.clock.now()
        new = incident_of(
            error_result(), **{"started_at": now - timedelta(seconds=31), "detected_at": now, **changes}
        )
        incident = await self.incidents.open(new, [])
        await self.tell(EventKind.INCIDENT_OPENED, incident)
        return incident

    async def open_concern(self, kind: ConcernKind, **changes: object) -> Incident:
        """Opens the incident of a concern and lets the service handle its event."""
        incident = await self.incidents.open(concern_incident(kind, detected_at=self.clock.now(), **changes), [])
        await self.tell(EventKind.INCIDENT_OPENED, incident)
        return incident

    async def resolve(self, incident: Incident) -> Incident:
        """Resolves it now and lets the service handle the event."""
        now = self.clock.now()
        over = await self.change(incident, state=IncidentState.RESOLVED, resolved_at=now, recovered_at=now)
        await self.tell(EventKind.INCIDENT_RESOLVED, over)
        return over

    async def reopen(self, incident: Incident) -> Incident:
        """Opens it again and lets the service handle the event."""
        again = await self.change(
            incident,
            state=IncidentState.OPEN,
            opening=incident.opening + 1,
            resolved_at=None,
            recovered_at=None,
        )
        await self.tell(EventKind.INCIDENT_REOPENED, again)
        return again

    async def raise_severity(self, incident: Incident, severity: Severity) -> Incident:
        """Makes it worse and lets the service handle the event."""
        worse = await self.change(incident, severity=severity)
        await self.tell(EventKind.INCIDENT_UPDATED, worse)
        return worse

    async def change(self, incident: Incident, **changes: object) -> Incident:
        """Writes fields of an incident."""
        changed: Incident = replace(incident, **changes)  # type: ignore[arg-type]  # any field of the incident
        await self.incidents.save(changed, [], [])
        return changed

    async def tell(self, kind: EventKind, incident: Incident, at: datetime | None = None) -> None:
        """Lets the service handle an event of the incident's present opening."""
        data = {} if kind is EventKind.INCIDENT_OPENED else {"opening": incident.opening}
        await self.alerts.handle(Event(kind, at or self.clock.now(), str(incident.id), data))

    async def pass_time(self, seconds: float, step_s: float = 1.0) -> None:
        """Moves time on and delivers what becomes due on the way."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            await self.clock.advance(min(step_s, end - self.clock.monotonic()))
            await self.alerts.deliver_due()


def lines(channels: Mapping[str, Channel], options: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Line]:
    """Returns the lines of channels, with what options say beyond the defaults."""
    more = options or {}
    return {
        key: Line(channel, ChannelOptions(kind="memory", **more.get(key, {}))) for key, channel in channels.items()
    }
