"""Every port of the house: what the services need of the outside, as small Protocols that `app` fills."""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from sentry.domain.announcement import Revision
from sentry.domain.budget import Budget
from sentry.domain.day import CheckDay, DaySummary
from sentry.domain.events import Event
from sentry.domain.failure_report import CollectedEvidence, RecentChange
from sentry.domain.health import Health, Outage
from sentry.domain.incident import Incident, IncidentState, TimelineEntry
from sentry.domain.ledger import Run, Totals
from sentry.domain.month import Month
from sentry.domain.notice import Delivery, Message, NoticeKind
from sentry.domain.own_fault import OwnFault, Voice
from sentry.domain.registration import Registration
from sentry.domain.responsibility import AttributedSpan, AttributionEntry
from sentry.domain.result import ProbeResult
from sentry.domain.revocation import Revocation
from sentry.domain.site import Check, Language
from sentry.domain.ticket import Ticket, TicketEntry, TicketState, Visibility
from sentry.domain.watched_site import WatchedSite
from sentry.domain.zone import ZoneRecords


class Timer(Protocol):
    """A call that is still to come."""

    def cancel(self) -> object:
        """Takes it back. Does nothing once it was made."""
        ...


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Returns the wall-clock instant, aware UTC."""
        ...

    def monotonic(self) -> float:
        """Returns seconds that never jump, from an arbitrary start."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Calls once, in the event loop, after this many seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits this many seconds."""
        ...


# ── probing ──────────────────────────────────────────────────────────────────────────────────────────────────────


class ProbeHandle(Protocol):
    """A probe under way."""

    def cancel(self) -> object:
        """Stops it and frees its sockets; `done` is not called afterwards. Does nothing once it has ended."""
        ...


class Probe(Protocol):
    """One check, prepared (address parsed, patterns compiled) to be probed again and again."""

    def start(self, scheduled_at: datetime, done: Callable[[ProbeResult], None]) -> ProbeHandle:
        """Starts one probe on new connections; never blocks and never raises.

        Args:
            scheduled_at: the slot, aware UTC; goes into the result.
            done: called once, in the event loop, with the result; also for our own faults (Status.UNKNOWN).
        """
        ...


class EvidenceCollector(Protocol):
    """Looks around a failure: two resolvers, every address, every chain."""

    async def collect(self, url: str, deadline_s: float) -> CollectedEvidence:
        """Gathers within the deadline; what was not reached is named in `missing`. Never raises for a dead site."""
        ...


class Surroundings(Protocol):
    """Those whom the agent asks when it looks at itself: anchors, resolvers, the gateway."""

    async def ask(self, deadline_s: float) -> Sequence[Voice]:
        """Asks all of them anew, at once, and says who answered within the deadline; never raises for a dead one."""
        ...


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last call of a site's own job: when, and whether it said that it went well."""

    at: datetime
    ok: bool = True
    text: str = ""


class HeartbeatBook(Protocol):
    """The calls that came in, by check key."""

    def last(self, check_key: str) -> Heartbeat | None:
        """Returns the newest call, None where none ever came."""
        ...

    async def record(self, check_key: str, heartbeat: Heartbeat) -> None:
        """Keeps a call, over restarts."""
        ...


# ── the watch's store ────────────────────────────────────────────────────────────────────────────────────────────


class SampleKind(StrEnum):
    """Why a probe was made."""

    SLOT = "slot"
    RECHECK = "recheck"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class WatchRecord:
    """All that one result changes, written in one transaction.

    Attributes:
        health: None where it need not be written (nothing changed but the newest good result).
        minutes: added to the ledger; where one overlaps what stands, the worse state wins.
        outage: opened or closed by this result.
    """

    result: ProbeResult
    kind: SampleKind
    health: Health | None = None
    minutes: tuple[Run, ...] = ()
    outage: Outage | None = None
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class CorrectedCheck:
    """What is to stand of one check once failures of it were found to be the agent's own.

    Attributes:
        minutes: each stands afterwards as it is here; an `unknown` one is taken out of the ledger.
        withdrawn: a confirmed outage that was none; outage: one to be written instead.
    """

    health: Health
    minutes: tuple[Run, ...] = ()
    withdrawn: Outage | None = None
    outage: Outage | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """What is known better now, written in one transaction: a span of own fault, and what it voids."""

    fault: OwnFault | None = None
    checks: tuple[CorrectedCheck, ...] = ()
    events: tuple[Event, ...] = ()


class WatchStore(Protocol):
    """Where the watch keeps what it saw. Raises `StoreUnavailable` when locked, full or gone."""

    async def register(self, checks: Sequence[Check], now: datetime) -> None:
        """Makes the checks known (first seen now if new) and marks those not named as removed."""
        ...

    async def load_health(self) -> Mapping[str, Health]:
        """Returns the last written health by check key."""
        ...

    async def commit(self, records: Sequence[WatchRecord]) -> None:
        """Writes a batch in one transaction: all of it or nothing."""
        ...

    async def correct(self, correction: Correction) -> None:
        """Writes what is known better, over what was committed before; in one transaction, any time again."""
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """One probe as the store keeps it: small, for pages and figures."""

    check_key: str
    scheduled_at: datetime
    kind: SampleKind
    status: str
    reason: str | None
    duration_s: float
    phases: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SiteHistory:
    """What the store knows of the checks of a site, removed ones included.

    Attributes:
        runs: of each check, ordered, without overlap.
        first_seen: when each check was first registered.
        uncounted: the checks that do not decide the site's state.
        attributed: its outage incidents, each with the side that counts.
    """

    runs: Mapping[str, Sequence[Run]]
    first_seen: Mapping[str, datetime]
    uncounted: Collection[str]
    attributed: Sequence[AttributedSpan] = ()


class LedgerReader(Protocol):
    """Reads what the watch wrote."""

    async def histories(self, site_keys: Collection[str], start: int, end: int) -> Mapping[str, SiteHistory]:
        """Returns the history of several sites at once, as the methods below have it of one.

        Args:
            site_keys: each of them is in the answer; at most a few hundred.
            start: first minute.
            end: the minute after the last.
        """
        ...

    async def lapses(self, since: int) -> Mapping[str, Hashable]:
        """Returns a mark for each site with minutes down or in maintenance in a run that ends after a minute.

        Two marks of a site differ where those minutes differ, or where more was said since of whose side an incident
        was on: who keeps the mark knows whether anything changed.
        """
        ...

    async def runs(self, site_key: str, start: int, end: int) -> Mapping[str, Sequence[Run]]:
        """Returns the runs of each check of a site, clipped to minutes [start, end), ordered, without overlap."""
        ...

    async def first_seen(self, site_key: str) -> Mapping[str, datetime]:
        """Returns when each check of the site was first registered."""
        ...

    async def uncounted(self, site_key: str) -> Collection[str]:
        """Returns the checks of the site, removed ones included, that do not decide its state."""
        ...

    async def attributed(self, site_key: str, start: int, end: int) -> Sequence[AttributedSpan]:
        """Returns the outage incidents of a site that touch minutes [start, end), each with the side that counts."""
        ...

    async def outages(self, site_key: str, start: datetime, end: datetime) -> Sequence[Outage]:
        """Returns the confirmed outages of a site's checks that touch the span, oldest first."""
        ...

    async def samples(self, check_key: str, start: datetime, end: datetime, limit: int) -> Sequence[Sample]:
        """Returns the newest samples of the span, oldest first.

        What is older than 48 hours has one a minute: its worst, without phases, its time within 3 %.
        """
        ...

    async def totals(self, start: int, end: int, site_key: str | None = None) -> Mapping[str, Totals]:
        """Returns how many minutes of [start, end) each check was in each state, `unknown` where nobody saw it.

        Exact for any span, also of local months; a check of which the span knows nothing is not there.

        Args:
            start: first minute.
            end: the minute after the last.
            site_key: only of this site's checks; of every check ever watched where absent.
        """
        ...

    async def summaries(self, check_key: str, start_day: int, end_day: int) -> Sequence[DaySummary]:
        """Returns the figures of a check's sealed UTC days [start_day, end_day), oldest first.

        A day is sealed some hours after its end; days are numbered from 1970-01-01.
        """
        ...

    async def failures(self, check_key: str, limit: int) -> Sequence[ProbeResult]:
        """Returns the newest failed results with their whole evidence, newest first."""
        ...

    async def own_faults(self, start: datetime, end: datetime) -> Sequence[OwnFault]:
        """Returns the spans of own fault that touch [start, end), oldest first: they void failed samples."""
        ...

    async def raw_from(self) -> int:
        """Returns the minute from which on every probe is kept; of sealed days before it the worst of each minute."""
        ...

    async def starts(self, start: datetime, end: datetime) -> Sequence[datetime]:
        """Returns when the watch was started within [start, end), oldest first."""
        ...

    async def blips(self, check_keys: Collection[str], start: datetime, end: datetime) -> int:
        """Returns how many failures of these checks within [start, end) were gone when looked at again."""
        ...

    async def changes(self, site_key: str, since: datetime) -> Sequence[RecentChange]:
        """Returns what changed at a site since then (CHANGE_SEEN events), oldest first."""
        ...


# ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────


class EventQueue(Protocol):
    """The outbox between the watch and the services: one row per (event, handler)."""

    async def publish(self, events: Sequence[Event]) -> None:
        """Stores events that no other write carries."""
        ...

    async def next_for(self, handler: str, now: datetime) -> Event | None:
        """Returns the oldest event this handler still owes, None when there is none or it must still back off."""
        ...

    async def done(self, event: Event, handler: str) -> None:
        """Marks it handled."""
        ...

    async def failed(self, event: Event, handler: str, error: str, retry_at: datetime | None) -> None:
        """Keeps the error and when to try again; with `retry_at=None` the event is given up for this handler."""
        ...


# ── incidents and tickets ────────────────────────────────────────────────────────────────────────────────────────


class IncidentStore(Protocol):
    """Incidents; the store itself refuses a second unresolved one of the same key."""

    async def unresolved(self, key: str) -> Incident | None:
        """Returns the unresolved incident of the key."""
        ...

    async def latest(self, key: str) -> Incident | None:
        """Returns the newest incident of the key, resolved or not."""
        ...

    async def open(self, incident: Incident, events: Sequence[Event]) -> Incident:
        """Stores a new incident (its id is ignored) with its timeline and events, in one transaction.

        An event whose subject is empty gets the new id as its subject.

        Returns:
            The incident with its id.

        Raises:
            StoreConflict: an unresolved incident has this key already.
        """
        ...

    async def save(self, incident: Incident, added: Sequence[TimelineEntry], events: Sequence[Event]) -> None:
        """Writes the incident's fields, appends to its timeline and stores the events, in one transaction."""
        ...

    async def adopt(
        self, parent: Incident, members: Sequence[int], added: Sequence[TimelineEntry], event: Event
    ) -> Incident:
        """Makes incidents members of another one and tells of it, in one transaction.

        A member is held no more; its timeline names the parent, and an INCIDENT_UPDATED event says
        `{"parent": id}`, for a resolved one followed by INCIDENT_RESOLVED.

        Args:
            parent: written as `save` does, or as `open` does where its id is 0.
            members: numbers of incidents.
            added: to the parent's timeline; of a new parent, its timeline.
            event: of the parent; an empty subject is filled in.

        Returns:
            The parent with its id.

        Raises:
            StoreConflict: an unresolved incident has the key of a new parent already.
        """
        ...

    async def held(self) -> Sequence[Incident]:
        """Returns the incidents that are not told yet, resolved ones too, oldest first, without their timelines."""
        ...

    async def get(self, incident_id: int) -> Incident | None:
        """Returns an incident with its whole timeline and its members."""
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


class AttributionBook(Protocol):
    """What was said of whose side incidents were on. Nothing of it is changed or taken back.

    The agent's own guess is added by the incident store, with the report that it rests on.
    """

    async def history(self, incident_id: int) -> Sequence[AttributionEntry]:
        """Returns every word said of an incident, oldest first."""
        ...

    async def append(self, incident_id: int, entry: AttributionEntry, told: TimelineEntry) -> None:
        """Adds a word, and a line to the incident's timeline, in one transaction.

        Raises:
            NotFound: there is no such incident.
        """
        ...


@dataclass(frozen=True, slots=True)
class TicketNote:
    """What is written into a ticket's history; a state where the ticket moves on with it."""

    author: str
    text: str
    kind: str = "comment"
    visibility: Visibility = Visibility.INTERNAL
    state: TicketState | None = None


class TicketStore(Protocol):
    """Tickets. Every write is idempotent by key: the same call twice leaves one trace."""

    async def file(
        self, *, key: str, site_key: str, client_key: str, title: str, note: TicketNote, at: datetime
    ) -> Ticket:
        """Files a ticket, or returns the one that already has this key."""
        ...

    async def append(self, number: int, note: TicketNote, at: datetime, *, key: str | None = None) -> TicketEntry:
        """Adds to the history; with a key that the ticket already has, returns the entry it names.

        Raises:
            NotFound: there is no such ticket.
            TransitionRefused: the state machine does not allow the move.
        """
        ...

    async def get(self, number: int) -> Ticket | None:
        """Returns a ticket with its whole history."""
        ...

    async def find(self, key: str) -> Ticket | None:
        """Returns the ticket that was filed under a key."""
        ...

    async def list(self, *, state: TicketState | None = None, limit: int = 100) -> Sequence[Ticket]:
        """Returns tickets, newest first, without their histories."""
        ...

    async def verify(self) -> Sequence[str]:
        """Recomputes every hash chain and checks the numbers; returns what is wrong, one line each."""
        ...


class TicketMirror(Protocol):
    """A help desk elsewhere that gets a copy of each entry."""

    async def send(self, ticket: Ticket, entry: TicketEntry) -> None:
        """Sends one entry.

        Raises:
            DeliveryError: it was not accepted; `retryable` says whether to try again.
        """
        ...


# ── alerts ───────────────────────────────────────────────────────────────────────────────────────────────────────


class DeliveryOutbox(Protocol):
    """Messages that are owed, each to one recipient on one channel."""

    async def enqueue(self, deliveries: Sequence[Delivery]) -> None:
        """Stores deliveries; one whose key is already there is left alone."""
        ...

    async def due(self, now: datetime, limit: int, *, channel: str | None = None) -> Sequence[Delivery]:
        """Returns pending deliveries whose next attempt is due, oldest (`created_at`) first.

        Args:
            now: the instant up to which `next_attempt_at` counts as due.
            limit: at most this many.
            channel: only those of this channel, so that the queue of a stuck one never hides another's.
        """
        ...

    async def update(self, delivery: Delivery) -> None:
        """Writes the outcome of an attempt."""
        ...

    async def of_incident(self, incident_id: int) -> Sequence[Delivery]:
        """Returns every delivery of an incident, oldest first."""
        ...

    async def backlog(self) -> tuple[int, datetime | None]:
        """Returns how many are pending, and when the oldest was due."""
        ...


class Channel(Protocol):
    """A way to reach people or machines."""

    def recipients(self) -> Sequence[str]:
        """Returns the addresses of this channel, `("",)` where it has only one."""
        ...

    async def send(self, message: Message, recipient: str) -> None:
        """Hands one message over; returns once the other side has accepted it.

        Raises:
            DeliveryError: it was not accepted; `retryable` and `reason` say what to do about it.
        """
        ...


@runtime_checkable
class StandingChannel(Protocol):
    """A channel whose other side forgets an alert unless it is said again (Alertmanager): beside `Channel`."""

    @property
    def resend_every_s(self) -> float:
        """Seconds after which the opening of an unresolved incident is sent again."""
        ...


class MessageRenderer(Protocol):
    """Puts an incident into words."""

    def message(
        self, incident: Incident, kind: NoticeKind, *, key: str, language: Language, delayed_s: float
    ) -> Message:
        """Returns the opening, re-opening or resolving message of an incident."""
        ...

    def cause(self, incident: Incident, language: Language) -> str:
        """Returns one line that anyone understands: what failed and why."""
        ...

    def report_text(self, incident: Incident, language: Language) -> str:
        """Returns the whole failure report, or all that is known of a concern, as readable text."""
        ...

    def part_of(self, parent: Incident, language: Language) -> str:
        """Returns the line that says of another incident that it is part of this one."""
        ...


class BudgetWording(Protocol):
    """Puts a spent budget into words."""

    def budget_ticket(self, site: WatchedSite, month: Month, budget: Budget, threshold: int) -> tuple[str, str]:
        """Returns the title and the text of the ticket for a threshold (percent of the budget) that was reached."""
        ...

    def burn_note(self, site: WatchedSite, facts: Mapping[str, Any]) -> str:
        """Returns what an outage does to the budget, for its ticket; the facts are those of a burn-rate concern."""
        ...


# ── maintenance ──────────────────────────────────────────────────────────────────────────────────────────────────


class MaintenanceBook(Protocol):
    """Every revision of every maintenance window; revisions are added and never changed."""

    async def count(self) -> int:
        """Returns how many revisions there are: whoever has read as many knows them all."""
        ...

    async def revisions(self) -> Sequence[Revision]:
        """Returns all of them, in the order in which they were added."""
        ...

    async def add(self, revisions: Sequence[Revision]) -> None:
        """Adds some in one transaction.

        Raises:
            StoreConflict: a window has a revision of that number already; somebody else changed it meanwhile.
        """
        ...


# ── slow duties ──────────────────────────────────────────────────────────────────────────────────────────────────


class DueBook(Protocol):
    """When each slow duty is due again, over restarts."""

    async def get(self, kind: str, subject: str = "") -> datetime | None:
        """Returns when it is due, None where that was never set."""
        ...

    async def set(self, kind: str, subject: str, at: datetime) -> None:
        """Sets when it is due."""
        ...


class Marks(Protocol):
    """What was done once and is not to be done again, over restarts."""

    async def once(self, key: str) -> bool:
        """Remembers that it was done; returns False where it was done before."""
        ...

    async def is_made(self, key: str) -> bool:
        """Returns whether it was done."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at something slow to change has found: when, and JSON values by name."""

    at: datetime
    facts: Mapping[str, Any]


class FindingBook(Protocol):
    """The last finding of each kind about each subject, over restarts."""

    async def all(self, kind: str) -> Mapping[str, Finding]:
        """Returns the findings of a kind by their subjects."""
        ...

    async def keep(self, kind: str, subject: str, finding: Finding) -> None:
        """Keeps a finding in place of the one before."""
        ...

    async def keep_all(self, kind: str, findings: Mapping[str, Finding]) -> None:
        """Keeps many findings of a kind at once, by their subjects, in place of those before."""
        ...

    async def forget(self, kind: str, subject: str) -> None:
        """Forgets a finding; one that is not there is forgotten already."""
        ...


class ChainReader(Protocol):
    """Reads the certificates that a server shows, outside the probes."""

    async def verified_chain(self, address: str, server_name: str) -> Sequence[bytes]:
        """Shakes hands once and returns the chain that was built and verified, DER, leaf to root.

        Args:
            address: `ip:port`, brackets round an IPv6 address.
            server_name: for SNI and verification.

        Raises:
            LookupFailed: there was no such chain.
        """
        ...


class TimesReader(Protocol):
    """Reads how long the probes of past days took."""

    async def days(
        self, check_keys: Collection[str], first: int, end: int
    ) -> Mapping[str, Sequence[tuple[int, CheckDay]]]:
        """Returns the days [first, end) of some checks that are over, each with its number since the epoch.

        Args:
            check_keys: some dozen at most.
            first: the first day.
            end: the day after the last.
        """
        ...


class Authorities(Protocol):
    """Those who issue certificates, asked whether one still stands."""

    async def ask(self, certificate: bytes, issuer: bytes) -> Revocation:
        """Returns what the issuer says of a certificate, both DER. Never raises for an authority that is silent."""
        ...


class Registries(Protocol):
    """Those who register domains."""

    async def ask(self, candidates: Sequence[str]) -> Registration:
        """Returns the registration of the first name that is one. Never raises for a registry that is silent.

        Args:
            candidates: names in the order to ask, which is not empty.
        """
        ...


class ZoneReader(Protocol):
    """Reads what the DNS says of a zone as a whole."""

    async def read(self, names: Sequence[str]) -> ZoneRecords | None:
        """Returns the records of the first name that is a zone; None where no two resolvers agree on one.

        Args:
            names: in the order to ask, which is not empty.
        """
        ...


# ── telemetry ────────────────────────────────────────────────────────────────────────────────────────────────────


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
