"""Every port of the house: what the services need of the outside, as small Protocols that `app` fills."""

from sentry.ports.alerts import BudgetWording, Channel, DeliveryOutbox, MessageRenderer, StandingChannel
from sentry.ports.audit_book import AuditBook
from sentry.ports.audits import DigestBook, Examiner, Scene, Told, Verdict, VerdictBook
from sentry.ports.clock import Clock, Timer
from sentry.ports.duties import DueBook, Marks, Observation, ObservationBook
from sentry.ports.hosts import Host, Outcome, Output, Tree, Tunnel
from sentry.ports.incidents import AttributionBook, EventQueue, IncidentStore
from sentry.ports.ledger import LedgerReader, Sample, SiteHistory
from sentry.ports.lookups import Authorities, ChainReader, Registries, TimesReader, ZoneReader
from sentry.ports.maintenance import MaintenanceBook
from sentry.ports.probing import EvidenceCollector, Heartbeat, HeartbeatBook, Probe, ProbeHandle, Surroundings
from sentry.ports.telemetry import Telemetry
from sentry.ports.tickets import TicketMirror, TicketNote, TicketStore
from sentry.ports.watching import CorrectedCheck, Correction, SampleKind, WatchRecord, WatchStore

__all__ = [
    "AttributionBook",
    "AuditBook",
    "Authorities",
    "BudgetWording",
    "ChainReader",
    "Channel",
    "Clock",
    "CorrectedCheck",
    "Correction",
    "DeliveryOutbox",
    "DigestBook",
    "DueBook",
    "EventQueue",
    "EvidenceCollector",
    "Examiner",
    "Heartbeat",
    "HeartbeatBook",
    "Host",
    "IncidentStore",
    "LedgerReader",
    "MaintenanceBook",
    "Marks",
    "MessageRenderer",
    "Observation",
    "ObservationBook",
    "Outcome",
    "Output",
    "Probe",
    "ProbeHandle",
    "Registries",
    "Sample",
    "SampleKind",
    "Scene",
    "SiteHistory",
    "StandingChannel",
    "Surroundings",
    "Telemetry",
    "TicketMirror",
    "TicketNote",
    "TicketStore",
    "Timer",
    "TimesReader",
    "Told",
    "Tree",
    "Tunnel",
    "Verdict",
    "VerdictBook",
    "WatchRecord",
    "WatchStore",
    "ZoneReader",
]
