"""What one probe of one check found: a status, a reason of a closed set, timed phases and the evidence for them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """What a probe says of a check. `UNKNOWN` says nothing of the site: the fault was the agent's own."""

    UP = "up"
    DOWN = "down"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"


class Phase(StrEnum):
    """The five phases of a probe, in the order in which they happen."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    PROCESSING = "processing"
    TRANSFER = "transfer"

    __hash__ = str.__hash__  # Enum's own is Python code, and every probe looks its phases up in dozens of places


class Reason(StrEnum):
    """Why a probe is not up. A closed set: it labels metrics and chooses the words of reports."""

    DNS_NXDOMAIN = "dns_nxdomain"
    DNS_NO_ADDRESS = "dns_no_address"
    DNS_SERVER_FAILURE = "dns_server_failure"
    DNS_TIMEOUT = "dns_timeout"
    DNS_ANSWER_MISMATCH = "dns_answer_mismatch"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_UNREACHABLE = "connect_unreachable"
    CONNECTION_RESET = "connection_reset"
    TLS_EXPIRED = "tls_expired"
    TLS_NOT_YET_VALID = "tls_not_yet_valid"
    TLS_WRONG_HOST = "tls_wrong_host"
    TLS_SELF_SIGNED = "tls_self_signed"
    TLS_MISSING_INTERMEDIATE = "tls_missing_intermediate"
    TLS_REVOKED = "tls_revoked"
    TLS_WEAK = "tls_weak"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_HANDSHAKE = "tls_handshake"
    TLS_TIMEOUT = "tls_timeout"
    TLS_EXPIRES_SOON = "tls_expires_soon"
    HTTP_CLIENT_ERROR = "http_client_error"
    HTTP_SERVER_ERROR = "http_server_error"
    HTTP_UNEXPECTED_STATUS = "http_unexpected_status"
    HTTP_PROTOCOL = "http_protocol"
    HTTP_HEADER_MISMATCH = "http_header_mismatch"
    HTTP_BLOCKED = "http_blocked"
    HTTP_PARKED = "http_parked"
    HTTP_ERROR_PAGE = "http_error_page"
    PROCESSING_TIMEOUT = "processing_timeout"
    TRANSFER_TIMEOUT = "transfer_timeout"
    BODY_TEXT_MISSING = "body_text_missing"
    BODY_TEXT_FORBIDDEN = "body_text_forbidden"
    BODY_JSON_MISMATCH = "body_json_mismatch"
    BODY_TOO_LARGE = "body_too_large"
    REDIRECT_LOOP = "redirect_loop"
    REDIRECT_TOO_MANY = "redirect_too_many"
    REDIRECT_INVALID = "redirect_invalid"
    SLOW_RESPONSE = "slow_response"
    REPLY_MISMATCH = "reply_mismatch"
    REPLY_TIMEOUT = "reply_timeout"
    HEARTBEAT_MISSED = "heartbeat_missed"
    HEARTBEAT_FAILED = "heartbeat_failed"
    # The agent's own faults: always with Status.UNKNOWN, never counted against a site.
    AGENT_STALLED = "agent_stalled"
    AGENT_RESOURCES = "agent_resources"
    AGENT_NETWORK = "agent_network"
    AGENT_CLOCK = "agent_clock"
    AGENT_ERROR = "agent_error"
    SLOT_MISSED = "slot_missed"

    @property
    def is_agents_fault(self) -> bool:
        """Whether this reason accuses the agent and not the site."""
        return self in AGENT_REASONS


AGENT_REASONS = frozenset(
    {
        Reason.AGENT_STALLED,
        Reason.AGENT_RESOURCES,
        Reason.AGENT_NETWORK,
        Reason.AGENT_CLOCK,
        Reason.AGENT_ERROR,
        Reason.SLOT_MISSED,
    }
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate of a presented chain.

    Attributes:
        fingerprint_sha256: lower-case hex of the DER form.
        names: DNS and IP names of the subjectAltName extension.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    serial_number: str
    not_before: datetime
    not_after: datetime
    fingerprint_sha256: str
    key: str
    signature: str


@dataclass(frozen=True, slots=True)
class TlsEvidence:
    """What a TLS handshake showed. The chain is kept also when verification failed; `error` then says why."""

    version: str | None = None
    cipher: str | None = None
    chain: tuple[Certificate, ...] = ()
    verified: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Hop:
    """One answer on the way through redirects."""

    url: str
    status: int
    location: str | None = None


@dataclass(frozen=True, slots=True)
class HttpEvidence:
    """What an HTTP exchange showed.

    Attributes:
        version: of HTTP, without its name: `1.1`.
        headers: in the order received, secrets (Set-Cookie, Authorization and the like) redacted.
        body_head: at most the first 16 KiB of the decoded body, as text; undecodable bytes are replaced.
        content_length: the Content-Length header, None where there was none.
        body_bytes: bytes of the body as transferred; uncompressed_bytes: after decoding.
        hops: every answer on the way through redirects, the last one being this one.
    """

    status: int
    version: str
    headers: tuple[tuple[str, str], ...] = ()
    body_head: str = ""
    content_length: int | None = None
    body_bytes: int = 0
    uncompressed_bytes: int = 0
    last_modified: datetime | None = None
    hops: tuple[Hop, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a probe saw. A part that the probe did not reach is None or empty.

    Attributes:
        addresses: every address the name resolved to; address: the one that was used, `ip` or `ip:port`.
        values: further figures by name, each exported as a gauge `probe_<name>` (e.g. `dns_answer_rrs`).
        log: what happened, one line a step, for `probe --explain` and the failure report.
    """

    address: str | None = None
    addresses: tuple[str, ...] = ()
    tls: TlsEvidence | None = None
    http: HttpEvidence | None = None
    values: dict[str, float] = field(default_factory=dict)
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The result of one probe of one check.

    Attributes:
        check_key: `site/check`.
        scheduled_at: the slot; started_at: when the probe really began. Both aware UTC.
        duration_s: from start to verdict, wall seconds.
        reason: None exactly when status is UP.
        failed_phase: the phase in which it failed, None where no phase did.
        detail: one line with the figures of this failure, e.g. `status 503, expected 200-299`.
        phases: seconds spent in each phase that was reached, summed over redirects.
        received_bytes: all that came over TCP, TLS and headers included.
    """

    check_key: str
    scheduled_at: datetime
    started_at: datetime
    duration_s: float
    status: Status
    reason: Reason | None = None
    failed_phase: Phase | None = None
    detail: str = ""
    phases: dict[Phase, float] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)
    received_bytes: int = 0

    @property
    def requests(self) -> int:
        """How often the site was asked: once, and once more for each redirect."""
        http = self.evidence.http
        return max(1, len(http.hops)) if http is not None else 1

    @property
    def answers(self) -> bool:
        """Whether the site did its work: up, or up but degraded."""
        return self.status in {Status.UP, Status.DEGRADED}
