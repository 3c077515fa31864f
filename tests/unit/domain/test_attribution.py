"""Whose fault a failure is said to be."""

from datetime import UTC, datetime

import pytest

from sentry.domain.attribution import BASES, DNS_REASONS, LIKELY, attribute
from sentry.domain.failure_report import AddressTrial, Attribution, CollectedEvidence, DnsAnswer
from sentry.domain.result import Evidence, HttpEvidence, ProbeResult, Reason, Status

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def failed(reason: Reason | None, status: int | None = None) -> ProbeResult:
    http = HttpEvidence(status=status, version="1.1") if status is not None else None
    return ProbeResult("shop/http", AT, AT, 1.0, Status.DOWN, reason, evidence=Evidence(http=http))


def looked_up(**answers: tuple[str, ...] | str) -> CollectedEvidence:
    """Evidence of resolvers by name, each with its addresses or its error."""
    dns = [
        DnsAnswer(resolver, "shop.example", record_type, values=(), error=said)
        if isinstance(said, str)
        else DnsAnswer(resolver, "shop.example", record_type, values=said if record_type == "A" else ())
        for resolver, said in answers.items()
        for record_type in ("A", "AAAA")
    ]
    return CollectedEvidence(AT, dns=tuple(dns))


@pytest.mark.parametrize("reason", sorted(Reason))
@pytest.mark.parametrize("evidence", [None, CollectedEvidence(AT)])
def test_attribution_every_reason_has_a_known_basis(reason: Reason, evidence: CollectedEvidence | None) -> None:
    """The set is closed: a new reason must be placed in the table or be looked up by resolvers."""
    _, basis = attribute(failed(reason), evidence)
    assert basis in BASES
    assert (reason in LIKELY) != (reason in DNS_REASONS)
    assert basis != "unexplained"


@pytest.mark.promise("002-06")
@pytest.mark.parametrize(
    "reason",
    [
        Reason.HTTP_SERVER_ERROR,
        Reason.CONNECT_REFUSED,
        Reason.CONNECT_TIMEOUT,
        Reason.TLS_TIMEOUT,
        Reason.PROCESSING_TIMEOUT,
        Reason.TRANSFER_TIMEOUT,
        Reason.REPLY_TIMEOUT,
    ],
)
def test_attribution_server_errors_refusals_and_timeouts_are_infrastructure(reason: Reason) -> None:
    """The agency answers for its servers."""
    side, basis = attribute(failed(reason), None)
    assert side is Attribution.INFRASTRUCTURE
    assert basis == {Reason.HTTP_SERVER_ERROR: "status_5xx"}.get(reason, reason.value)


@pytest.mark.parametrize("reason", [Reason.HTTP_CLIENT_ERROR, Reason.BODY_TEXT_MISSING, Reason.REDIRECT_LOOP])
def test_attribution_content_is_the_site(reason: Reason) -> None:
    """A page that answers wrongly is the site's."""
    assert attribute(failed(reason), None)[0] is Attribution.SITE


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(599, (Attribution.INFRASTRUCTURE, "status_5xx")), (302, (Attribution.SITE, "status_unexpected"))],
)
def test_attribution_unexpected_status_goes_by_its_class(status: int, verdict: tuple[Attribution, str]) -> None:
    """A 5xx is a server error however the check words it."""
    assert attribute(failed(Reason.HTTP_UNEXPECTED_STATUS, status), None) == verdict


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (None, (Attribution.UNKNOWN, "dns_unconfirmed")),
        (looked_up(), (Attribution.UNKNOWN, "dns_unconfirmed")),
        (looked_up(one="NXDOMAIN"), (Attribution.UNKNOWN, "dns_unconfirmed")),
        (looked_up(one="no answer", two="no answer"), (Attribution.UNKNOWN, "dns_unconfirmed")),
        (looked_up(one="REFUSED", two="NXDOMAIN"), (Attribution.UNKNOWN, "dns_unconfirmed")),
        (looked_up(one="NXDOMAIN", two="SERVFAIL"), (Attribution.THIRD_PARTY, "dns_resolvers_agree")),
        (looked_up(one=(), two="NXDOMAIN"), (Attribution.THIRD_PARTY, "dns_resolvers_agree")),
        (looked_up(one=("192.0.2.1",), two="NXDOMAIN"), (Attribution.UNKNOWN, "dns_resolvers_disagree")),
        (looked_up(one=("192.0.2.1",), two=("192.0.2.1",)), (Attribution.UNKNOWN, "dns_resolvers_disagree")),
    ],
)
def test_attribution_of_a_lookup_needs_two_votes_that_agree(
    evidence: CollectedEvidence | None, verdict: tuple[Attribution, str]
) -> None:
    """No voters are no agreement, and a resolver that gave no answer is no voter."""
    assert attribute(failed(Reason.DNS_NXDOMAIN), evidence) == verdict


def test_attribution_some_addresses_dead_is_its_own_basis() -> None:
    """Where one address connects and another does not, that is the fact to tell."""
    trials = (AddressTrial("192.0.2.1", connected=True), AddressTrial("192.0.2.2", connected=False))
    verdict = (Attribution.INFRASTRUCTURE, "some_addresses_fail")
    assert attribute(failed(Reason.CONNECT_REFUSED), CollectedEvidence(AT, addresses=trials)) == verdict
    dead = CollectedEvidence(AT, addresses=trials[1:])
    assert attribute(failed(Reason.CONNECT_REFUSED), dead) == (Attribution.INFRASTRUCTURE, "connect_refused")


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason.is_agents_fault])
def test_attribution_agents_own_faults_accuse_nobody(reason: Reason) -> None:
    """What the agent got wrong is nobody else's."""
    assert attribute(failed(reason), None) == (Attribution.UNKNOWN, "agent_fault")


def test_attribution_result_without_reason_is_unexplained() -> None:
    """A result that is up has nothing to attribute."""
    assert attribute(failed(None), None) == (Attribution.UNKNOWN, "unexplained")
