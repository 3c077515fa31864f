"""WHOIS answers of many registries, read for the one date that counts."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.lookups.whois_text import expires_at, is_unknown, referral

ENDS = datetime(2027, 8, 13, tzinfo=UTC)


@pytest.mark.promise("002-08")
@pytest.mark.parametrize(
    "line",
    [
        "   Registry Expiry Date: 2027-08-13T04:00:00Z",
        "Registrar Registration Expiration Date: 2027-08-13T04:00:00+0000",
        "Expiry Date: 13-Aug-2027",
        "Expiry date:  13-Aug-2027",
        "Expiration Date: 2027-08-13",
        "expires:            2027-08-13",
        "expires at: 2027-08-13 00:00:00",
        "Expires on: 13.08.2027",
        "expire:       13.08.2027",
        "[Expires on]                    2027/08/13",
        "paid-till:     2027-08-13T21:00:00Z",
        "renewal date:          2027.08.13 00:00:00",
        "Expiration Date            : 2027. 08. 13.",
        "Valid Until:   13/08/2027",
        "domain expires: 13 August 2027",
        "Record expires on Aug 13 2027",
        "Renewal: August 13, 2027",
        "Expiration date:  20270813",
        "validity: 13-08-2027",
        "Domain Expiration Date....: 13 Aug 2027",
    ],
)
def test_expiry_date_is_read_as_each_registry_writes_it(line: str) -> None:
    """By its label, in the form of that registry; the time of day does not matter here."""
    text = f"% terms of use\nDomain: acme.example\nCreation Date: 2001-01-01\n{line.replace(' on Aug', ' on: Aug')}\n"
    found = expires_at(text)
    assert found is not None
    assert found.date() == ENDS.date()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Domain: acme.de\nStatus: connect\nChanged: 2024-08-13T04:00:00+02:00\n",
        "Esta dirección IP no está autorizada para realizar consultas en whois.nic.es",
        "Registry Expiry Date: soon",
        "Registry Expiry Date: 2027-13-45",
        "2027-08-13",
    ],
)
def test_expiry_date_that_nobody_writes_is_not_made_up(text: str) -> None:
    """Registries like those of .de and .es say nothing; other dates of an answer are no expiry."""
    assert expires_at(text) is None


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ('No match for "ACME.COM".', True),
        ("% No entries found.", True),
        ("Domain not found.", True),
        ("Status: free", True),
        ("Domain Name: ACME.COM", False),
        ("", False),
    ],
)
def test_name_that_nobody_has_is_told_from_one_without_a_date(text: str, unknown: bool) -> None:
    """Then the name above the host is looked for elsewhere."""
    assert is_unknown(text) is unknown


def test_referral_is_read_from_iana() -> None:
    """IANA names the registry's server in a line of its own."""
    assert referral("% IANA WHOIS server\n\nrefer:        whois.nic.es\n\ndomain:       ES\n") == "whois.nic.es"
    assert referral("domain: TEST\n") is None


@given(st.text())
def test_any_text_is_read_without_a_fault(text: str) -> None:
    """It comes from a stranger."""
    for read in (expires_at, is_unknown, referral):
        read(text)
    expires_at(f"expires: {text}")
