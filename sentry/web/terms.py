"""The English words of closed sets; the templates translate them with `_()`."""

from sentry.domain.announcement import WindowState
from sentry.domain.budget import Verdict
from sentry.domain.failure_report import Attribution
from sentry.domain.finding import FindingClass
from sentry.domain.incident import IncidentState
from sentry.domain.result import Phase
from sentry.domain.ticket import TicketState
from sentry.web.standing import Standing

STANDING_WORDS = {
    Standing.DOWN: "Down",
    Standing.SUSPECT: "Being re-checked",
    Standing.DEGRADED: "Degraded",
    Standing.UNKNOWN: "Unknown",
    Standing.UP: "Up",
}

VERDICT_WORDS = {
    Verdict.MET: "promise met",
    Verdict.MISSED: "promise missed",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.RUNNING: "still within budget",
    Verdict.OBSERVED: "watched, not promised",
}

SIDE_WORDS = {
    Attribution.INFRASTRUCTURE: "the hosting",
    Attribution.SITE: "the web site itself",
    Attribution.THIRD_PARTY: "a third party",
    Attribution.CLIENT: "the client",
    Attribution.UNKNOWN: "not clear yet",
}

PHASE_WORDS = {
    Phase.DNS: "Name resolution",
    Phase.CONNECT: "Connection",
    Phase.TLS: "TLS handshake",
    Phase.PROCESSING: "Processing",
    Phase.TRANSFER: "Transfer",
}

INCIDENT_WORDS = {
    IncidentState.OPEN: "Open",
    IncidentState.ACKNOWLEDGED: "Acknowledged",
    IncidentState.RESOLVED: "Resolved",
}

WINDOW_WORDS = {
    WindowState.ANNOUNCED: "announced",
    WindowState.RUNNING: "under way",
    WindowState.OVER: "over",
    WindowState.CANCELLED: "cancelled",
}

TICKET_WORDS = {
    TicketState.NEW: "new",
    TicketState.NEEDS_INFO: "needs information",
    TicketState.COVERED: "covered",
    TicketState.NOT_COVERED: "not covered",
    TicketState.IN_PROGRESS: "in progress",
    TicketState.WAITING_CLIENT: "waiting for the client",
    TicketState.WAITING_THIRD_PARTY: "waiting for a third party",
    TicketState.SOLVED: "solved",
    TicketState.CLOSED: "closed",
    TicketState.REOPENED: "re-opened",
}

FINDING_WORDS = {
    FindingClass.CONFIRMED: "malware",
    FindingClass.VULNERABLE: "known security hole",
    FindingClass.EXPOSED: "exposed",
    FindingClass.SUSPICIOUS: "suspicious",
    FindingClass.MODIFIED: "changed known file",
    FindingClass.ENCODED: "unreadable code",
    FindingClass.RISKY_TOOL: "risky tool",
    FindingClass.ADVICE: "advice",
    FindingClass.NOT_LOOKED_AT: "not looked at",
}

TABLES = (
    FINDING_WORDS,
    STANDING_WORDS,
    VERDICT_WORDS,
    SIDE_WORDS,
    PHASE_WORDS,
    INCIDENT_WORDS,
    TICKET_WORDS,
    WINDOW_WORDS,
)
