"""What the web server is given by `app`: small ports to read from, and what it may ask the agent to do."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from aiohttp import web

from sentry.domain.announcement import AnnouncedWindow
from sentry.domain.audit_record import AuditRecord, KeptAudit
from sentry.domain.audited_site import AuditStanding
from sentry.domain.concern import ConcernTold
from sentry.domain.failure_report import Attribution
from sentry.domain.incident import Incident, IncidentState
from sentry.domain.maintenance_window import MaintenanceWindow
from sentry.domain.month import Month
from sentry.domain.registration import Registration
from sentry.domain.request_budget import Spent
from sentry.domain.responsibility import AttributionEntry
from sentry.domain.site import Language
from sentry.domain.ticket import Ticket, TicketState
from sentry.domain.watched_site import WatchedSite
from sentry.ports import Clock, Heartbeat, LedgerReader, Telemetry
from sentry.services.reckoning import SiteMonth
from sentry.services.watch import CheckView


class MetricsPage(Protocol):
    """The exposition page and its parts."""

    def stream(self, *, gzipped: bool = False) -> AsyncIterator[bytes]:
        """Yields the whole page in the text format 0.0.4, piece by piece."""
        ...

    def probe_page(self, check_key: str) -> bytes | None:
        """Returns the last values of one check in blackbox_exporter's form; None where it is not watched."""
        ...

    def instance_of(self, check_key: str) -> str | None:
        """Returns the `instance` label of a check, None where it is not watched."""
        ...


class WatchReader(Protocol):
    """What is believed of every check now, from memory."""

    def views(self) -> Sequence[CheckView]:
        """Returns every check with its health and last result."""
        ...


class MonthReader(Protocol):
    """Months of sites."""

    async def of_month(self, site: WatchedSite, month: Month | None = None) -> SiteMonth:
        """Returns ledger and budget of a site's month; of the running one when absent."""
        ...


class IncidentReader(Protocol):
    """The part of `IncidentStore` that pages need."""

    async def get(self, incident_id: int) -> Incident | None:
        """Returns an incident with its whole timeline."""
        ...

    async def list(
        self,
        *,
        site_key: str | None = None,
        state: IncidentState | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> Sequence[Incident]:
        """Returns incidents, newest first, without their timelines."""
        ...


class AttributionDesk(Protocol):
    """Whose side incidents were on."""

    async def history(self, incident: Incident) -> Sequence[AttributionEntry]:
        """Returns every word said of an incident, oldest first."""
        ...

    async def attribute(self, incident_id: int, side: Attribution, *, by: str, reason: str) -> AttributionEntry:
        """Adds a person's word.

        Raises:
            ValueError: the name or the reason is empty or too long.
            NotFound: there is no such incident.
            TransitionRefused: it is no outage.
        """
        ...


class MaintenanceTaker(Protocol):
    """Announced maintenance, and what people say of it."""

    @property
    def windows(self) -> Mapping[str, AnnouncedWindow]:
        """Every window by its key, in the order in which they were announced."""
        ...

    async def announce(self, plan: MaintenanceWindow, by: str) -> AnnouncedWindow:
        """Announces a window.

        Raises:
            NotFound: it is about no site that there is.
            TransitionRefused: it is over.
        """
        ...

    async def end(
        self, key: str, by: str, *, ends_at: str | None = None, duration_min: int | None = None
    ) -> AnnouncedWindow:
        """Lets a window end at another time.

        Raises:
            ValueError: it cannot end so.
            NotFound: there is no such window.
            TransitionRefused: it is over, cancelled, or of the configuration; or it would be over.
        """
        ...

    async def cancel(self, key: str, by: str) -> AnnouncedWindow:
        """Cancels what is still to come of a window.

        Raises:
            NotFound: there is no such window.
            TransitionRefused: it is over, cancelled, or of the configuration.
        """
        ...

    def calendar(self, sites: Collection[str] | None = None) -> str:
        """Returns the windows as iCalendar; only those of some sites where these are given."""
        ...


class TicketReader(Protocol):
    """The part of `TicketStore` that pages need."""

    async def get(self, number: int) -> Ticket | None:
        """Returns a ticket with its whole history."""
        ...

    async def list(self, *, state: TicketState | None = None, limit: int = 100) -> Sequence[Ticket]:
        """Returns tickets, newest first, without their histories."""
        ...


class IncidentWording(Protocol):
    """The part of `MessageRenderer` that pages need."""

    def cause(self, incident: Incident, language: Language) -> str:
        """Returns one line that anyone understands: what failed and why."""
        ...

    def report_text(self, incident: Incident, language: Language) -> str:
        """Returns the whole failure report, or all that is known of a concern, as readable text."""
        ...

    def concern(self, incident: Incident, language: Language) -> ConcernTold | None:
        """Returns a concern in its parts, None for an outage."""
        ...


class HeartbeatTaker(Protocol):
    """The part of `HeartbeatBook` that takes calls."""

    async def record(self, check_key: str, heartbeat: Heartbeat) -> None:
        """Keeps a call, over restarts."""
        ...


class AuditReader(Protocol):
    """The part of `AuditBook` that pages need."""

    async def list(
        self, *, site_key: str | None = None, before: int | None = None, limit: int = 50
    ) -> Sequence[AuditRecord]:
        """Returns audits, newest first."""
        ...

    async def load(self, number: int) -> KeptAudit:
        """Returns an audit whole.

        Raises:
            NotFound: there is none of this number.
        """
        ...


class AuditSchedule(Protocol):
    """How the audits of sites stand."""

    def standing(self, site_key: str) -> AuditStanding | None:
        """Returns how those of a site stand, None where it is not audited."""
        ...

    def newest(self, site_key: str) -> AuditRecord | None:
        """Returns the last one of a site, None where there is none."""
        ...

    def next_at(self, site_key: str) -> datetime | None:
        """Returns when the next one of a site begins, None where that is not known."""
        ...


@dataclass(frozen=True, slots=True)
class AgentHealth:
    """How the agent itself is.

    Attributes:
        last_tick_age_s: seconds since the wheel last turned, None before its first turn.
        stalled: the watch does not run as it should; `/healthz` then answers 503.
        network_ok: None where nothing watches the agent's own network.
    """

    version: str
    last_tick_age_s: float | None
    stalled: bool
    store_ok: bool
    config_ok: bool
    network_ok: bool | None = None


class AgentReader(Protocol):
    """Tells how the agent is."""

    def health(self) -> AgentHealth:
        """Returns its state now; never waits."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything the handlers read from or act upon.

    Attributes:
        sites: the sites as configured now, in the order of the configuration.
        heartbeat_token: the token of a check that takes heartbeats; "" where any caller may call; None where the
            check takes none.
        registration: what is known of the domain of a site, None where nobody was asked.
        reload: reads the configuration again.
        spent: what a site was asked in its local day.
    """

    clock: Clock
    telemetry: Telemetry
    metrics: MetricsPage
    watch: WatchReader
    sites: Callable[[], Sequence[WatchedSite]]
    months: MonthReader
    ledger: LedgerReader
    incidents: IncidentReader
    attributions: AttributionDesk
    tickets: TicketReader
    maintenance: MaintenanceTaker
    wording: IncidentWording
    agent: AgentReader
    heartbeats: HeartbeatTaker
    heartbeat_token: Callable[[str], str | None]
    registration: Callable[[str], Registration | None]
    audits: AuditReader
    audit_rounds: AuditSchedule
    reload: Callable[[], Awaitable[None]]
    spent: Callable[[WatchedSite], Spent]


@dataclass(frozen=True, slots=True)
class WebOptions:
    """How the pages are served.

    Attributes:
        token: what callers must show; None leaves everything open, on loopback only.
        hosts: names under which a reverse proxy on this machine serves the pages, for the check of the Host header.
        secure_cookie: the pages are reached over HTTPS; the cookie is then never sent in the clear.
    """

    agency: str = "Online Sentry"
    language: Language = Language.EN
    zone: ZoneInfo = ZoneInfo("UTC")  # noqa: RUF009  # immutable
    token: str | None = None
    hosts: tuple[str, ...] = ()
    secure_cookie: bool = False


SOURCES: web.AppKey[Sources] = web.AppKey("sources", Sources)
OPTIONS: web.AppKey[WebOptions] = web.AppKey("options", WebOptions)
