"""Whose fault a failure most likely is, and the fact that says so: one table, then what the evidence adds to it.

Promise 002-06: 5xx, refused connections and time-outs are the infrastructure's. The basis is a short stable code; the
words for it are chosen by whoever writes the report.
"""

from collections.abc import Sequence

from sentry.domain.failure_report import AddressTrial, Attribution, CollectedEvidence, DnsAnswer
from sentry.domain.result import AGENT_REASONS, ProbeResult, Reason

Verdict = tuple[Attribution, str]

LIKELY: dict[Reason, Verdict] = {
    Reason.CONNECT_REFUSED: (Attribution.INFRASTRUCTURE, "connect_refused"),
    Reason.CONNECT_TIMEOUT: (Attribution.INFRASTRUCTURE, "connect_timeout"),
    Reason.CONNECT_UNREACHABLE: (Attribution.INFRASTRUCTURE, "connect_unreachable"),
    Reason.CONNECTION_RESET: (Attribution.INFRASTRUCTURE, "connection_reset"),
    Reason.TLS_EXPIRED: (Attribution.INFRASTRUCTURE, "certificate_invalid"),
    Reason.TLS_NOT_YET_VALID: (Attribution.INFRASTRUCTURE, "certificate_invalid"),
    Reason.TLS_WRONG_HOST: (Attribution.INFRASTRUCTURE, "certificate_invalid"),
    Reason.TLS_SELF_SIGNED: (Attribution.INFRASTRUCTURE, "certificate_invalid"),
    Reason.TLS_MISSING_INTERMEDIATE: (Attribution.INFRASTRUCTURE, "certificate_invalid"),
    Reason.TLS_REVOKED: (Attribution.INFRASTRUCTURE, "certificate_invalid"),
    Reason.TLS_WEAK: (Attribution.INFRASTRUCTURE, "certificate_invalid"),
    Reason.TLS_UNTRUSTED: (Attribution.INFRASTRUCTURE, "certificate_invalid"),
    Reason.TLS_EXPIRES_SOON: (Attribution.INFRASTRUCTURE, "certificate_expires_soon"),
    Reason.TLS_HANDSHAKE: (Attribution.INFRASTRUCTURE, "tls_handshake"),
    Reason.TLS_TIMEOUT: (Attribution.INFRASTRUCTURE, "tls_timeout"),
    Reason.HTTP_SERVER_ERROR: (Attribution.INFRASTRUCTURE, "status_5xx"),
    Reason.HTTP_PROTOCOL: (Attribution.INFRASTRUCTURE, "http_protocol"),
    Reason.PROCESSING_TIMEOUT: (Attribution.INFRASTRUCTURE, "processing_timeout"),
    Reason.TRANSFER_TIMEOUT: (Attribution.INFRASTRUCTURE, "transfer_timeout"),
    Reason.SLOW_RESPONSE: (Attribution.INFRASTRUCTURE, "slow_response"),
    Reason.REPLY_TIMEOUT: (Attribution.INFRASTRUCTURE, "reply_timeout"),
    Reason.REPLY_MISMATCH: (Attribution.INFRASTRUCTURE, "reply_mismatch"),
    Reason.HTTP_CLIENT_ERROR: (Attribution.SITE, "status_4xx"),
    Reason.HTTP_UNEXPECTED_STATUS: (Attribution.SITE, "status_unexpected"),
    Reason.HTTP_HEADER_MISMATCH: (Attribution.SITE, "header_mismatch"),
    Reason.HTTP_BLOCKED: (Attribution.SITE, "bot_challenge"),
    Reason.HTTP_PARKED: (Attribution.INFRASTRUCTURE, "parked_page"),
    Reason.HTTP_ERROR_PAGE: (Attribution.SITE, "error_page"),
    Reason.BODY_TEXT_MISSING: (Attribution.SITE, "body_text_missing"),
    Reason.BODY_TEXT_FORBIDDEN: (Attribution.SITE, "body_text_forbidden"),
    Reason.BODY_JSON_MISMATCH: (Attribution.SITE, "body_json_mismatch"),
    Reason.BODY_TOO_LARGE: (Attribution.SITE, "body_too_large"),
    Reason.REDIRECT_LOOP: (Attribution.SITE, "redirects"),
    Reason.REDIRECT_TOO_MANY: (Attribution.SITE, "redirects"),
    Reason.REDIRECT_INVALID: (Attribution.SITE, "redirects"),
    Reason.HEARTBEAT_MISSED: (Attribution.SITE, "heartbeat_missed"),
    Reason.HEARTBEAT_FAILED: (Attribution.SITE, "heartbeat_failed"),
    Reason.DNS_ANSWER_MISMATCH: (Attribution.UNKNOWN, "dns_answer_mismatch"),
    **dict.fromkeys(AGENT_REASONS, (Attribution.UNKNOWN, "agent_fault")),
}
"""What each reason says by itself. The lookups that failed are not here: only several resolvers can tell."""

DNS_REASONS = frozenset({Reason.DNS_NXDOMAIN, Reason.DNS_NO_ADDRESS, Reason.DNS_SERVER_FAILURE, Reason.DNS_TIMEOUT})
CONNECT_REASONS = frozenset({Reason.CONNECT_REFUSED, Reason.CONNECT_TIMEOUT, Reason.CONNECT_UNREACHABLE})

UNEXPLAINED: Verdict = (Attribution.UNKNOWN, "unexplained")
DNS_UNCONFIRMED: Verdict = (Attribution.UNKNOWN, "dns_unconfirmed")
DNS_DISAGREE: Verdict = (Attribution.UNKNOWN, "dns_resolvers_disagree")
DNS_AGREE: Verdict = (Attribution.THIRD_PARTY, "dns_resolvers_agree")
SOME_ADDRESSES: Verdict = (Attribution.INFRASTRUCTURE, "some_addresses_fail")

BASES = frozenset(
    basis for _, basis in (*LIKELY.values(), UNEXPLAINED, DNS_UNCONFIRMED, DNS_DISAGREE, DNS_AGREE, SOME_ADDRESSES)
)
"""Every code that `attribute` may return as its basis, for whoever puts them into words."""

SERVER_ERRORS = range(500, 600)
ADDRESS_TYPES = frozenset({"A", "AAAA"})
AGREEING_RESOLVERS = 2
"""One resolver that fails may be at fault itself, and none at all is no agreement."""

VOTES = frozenset({None, "NXDOMAIN", "SERVFAIL"})
"""Errors of a `DnsAnswer` that speak of the zone. No answer at all, or a refusal, may be the fault of our network."""


def attribute(result: ProbeResult, evidence: CollectedEvidence | None) -> Verdict:
    """Returns the likely side of a failure, and the code of the fact it rests on.

    Args:
        result: the failed probe.
        evidence: what was gathered around it, None while the collection has not ended.
    """
    if result.reason is None:
        return UNEXPLAINED
    if result.reason in DNS_REASONS:
        return _by_resolvers(evidence.dns if evidence else ())
    if result.reason is Reason.HTTP_UNEXPECTED_STATUS and _is_server_error(result):
        return LIKELY[Reason.HTTP_SERVER_ERROR]
    if result.reason in CONNECT_REASONS and evidence is not None and _differ(evidence.addresses):
        return SOME_ADDRESSES
    return LIKELY.get(result.reason, UNEXPLAINED)


def _by_resolvers(answers: Sequence[DnsAnswer]) -> Verdict:
    found: dict[str, bool] = {}
    for answer in answers:
        if answer.record_type in ADDRESS_TYPES and answer.error in VOTES:
            found[answer.resolver] = found.get(answer.resolver, False) or bool(answer.values)
    if len(found) < AGREEING_RESOLVERS:
        return DNS_UNCONFIRMED
    return DNS_DISAGREE if any(found.values()) else DNS_AGREE


def _is_server_error(result: ProbeResult) -> bool:
    http = result.evidence.http
    return http is not None and http.status in SERVER_ERRORS


def _differ(trials: Sequence[AddressTrial]) -> bool:
    return len({trial.connected for trial in trials}) > 1
