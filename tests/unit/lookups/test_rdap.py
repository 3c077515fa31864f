"""RDAP documents: the list of servers, and the end of a domain."""

import json
from datetime import UTC, datetime

import pytest

from sentry.domain.errors import LookupFailed
from sentry.lookups.rdap import expires_at, servers


def domain(*events: tuple[str, str], name: str = "ACME.example") -> bytes:
    listed = [{"eventAction": action, "eventDate": at} for action, at in events]
    return json.dumps({"objectClassName": "domain", "ldhName": name, "events": listed, "more": [1]}).encode()


def test_servers_are_read_by_top_level() -> None:
    """The encrypted address goes first, and all of them end in a slash."""
    services = [[["com", "NET"], ["http://a.test/", "https://a.test/v1"]], [["es"], []]]
    document = json.dumps({"version": "1.0", "services": services}).encode()
    assert servers(document) == {"com": "https://a.test/v1/", "net": "https://a.test/v1/", "es": "/"}


@pytest.mark.promise("002-08")
@pytest.mark.parametrize(
    ("events", "ends"),
    [
        ([("registration", "2001-01-01T00:00:00Z"), ("expiration", "2027-08-13T04:00:00Z")], 4),
        ([("registrar expiration", "2028-01-01T00:00:00Z"), ("expiration", "2027-08-13T06:00:00+02:00")], 4),
        ([("registrar expiration", "2027-08-13T04:00:00")], 4),
        ([("expiration", "soon")], None),
        ([("last changed", "2027-08-13T04:00:00Z")], None),
        ([], None),
    ],
)
def test_end_of_a_domain_is_its_expiration(events: list[tuple[str, str]], ends: int | None) -> None:
    """The registry's date goes before the registrar's; a registry that says none says none."""
    expected = None if ends is None else datetime(2027, 8, 13, ends, tzinfo=UTC)
    assert expires_at(domain(*events), "acme.example") == expected


@pytest.mark.parametrize(
    "document",
    [
        domain(("expiration", "2027-08-13T04:00:00Z"), name="other.example"),
        b"<html>",
        b"[1]",
        b'{"ldhName": 7}',
        b"[" * 100_000,
        b'{"ldhName": "acme.example", "events": "many"}',
    ],
)
def test_document_that_is_not_of_the_domain_is_refused(document: bytes) -> None:
    """A registry is a stranger too."""
    with pytest.raises(LookupFailed):
        expires_at(document, "acme.example")


@pytest.mark.parametrize("document", [b"", b"{}", b'{"services": [[1]]}', b"null"])
def test_list_of_servers_that_is_none_is_refused(document: bytes) -> None:
    """The one that was known stays."""
    with pytest.raises(LookupFailed):
        servers(document)
