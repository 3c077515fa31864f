"""Incidents with whole failure reports, as the collector and the probes would leave them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sentry.domain.failure_report import (
    AddressTrial,
    Attribution,
    CollectedEvidence,
    DnsAnswer,
    FailureReport,
    RecentChange,
)
from sentry.domain.incident import Incident, IncidentState, TimelineEntry
from sentry.domain.result import (
    Certificate,
    Evidence,
    Hop,
    HttpEvidence,
    Phase,
    ProbeResult,
    Reason,
    Status,
    TlsEvidence,
)
from sentry.domain.severity import Severity

STARTED = datetime(2026, 11, 22, 2, 14, 10, tzinfo=UTC)
URL = "https://shop.acme.example/"


def certificate(not_after: datetime = STARTED - timedelta(days=3, hours=2), **changes: object) -> Certificate:
    """A leaf certificate of the shop, expired three days before the failure."""
    leaf = Certificate(
        subject="CN=shop.acme.example",
        issuer="CN=R11,O=Let's Encrypt,C=US",
        names=("shop.acme.example", "www.shop.acme.example"),
        serial_number="04a1b2c3",
        not_before=not_after - timedelta(days=90),
        not_after=not_after,
        fingerprint_sha256="ab" * 32,
        key="EC 256",
        signature="sha256WithRSAEncryption",
    )
    return replace(leaf, **changes)  # type: ignore[arg-type]  # any field of the certificate


def good_result() -> ProbeResult:
    """The last good probe, a minute before the failure."""
    return ProbeResult(
        check_key="acme-shop/http",
        scheduled_at=STARTED - timedelta(minutes=1),
        started_at=STARTED - timedelta(minutes=1),
        duration_s=0.412,
        status=Status.UP,
        phases={
            Phase.DNS: 0.011,
            Phase.CONNECT: 0.028,
            Phase.TLS: 0.061,
            Phase.PROCESSING: 0.298,
            Phase.TRANSFER: 0.014,
        },
        evidence=Evidence(address="203.0.113.7:443", http=HttpEvidence(200, "1.1")),
    )


def expired_result() -> ProbeResult:
    """A probe that met an expired certificate."""
    return ProbeResult(
        check_key="acme-shop/http",
        scheduled_at=STARTED,
        started_at=STARTED,
        duration_s=0.098,
        status=Status.DOWN,
        reason=Reason.TLS_EXPIRED,
        failed_phase=Phase.TLS,
        detail="certificate expired on 2026-11-19 00:14:10 UTC",
        phases={Phase.DNS: 0.012, Phase.CONNECT: 0.030, Phase.TLS: 0.056},
        evidence=Evidence(
            address="203.0.113.7:443",
            addresses=("203.0.113.7", "2001:db8::7"),
            tls=TlsEvidence("TLSv1.3", "TLS_AES_256_GCM_SHA384", (certificate(),), error="certificate has expired"),
            log=("resolved shop.acme.example in 12.0 ms", "connected to 203.0.113.7:443 in 30.0 ms"),
        ),
    )


def error_result(
    status: int = 503, body: str = "<h1>Service Unavailable</h1>\n<p>Try again later.</p>"
) -> ProbeResult:
    """A probe that was answered with an HTTP error."""
    reason = Reason.HTTP_SERVER_ERROR if status >= 500 else Reason.HTTP_CLIENT_ERROR
    return ProbeResult(
        check_key="acme-shop/http",
        scheduled_at=STARTED,
        started_at=STARTED,
        duration_s=0.35,
        status=Status.DOWN,
        reason=reason,
        failed_phase=Phase.PROCESSING,
        detail=f"status {status}, expected 200-299",
        phases={Phase.DNS: 0.012, Phase.CONNECT: 0.030, Phase.TLS: 0.056, Phase.PROCESSING: 0.25},
        evidence=Evidence(
            address="203.0.113.7:443",
            addresses=("203.0.113.7",),
            tls=TlsEvidence(
                "TLSv1.3", "TLS_AES_256_GCM_SHA384", (certificate(STARTED + timedelta(days=40)),), verified=True
            ),
            http=HttpEvidence(
                status,
                "1.1",
                headers=(("Server", "nginx"), ("Retry-After", "120"), ("Set-Cookie", "(redacted)")),
                body_head=body,
                hops=(Hop("http://shop.acme.example/", 301, URL),),
            ),
        ),
    )


def evidence(failed: ProbeResult) -> CollectedEvidence:
    """What the collector found around a failure: two resolvers, two addresses."""
    tls_reason = failed.reason if failed.failed_phase is Phase.TLS else None
    return CollectedEvidence(
        collected_at=STARTED + timedelta(seconds=6),
        dns=(
            DnsAnswer("192.0.2.53", "shop.acme.example", "A", ("203.0.113.7",), 0.012),
            DnsAnswer("192.0.2.54", "shop.acme.example", "A", ("203.0.113.7",), 0.019),
            DnsAnswer("192.0.2.54", "shop.acme.example", "AAAA", (), 0.018, "SERVFAIL"),
        ),
        addresses=(
            AddressTrial(
                "203.0.113.7:443",
                connected=True,
                connect_s=0.031,
                tls_version="TLSv1.3",
                tls_reason=tls_reason,
                tls_error="certificate has expired" if tls_reason else None,
            ),
            AddressTrial("[2001:db8::7]:443", connected=False, connect_error="network unreachable"),
        ),
    )


def incident_of(failed: ProbeResult, **changes: object) -> Incident:
    """An open incident around a failed probe."""
    report = FailureReport(
        check_key=failed.check_key,
        url=URL,
        reason=failed.reason or Reason.AGENT_ERROR,
        failed=failed,
        last_good=good_result(),
        evidence=evidence(failed),
        changes=(RecentChange(STARTED - timedelta(hours=5), "address", "address changed to 203.0.113.7"),),
        attribution=Attribution.INFRASTRUCTURE,
        attribution_basis="certificate_invalid" if failed.failed_phase is Phase.TLS else "status_5xx",
    )
    incident = Incident(
        id=17,
        key="acme-shop",
        site_key="acme-shop",
        client_key="acme",
        severity=Severity.SEV1,
        state=IncidentState.OPEN,
        opening=1,
        started_at=STARTED,
        detected_at=STARTED + timedelta(seconds=31),
        checks_down=frozenset({failed.check_key}),
        report=report,
        ticket_number=5,
        timeline=(
            TimelineEntry(STARTED, "first_failure", f"first failed probe: {failed.reason} {failed.detail}"),
            TimelineEntry(STARTED + timedelta(seconds=31), "confirmed", "confirmed by re-checks"),
        ),
    )
    return replace(incident, **changes)  # type: ignore[arg-type]  # any field of the incident


def resolved(incident: Incident, minutes: int = 12) -> Incident:
    """The same incident, recovered after some minutes."""
    recovered = incident.started_at + timedelta(minutes=minutes)
    return replace(
        incident,
        state=IncidentState.RESOLVED,
        recovered_at=recovered,
        resolved_at=recovered + timedelta(seconds=31),
        acknowledged_at=incident.detected_at + timedelta(minutes=3),
        acknowledged_by="guardia",
        checks_down=frozenset(),
    )
