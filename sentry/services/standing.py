"""Standing alerts: openings said again and again to channels that forget what is not repeated."""

import asyncio
import logging

from sentry.domain.delivery import told
from sentry.domain.errors import StoreError
from sentry.domain.incident import Incident, IncidentState
from sentry.domain.notice import Delivery, DeliveryState
from sentry.ports import Clock, DeliveryOutbox, IncidentStore, StandingChannel, Telemetry
from sentry.services.handover import Handover
from sentry.services.switchboard import Line, Switchboard

TICK_S = 5.0
"""How often it is looked whether a channel's interval has gone by."""

INCIDENT_LIMIT = 10_000
"""Unresolved incidents looked at in one round."""

log = logging.getLogger(__name__)


class StandingAlerts:
    """Repeats the opening of each unresolved incident to standing channels that have accepted it before.

    A repetition is no delivery: it is not kept in the outbox, and one that fails is made good by the next.
    """

    def __init__(
        self,
        *,
        incidents: IncidentStore,
        outbox: DeliveryOutbox,
        switchboard: Switchboard,
        handover: Handover,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._incidents = incidents
        self._outbox = outbox
        self._switchboard = switchboard
        self._handover = handover
        self._clock = clock
        self._telemetry = telemetry
        self._repeated_at: dict[str, float] = {}

    async def run(self) -> None:
        """Repeats until it is cancelled."""
        while True:
            try:
                await self.repeat_due()
            except StoreError as error:
                self._telemetry.count("store_errors_total", kind="outbox")
                log.warning("standing alerts wait for the store: %s", error)
            except Exception:
                log.exception("standing alerts met a fault of ours and go on")
            await self._clock.sleep(TICK_S)

    async def repeat_due(self) -> int:
        """Repeats what is due; returns how many repetitions were accepted.

        The first round after a start repeats everything: the other side may have been restarted meanwhile.
        """
        due = [key for key, line in self._switchboard.lines.items() if self._is_due(key, line)]
        if not due:
            return 0
        unresolved = [
            incident.id
            for state in (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)
            for incident in await self._incidents.list(state=state, limit=INCIDENT_LIMIT)
        ]
        self._repeated_at |= dict.fromkeys(due, self._clock.monotonic())
        return sum(await asyncio.gather(*(self._repeat_to(channel, unresolved) for channel in due)))

    def _is_due(self, key: str, line: Line) -> bool:
        if not isinstance(line.channel, StandingChannel):
            return False
        last = self._repeated_at.get(key)
        return last is None or self._clock.monotonic() - last >= line.channel.resend_every_s

    async def _repeat_to(self, channel: str, incident_ids: list[int]) -> int:
        accepted = 0
        for incident_id in incident_ids:
            async with self._handover.turn(channel, incident_id):
                # Read within the turn: the end is not sent before the store says that it is over.
                incident = await self._incidents.get(incident_id)
                if incident is None or incident.state is IncidentState.RESOLVED:
                    continue
                for delivery in await self._accepted_openings(channel, incident):
                    accepted += await self._repeat(delivery, incident)
        return accepted

    async def _accepted_openings(self, channel: str, incident: Incident) -> list[Delivery]:
        """Returns the newest opening that each recipient of the channel has accepted."""
        informed = told(await self._outbox.of_incident(incident.id), incident.opening)
        return [one for one in informed if one.channel == channel and one.state is DeliveryState.SENT]

    async def _repeat(self, delivery: Delivery, incident: Incident) -> int:
        line = self._switchboard.lines.get(delivery.channel)
        if line is None:
            return 0
        # As of when it was due: that a standing alert is repeated hours later does not make it late.
        error = await self._handover.attempt(line, delivery, incident, delivery.created_at)
        if error is None:
            return 1
        self._telemetry.count("alert_failures_total", channel=delivery.channel, reason=error.reason.value)
        log.warning("incident %s could not be repeated to %s: %s", incident.id, delivery.channel, error)
        return 0
