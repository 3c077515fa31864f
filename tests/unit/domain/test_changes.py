"""What is said to have changed between two probes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.changes import COMPARISONS, changes_between
from sentry.domain.result import Certificate, Evidence, Hop, HttpEvidence, ProbeResult, Status, TlsEvidence

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LEAF = Certificate(
    subject="CN=shop.example",
    issuer="CN=R11,O=Let's Encrypt",
    names=("shop.example",),
    serial_number="1",
    not_before=AT,
    not_after=AT + timedelta(days=90),
    fingerprint_sha256="a" * 64,
    key="EC secp256r1",
    signature="ecdsa-with-SHA256",
)
SEEN = Evidence(
    addresses=("192.0.2.1", "192.0.2.2"),
    tls=TlsEvidence(version="TLSv1.3", chain=(LEAF,)),
    http=HttpEvidence(
        status=200,
        version="1.1",
        headers=(("Server", "nginx/1.26"), ("Date", "today")),
        hops=(Hop("http://shop.example/", 301, "https://shop.example/"),),
    ),
)


def result(evidence: Evidence, minutes: float = 0) -> ProbeResult:
    at = AT + timedelta(minutes=minutes)
    return ProbeResult("shop/http", at, at, 0.1, Status.UP, evidence=evidence)


def seen(
    *,
    addresses: tuple[str, ...] = SEEN.addresses,
    leaf: Certificate = LEAF,
    version: str = "TLSv1.3",
    status: int = 200,
    server: str = "nginx/1.26",
    location: str = "https://shop.example/",
) -> Evidence:
    http = HttpEvidence(
        status=status,
        version="1.1",
        headers=(("server", server),),
        hops=(Hop("http://shop.example/", 301, location),),
    )
    return Evidence(addresses=addresses, tls=TlsEvidence(version=version, chain=(leaf,)), http=http)


RENEWED = replace(LEAF, fingerprint_sha256="b" * 64, issuer="CN=Other CA", not_after=AT + timedelta(days=180))


@pytest.mark.parametrize(
    ("now", "kind", "text"),
    [
        (
            seen(addresses=("192.0.2.9",)),
            "addresses",
            "addresses: 192.0.2.1, 192.0.2.2 → 192.0.2.9",
        ),
        (
            seen(leaf=RENEWED),
            "certificate",
            (
                "certificate: sha256 aaaaaaaaaaaaaaaa by CN=R11,O=Let's Encrypt until 2027-01-31"
                " → sha256 bbbbbbbbbbbbbbbb by CN=Other CA until 2027-05-01"
            ),
        ),
        (seen(version="TLSv1.2"), "tls_version", "TLS version: TLSv1.3 → TLSv1.2"),
        (seen(status=503), "http_status", "HTTP status: 200 → 503"),
        (
            seen(location="https://www.shop.example/"),
            "redirect",
            "redirect target: https://shop.example/ → https://www.shop.example/",
        ),
        (seen(server=""), "server_header", "Server header: nginx/1.26 → none"),
    ],
)
def test_changes_one_thing_different_names_it_alone(now: Evidence, kind: str, text: str) -> None:
    """Each kind has its line, at the time of the newer probe."""
    (change,) = changes_between(result(SEEN), result(now, minutes=1))
    assert (change.at, change.kind, change.text) == (AT + timedelta(minutes=1), kind, text)


def test_changes_everything_different_names_each_once() -> None:
    """A move to another server shows in every line."""
    now = seen(
        addresses=("192.0.2.9",),
        leaf=RENEWED,
        version="TLSv1.2",
        status=500,
        server="Apache",
        location="https://x.example/",
    )
    assert [change.kind for change in changes_between(result(SEEN), result(now))] == list(COMPARISONS)


def test_changes_order_of_addresses_and_other_headers_are_none() -> None:
    """Round-robin and dates are no news."""
    now = seen(addresses=("192.0.2.2", "192.0.2.1"))
    assert changes_between(result(SEEN), result(now)) == ()


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (("192.0.2.2", "192.0.2.3"), False),
        (("192.0.2.1",), True),
        (("192.0.2.1", "192.0.2.2", "192.0.2.3"), True),
        (("192.0.2.3", "192.0.2.4"), True),
    ],
)
def test_changes_of_a_rotating_pool_are_no_news(now: tuple[str, ...], told: bool) -> None:
    """A provider that answers with some addresses of many would else fill every report; moves are told."""
    assert bool(changes_between(result(SEEN), result(seen(addresses=now)))) is told


def test_changes_part_not_reached_says_nothing() -> None:
    """A probe that failed in DNS saw no certificate; that is not a change of certificate."""
    assert changes_between(result(SEEN), result(Evidence())) == ()
    assert changes_between(result(Evidence()), result(SEEN)) == ()


@given(
    st.text(max_size=3000),
    st.lists(st.text(max_size=300), max_size=100),
    st.integers(),
)
def test_changes_from_hostile_text_are_short_lines(text: str, addresses: list[str], status: int) -> None:
    """Whatever a site sends, the line is printable and bounded."""
    now = seen(
        addresses=tuple(addresses),
        leaf=replace(RENEWED, issuer=text),
        version=text,
        status=status,
        server=text,
        location=text,
    )
    for change in changes_between(result(SEEN), result(now)):
        assert len(change.text) < 2500
        assert change.text.isprintable()


@given(st.text(max_size=50))
def test_changes_between_equal_probes_are_none(text: str) -> None:
    """Nothing differs from itself."""
    evidence = seen(server=text, location=text, version=text)
    assert changes_between(result(evidence), result(evidence)) == ()
