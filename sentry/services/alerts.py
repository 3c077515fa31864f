"""Alerts: whoever the routes name hears of each opening of an incident once, and of its end once.

If a channel was out of service for the whole incident, its recipients still get both messages once it is back: the
opening, marked "sent late", and right after it the end, in the same thread. Two messages and not a combined one,
because machines behind a channel pair an opening with an end, and because the woken person reads the newest message
first, which says that it is over.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sentry.domain.delivery import told
from sentry.domain.errors import StoreError
from sentry.domain.events import Event, EventKind
from sentry.domain.incident import Incident, IncidentState
from sentry.domain.notice import Delivery, NoticeKind, Route
from sentry.domain.site import Language
from sentry.ports import Clock, DeliveryOutbox, IncidentStore, MessageRenderer, Telemetry
from sentry.services.courier import Courier
from sentry.services.handover import ATTEMPT_TIMEOUT_S, LATE_AFTER_S, Handover
from sentry.services.standing import StandingAlerts
from sentry.services.switchboard import Audience, Line, Switchboard

NOTICES = {
    EventKind.INCIDENT_OPENED: NoticeKind.OPENED,
    EventKind.INCIDENT_REOPENED: NoticeKind.REOPENED,
    EventKind.INCIDENT_UPDATED: None,
    EventKind.INCIDENT_RESOLVED: NoticeKind.RESOLVED,
}
"""The events that somebody is told of. An update may have raised the severity: further routes then match."""

SWEEP_EVERY_S = 30.0
"""How often pending deliveries are checked against the channels in force and the wall clock."""

log = logging.getLogger(__name__)


class Alerts:
    """Turns events of incidents into deliveries, and sees to it that they arrive.

    Args:
        lines: channels by key, each with its options.
        routes: which incidents go to which channels.
        audience: looks a site up by its key; None where it is not configured any more.
        quiet: whether nobody is to be woken by an incident at an instant, as in announced maintenance.
        language: for incidents of sites that are gone.
        jitter: random numbers in [0, 1) for the back-off.
        attempt_timeout_s: deadline of one attempt; late_after_s: delay from which a message says that it is late.
    """

    def __init__(
        self,
        *,
        incidents: IncidentStore,
        outbox: DeliveryOutbox,
        lines: Mapping[str, Line],
        routes: Sequence[Route],
        audience: Callable[[str], Audience | None],
        renderer: MessageRenderer,
        clock: Clock,
        telemetry: Telemetry,
        quiet: Callable[[Incident, datetime], bool] = lambda _incident, _at: False,
        language: Language = Language.EN,
        jitter: Callable[[], float] = random.random,
        attempt_timeout_s: float = ATTEMPT_TIMEOUT_S,
        late_after_s: float = LATE_AFTER_S,
    ) -> None:
        self._incidents = incidents
        self._outbox = outbox
        self._clock = clock
        self._telemetry = telemetry
        self._quiet = quiet
        self._switchboard = Switchboard(lines, routes, audience, language=language)
        handover = Handover(
            self._switchboard, renderer, attempt_timeout_s=attempt_timeout_s, late_after_s=late_after_s
        )
        self._courier = Courier(
            incidents=incidents,
            outbox=outbox,
            switchboard=self._switchboard,
            handover=handover,
            clock=clock,
            telemetry=telemetry,
            jitter=jitter,
        )
        self._standing = StandingAlerts(
            incidents=incidents,
            outbox=outbox,
            switchboard=self._switchboard,
            handover=handover,
            clock=clock,
            telemetry=telemetry,
        )

    async def handle(self, event: Event) -> None:
        """Queues what an event of an incident owes to its recipients; repeating it changes nothing.

        Args:
            event: `subject` is the incident's id; `data["opening"]` says which opening it means, else the current.

        Raises:
            StoreError: nothing was queued, the event may be handled again.
        """
        if event.kind not in NOTICES:
            return
        incident = await self._incidents.get(int(event.subject))
        if incident is None:
            log.error("event %s names incident %s, which the store does not have", event.kind, event.subject)
            return
        await self._outbox.enqueue(await self._owed(incident, event))
        self._courier.wake()

    async def deliver_due(self) -> int:
        """Attempts everything that is due now; returns how many attempts were made."""
        return await self._courier.deliver_due()

    async def repeat_standing(self) -> int:
        """Says open incidents again where a channel needs it; returns how often it did."""
        return await self._standing.repeat_due()

    def wake(self) -> None:
        """Says that there may be something to deliver."""
        self._courier.wake()

    async def run(self) -> None:
        """Delivers until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._courier.run(), name="alerts:courier")
            group.create_task(self._standing.run(), name="alerts:standing")
            group.create_task(self._sweep_forever(), name="alerts:sweep")

    async def replace(self, lines: Mapping[str, Line], routes: Sequence[Route]) -> None:
        """Puts other channels and routes in force; what waits on a channel that is gone goes to its fall-back."""
        self._switchboard.replace(lines, routes)
        await self._courier.sweep(retry_now=True)

    async def _owed(self, incident: Incident, event: Event) -> list[Delivery]:
        kind = NOTICES[event.kind]
        now = self._clock.now()
        due_at = min(event.at, now)
        opening = int(event.data.get("opening", incident.opening))
        if kind is NoticeKind.RESOLVED:
            informed = told(await self._outbox.of_incident(incident.id), opening)
            return [self._end(one, incident, opening, due_at, now) for one in informed]
        if incident.is_silent or incident.is_withdrawn or self._quiet(incident, event.at):
            return []
        if event.data.get("released"):
            kind = _opening_kind(opening)
        if kind is None:
            ended = await self._ended_for(incident, due_at, now)
            return [*ended, *self._owed_to_further_recipients(incident, due_at, now)]
        owed = self._switchboard.deliveries(incident, opening=opening, kind=kind, due_at=due_at, now=now)
        if not owed:
            self._telemetry.count("alerts_unrouted_total")
            log.warning("incident %s (%s) matches no route: nobody is told", incident.id, incident.key)
        return owed

    def _end(self, informed: Delivery, incident: Incident, opening: int, due_at: datetime, now: datetime) -> Delivery:
        return self._switchboard.delivery(
            informed.channel,
            informed.recipient,
            incident.id,
            opening=opening,
            kind=NoticeKind.RESOLVED,
            due_at=due_at,
            now=now,
        )

    async def _ended_for(self, incident: Incident, due_at: datetime, now: datetime) -> list[Delivery]:
        """Returns the end of a group for those who see only a part of it, all of which is well again."""
        if not incident.is_group or incident.state is IncidentState.RESOLVED:
            return []
        return [
            self._end(one, incident, incident.opening, due_at, now)
            for one in told(await self._outbox.of_incident(incident.id), incident.opening)
            if self._switchboard.seen_from(one.channel, incident).recovered_at is not None
        ]

    def _owed_to_further_recipients(self, incident: Incident, due_at: datetime, now: datetime) -> list[Delivery]:
        """Returns the opening for everybody: who has it already keeps it, the key is the same."""
        if incident.state is IncidentState.RESOLVED:
            return []
        kind = _opening_kind(incident.opening)
        return self._switchboard.deliveries(incident, opening=incident.opening, kind=kind, due_at=due_at, now=now)

    async def _sweep_forever(self) -> None:
        while True:
            try:
                await self._courier.sweep()
            except StoreError as error:
                self._telemetry.count("store_errors_total", kind="outbox")
                log.warning("the outbox cannot be swept: %s", error)
            except Exception:
                log.exception("the sweep met a fault of ours and goes on")
            await self._clock.sleep(SWEEP_EVERY_S)


def _opening_kind(opening: int) -> NoticeKind:
    return NoticeKind.OPENED if opening == 1 else NoticeKind.REOPENED
