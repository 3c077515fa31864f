"""What follows from what the watch saw: incidents, tickets, mirrors and alerts, behind one dispatcher."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import alerting
from alerting.environment import ChannelEnvironment
from sentry.app.books import Books
from sentry.dispatch import Dispatcher
from sentry.domain.concern import cleared
from sentry.domain.errors import StoreUnavailable
from sentry.domain.events import Event
from sentry.domain.incident import Incident, IncidentState
from sentry.metrics.telemetry import Metrics
from sentry.ports import EvidenceCollector, TicketMirror
from sentry.services.alerts import Alerts
from sentry.services.concerns import Concerns
from sentry.services.dependencies import Dependencies
from sentry.services.grouping import Groups
from sentry.services.incidents import FindView, Incidents
from sentry.services.maintenance_watch import MaintenanceWatch
from sentry.services.sightings import Sightings
from sentry.services.switchboard import Line
from sentry.services.tickets import IncidentTickets, TicketMirrors
from sentry.services.watch import CheckView
from sentry.settings import Settings
from sentry.tickets.webhook import WebhookMirror

MAINTENANCE_EVERY_S = 5.0
"""What was announced, also by a command, is in force within this time, and who waits for its end is told as soon."""

UNRESOLVED = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class Outlets:
    """The ways out that a configuration names, built before anything is put in force."""

    lines: Mapping[str, Line]
    mirrors: Mapping[str, TicketMirror]


class Reactions:
    """Builds the services that react to events, and joins them.

    Attributes:
        maintenance: holds back what fails in announced work, until it is over.
        dispatcher: gives each event to each of them.
    """

    def __init__(
        self,
        books: Books,
        metrics: Metrics,
        channels: ChannelEnvironment,
        collector: EvidenceCollector,
        view: FindView,
        views: Callable[[], Sequence[CheckView]],
        asked: Callable[[str, int], None],
    ) -> None:
        self._books = books
        self._channels = channels
        store, clock = books.store, books.clock
        outlets = self.outlets(books.settings)
        changing = asyncio.Lock()
        self.groups = Groups(
            sightings=Sightings(views, clock),
            dependencies=Dependencies(views, store.incidents),
            view=view,
            incidents=store.incidents,
            changing=changing,
            clock=clock,
            telemetry=metrics,
            policy=lambda: books.settings.incidents,
            quiet=self._is_quiet,
        )
        self.incidents = Incidents(
            view=view,
            incidents=store.incidents,
            ledger=store.ledger,
            collector=collector,
            clock=clock,
            telemetry=metrics,
            policy=lambda: books.settings.incidents,
            place=self.groups.place,
            changing=changing,
            asked=asked,
        )
        self.maintenance = MaintenanceWatch(
            sites=lambda: list(books.roster.sites.values()),
            site=books.roster.site,
            incidents=store.incidents,
            change=self.incidents.change,
            tell=self.groups.offer,
            marks=store.marks,
            clock=clock,
            telemetry=metrics,
        )
        self._concerns = Concerns(store.incidents, self.incidents.changing, metrics)
        self._mirrors = TicketMirrors(tickets=store.tickets, mirrors=outlets.mirrors, marks=store.marks)
        self.alerts = self._alerts(outlets, metrics)
        handlers = {
            "incidents": self._handle_incidents,
            "tickets": self._tickets().handle,
            "mirrors": self._mirrors.handle,
            "alerts": self.alerts.handle,
        }
        self.dispatcher = Dispatcher(store.events, handlers, clock, metrics)

    def _is_quiet(self, incident: Incident, at: datetime) -> bool:
        return self.maintenance.is_quiet(incident, at)

    async def _handle_incidents(self, event: Event) -> None:
        await self.incidents.handle(event)
        await self._concerns.handle(event)
        await self.groups.handle(event)

    def _tickets(self) -> IncidentTickets:
        books = self._books
        return IncidentTickets(
            incidents=books.store.incidents,
            tickets=books.store.tickets,
            change=self.incidents.change,
            renderer=books.messages,
            language=books.roster.client_language,
            clock=books.clock,
        )

    def _alerts(self, outlets: Outlets, metrics: Metrics) -> Alerts:
        books = self._books
        return Alerts(
            incidents=books.store.incidents,
            outbox=books.store.deliveries,
            lines=outlets.lines,
            routes=books.settings.routes,
            audience=books.roster.audience,
            renderer=books.messages,
            clock=books.clock,
            telemetry=metrics,
            quiet=self.maintenance.is_quiet,
            language=books.settings.agency.language,
        )

    def outlets(self, settings: Settings) -> Outlets:
        """Builds channels and mirrors; connects to nothing."""
        return Outlets(
            lines={
                key: Line(alerting.KINDS[options.kind](key, options, self._channels), options)
                for key, options in settings.channels.items()
            },
            mirrors={
                str(mirror.url): WebhookMirror(
                    str(mirror.url),
                    mirror.secret.get_secret_value(),
                    wire=self._channels.wire,
                    clock=self._books.clock,
                    timeout_s=mirror.timeout_s,
                )
                for mirror in settings.tickets.mirrors
            },
        )

    async def watch_maintenance(self) -> None:
        """Keeps announced work in force and told of, until it is cancelled."""
        while True:
            with suppress(StoreUnavailable):  # what is known of windows stays in force meanwhile
                await self._books.maintenance.look()
                await self.maintenance.look()
            await self._books.clock.sleep(MAINTENANCE_EVERY_S)

    async def replace(self, outlets: Outlets) -> None:
        """Puts other channels, routes and mirrors in force, and lets go of checks that are no longer watched."""
        self._mirrors.replace(outlets.mirrors)
        await self.alerts.replace(outlets.lines, self._books.settings.routes)
        await self.release_removed()

    async def release_removed(self) -> None:
        """Sites and checks that left the configuration, now or while the agent was stopped, hold nothing open."""
        roster, now = self._books.roster, self._books.clock.now()
        for state in UNRESOLVED:
            for incident in await self._books.store.incidents.list(state=state, limit=10_000):
                await self.incidents.checks_removed(incident.checks_down - roster.checks.keys())
                if incident.concern is not None and incident.site_key and incident.site_key not in roster.sites:
                    await self._concerns.handle(cleared(incident.key, now, now))
