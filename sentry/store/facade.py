"""The open store: one attribute for each port it fills."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sentry.ports import Clock
from sentry.store.address import check_file, parse_address
from sentry.store.attributions import StoredAttributions
from sentry.store.audits import StoredAudits
from sentry.store.checks import CheckIndex
from sentry.store.database import Database
from sentry.store.deliveries import StoredOutbox
from sentry.store.due import DueBook
from sentry.store.events import EventLog, StoredEventQueue
from sentry.store.heartbeats import StoredHeartbeats
from sentry.store.incidents import StoredIncidents
from sentry.store.ledger import StoredLedger
from sentry.store.maintenance import StoredMaintenance
from sentry.store.marks import MarkBook
from sentry.store.migrate import bring_up_to_date, bring_up_to_date_apart, is_current
from sentry.store.observations import StoredObservations
from sentry.store.retention import Retention
from sentry.store.sealing import Sealing
from sentry.store.tickets import StoredTickets
from sentry.store.times import StoredTimes
from sentry.store.watch import StoredWatch

WAIT_S = 5.0
"""How long a write waits while another process (a command beside the agent) writes."""


class Store:
    """Everything that is kept, behind the ports of the house.

    Attributes:
        watch: fills `WatchStore`; ledger: `LedgerReader`; events: `EventQueue`; incidents: `IncidentStore`.
        attributions: fills `AttributionBook`.
        tickets: fills `TicketStore`; deliveries: `DeliveryOutbox`; heartbeats: `HeartbeatBook`.
        observations: fills `ObservationBook`; times: `TimesReader`.
        maintenance: fills `MaintenanceBook`; audits: `AuditBook`.
        checks: which checks are and were watched.
        sealing: seals days that are over.
        due: when slow work is next due; marks: what happens only once; retention: drops what is old.
    """

    def __init__(self, database: Database, *, handlers: Sequence[str], clock: Clock) -> None:
        """Builds the parts on an open database; use `open_store`."""
        log = EventLog(handlers)
        self.database = database
        self.checks = CheckIndex(database)
        self.watch = StoredWatch(database, self.checks, log, clock)
        self.ledger = StoredLedger(database)
        self.events = StoredEventQueue(database, log)
        self.incidents = StoredIncidents(database, log)
        self.attributions = StoredAttributions(database)
        self.tickets = StoredTickets(database, log)
        self.deliveries = StoredOutbox(database)
        self.heartbeats = StoredHeartbeats(database)
        self.maintenance = StoredMaintenance(database)
        self.audits = StoredAudits(database)
        self.due = DueBook(database)
        self.observations = StoredObservations(database)
        self.times = StoredTimes(database)
        self.marks = MarkBook(database, log, clock)
        self.sealing = Sealing(database, clock)
        self.retention = Retention(database)

    async def aclose(self) -> None:
        """Closes every connection."""
        await self.database.aclose()


@asynccontextmanager
async def open_store(
    address: str, *, handlers: Sequence[str], clock: Clock, wait_s: float = WAIT_S, lasting: bool = False
) -> AsyncIterator[Store]:
    """Opens the store, makes or migrates its tables, and closes it at the end.

    Args:
        address: `sqlite:///sentry.db`, `sqlite:////absolute/path.db` or `postgresql://user:password@host/database`;
            a relative file is taken from the working directory.
        handlers: every name that an event is owed to.
        clock: for the instants that the store itself sets.
        wait_s: how long a write waits for another writer.
        lasting: whether it stays open for long, so that what is only needed to open it is best kept out of memory.

    Raises:
        ConfigurationError: the address cannot be used.
        StoreUnavailable: it cannot be reached, or another process holds it.
        StoreError: a newer version made it, or it is damaged.
    """
    parsed = parse_address(address)
    if parsed.file is not None:
        await asyncio.to_thread(check_file, parsed.file)
    database = Database(parsed, wait_s=wait_s)
    try:
        if lasting and not await is_current(database):
            await bring_up_to_date_apart(parsed)
        await bring_up_to_date(database)
        store = Store(database, handlers=handlers, clock=clock)
        await store.heartbeats.load()
        yield store
    finally:
        await database.aclose()
