"""Concerns and the incidents made of them, with only what a test cares about to be said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sentry.domain.concern import Concern, ConcernKind
from sentry.domain.incident import Incident, IncidentState
from sentry.domain.severity import Severity

BEGAN = datetime(2026, 11, 22, 2, 14, 10, tzinfo=UTC)

FACTS: dict[ConcernKind, dict[str, Any]] = {
    ConcernKind.OWN_FAULT: {
        "causes": ["network", "resolvers"],
        "since": BEGAN.isoformat(),
        "sites": 200,
        "evidence": ["anchor 192.0.2.1:443 does not answer", "sites fail in 7 network(s), and none answered since"],
    },
    ConcernKind.RESOLVER: {"resolver": "192.0.2.53:53", "error": "no answer within 2 s"},
    ConcernKind.DEGRADED: {
        "check": "acme-shop/http",
        "reason": "slow_response",
        "detail": "took 4.2 s, at most 2 s are allowed",
        "value_s": 4.2,
        "limit_s": 2,
    },
    ConcernKind.CERTIFICATE: {
        "check": "acme-shop/tls",
        "problem": "expires_soon",
        "days_left": 7,
        "not_after": "2026-11-29T10:00:00+00:00",
        "names": ["shop.acme.example", "www.shop.acme.example"],
    },
    ConcernKind.DOMAIN: {
        "domain": "acme.example",
        "days_left": 14,
        "expires_on": "2026-12-06",
        "source": "rdap.example",
    },
    ConcernKind.DNS_DRIFT: {
        "name": "acme.example",
        "record_type": "NS",
        "before": ["ns1.example", "ns2.example"],
        "after": ["ns9.example"],
    },
    ConcernKind.BURN_RATE: {
        "rate": 14.4,
        "window": "1 h",
        "month": "2026-11",
        "spent_minutes": 89,
        "allowed_minutes": 129.6,
        "left_minutes": 40.6,
        "runs_out_at": "2026-11-24T15:00:00+00:00",
    },
    ConcernKind.REQUEST_BUDGET: {"used": 8000, "allowed": 10_000, "what": "requests"},
    ConcernKind.INFECTION: {"count": 2, "places": ["wp-content/uploads/x.php", "index.php"]},
    ConcernKind.VULNERABILITY: {
        "component": "woocommerce 8.1.0",
        "mended_in": ["8.1.1"],
        "holes": ["CVE-2026-1: a stranger can read orders"],
    },
    ConcernKind.AUDIT_FINDINGS: {
        "audited": "Acme",
        "count": 1,
        "findings": ["suspicious: wp-content/themes/acme/x.php"],
    },
    ConcernKind.AUDIT_LATE: {"audited": "Acme", "due_at": "2026-11-20T02:14:00+00:00", "why": "no route to host"},
    ConcernKind.SUSPENSION: {
        "problem": "near",
        "stage": 1,
        "days": 12,
        "most_days": 15,
        "closed_at": "2026-11-10T09:00:00+00:00",
        "limit_at": "2026-11-25T09:00:00+00:00",
        "cause": "a shell was found",
        "approver": "Ana",
    },
    ConcernKind.GROUP: {"trait": "address", "value": "203.0.113.7", "failing": 80, "answering": 2},
}
"""Facts of each kind as whoever watches for it gives them."""

OF_AGENT = frozenset(
    {ConcernKind.OWN_FAULT, ConcernKind.RESOLVER, ConcernKind.AUDIT_FINDINGS, ConcernKind.AUDIT_LATE}
)


def concern(kind: ConcernKind = ConcernKind.DEGRADED, **changed: Any) -> Concern:
    """A concern of a kind, of the shop where that kind is about sites."""
    of_agent = kind in OF_AGENT
    raised = Concern(
        key=f"{kind}:{'agent' if of_agent else 'acme-shop'}",
        kind=kind,
        severity=Severity.SEV3,
        began_at=BEGAN,
        site_key="" if of_agent else "acme-shop",
        client_key="" if of_agent else "acme",
        facts=FACTS[kind],
    )
    return replace(raised, **changed)


def concern_incident(kind: ConcernKind = ConcernKind.DEGRADED, **changed: Any) -> Incident:
    """The open incident of a concern."""
    raised = concern(kind)
    opened = Incident(
        id=17,
        key=raised.key,
        site_key=raised.site_key,
        client_key=raised.client_key,
        severity=raised.severity,
        state=IncidentState.OPEN,
        opening=1,
        started_at=raised.began_at,
        detected_at=raised.began_at + timedelta(minutes=5),
        checks_down=frozenset(),
        report=None,
        concern=kind,
        facts=raised.facts,
        ticket_number=5,
    )
    return replace(opened, **changed)
