"""Checks and results to start a test from; `dataclasses.replace` makes them what the test is about."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sentry.domain.result import (
    Certificate,
    Evidence,
    HttpEvidence,
    Phase,
    ProbeResult,
    Reason,
    Status,
    TlsEvidence,
)
from sentry.domain.site import Check, CheckOptions, Language, Plan

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def a_check(key: str = "acme-shop/http", *, kind: str = "http", url: str = "https://shop.acme.example/") -> Check:
    """A check of a priority site in Madrid."""
    return Check(
        key=key,
        site_key=key.partition("/")[0],
        client_key="acme",
        plan_key="priority",
        url=url,
        interval_s=60,
        options=CheckOptions(kind=kind),
        plan=Plan(uptime_target=99.7),
        time_zone=ZoneInfo("Europe/Madrid"),
        language=Language.ES,
        host_group=key.partition("/")[0],
        host_cap=8,
    )


def a_certificate(
    *, subject: str = "CN=shop.acme.example", names: tuple[str, ...] = ("shop.acme.example",)
) -> Certificate:
    """A leaf with 40 days to live."""
    return Certificate(
        subject=subject,
        issuer="CN=R11,O=Let's Encrypt,C=US",
        names=names,
        serial_number="3ab4c5",
        not_before=START - timedelta(days=50),
        not_after=START + timedelta(days=40),
        fingerprint_sha256="ab" * 32,
        key="EC P-256",
        signature="ecdsa-with-SHA256",
    )


def a_good_result(key: str = "acme-shop/http", at: datetime = START) -> ProbeResult:
    """An HTTPS answer of 200 with every phase and all evidence."""
    chain = (a_certificate(), a_certificate(subject="CN=R11,O=Let's Encrypt,C=US", names=()))
    return ProbeResult(
        check_key=key,
        scheduled_at=at,
        started_at=at + timedelta(milliseconds=4),
        duration_s=0.21,
        status=Status.UP,
        phases={
            Phase.DNS: 0.012,
            Phase.CONNECT: 0.02,
            Phase.TLS: 0.041,
            Phase.PROCESSING: 0.127,
            Phase.TRANSFER: 0.01,
        },
        evidence=Evidence(
            address="198.51.100.7:443",
            addresses=("198.51.100.7", "2001:db8::7"),
            tls=TlsEvidence(version="TLS 1.3", cipher="TLS_AES_256_GCM_SHA384", chain=chain, verified=True),
            http=HttpEvidence(
                status=200,
                version="1.1",
                headers=(("Server", "nginx"), ("Content-Type", "text/html; charset=utf-8")),
                body_head="<!doctype html><title>Tienda</title>",
                content_length=30_211,
                body_bytes=30_211,
                uncompressed_bytes=30_211,
                last_modified=at - timedelta(days=1),
            ),
        ),
    )


def a_bad_result(
    key: str = "acme-shop/http",
    at: datetime = START,
    *,
    reason: Reason = Reason.HTTP_SERVER_ERROR,
    body_head: str = "<h1>503 Service Unavailable</h1>",
) -> ProbeResult:
    """An HTTPS answer of 503."""
    good = a_good_result(key, at)
    return ProbeResult(
        check_key=key,
        scheduled_at=at,
        started_at=good.started_at,
        duration_s=0.3,
        status=Status.DOWN,
        reason=reason,
        failed_phase=Phase.PROCESSING,
        detail="status 503, expected 200-299",
        phases=dict(good.phases),
        evidence=Evidence(
            address=good.evidence.address,
            addresses=good.evidence.addresses,
            tls=good.evidence.tls,
            http=HttpEvidence(status=503, version="1.1", headers=(("Server", "nginx"),), body_head=body_head),
        ),
    )


def an_unknown_result(key: str = "acme-shop/http", at: datetime = START) -> ProbeResult:
    """A probe that the agent itself could not make."""
    return ProbeResult(
        check_key=key,
        scheduled_at=at,
        started_at=at,
        duration_s=0.0,
        status=Status.UNKNOWN,
        reason=Reason.AGENT_NETWORK,
        detail="no anchor answers",
    )
