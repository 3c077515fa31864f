"""Which names above a host may be registered, and what the configuration adds."""

from datetime import UTC, date, datetime

import pytest

from sentry.domain.registration import Registration, SiteDomain


@pytest.mark.parametrize(
    ("host", "candidates"),
    [
        ("acme.es", ("acme.es",)),
        ("www.acme.es", ("acme.es", "www.acme.es")),
        ("WWW.Acme.co.uk.", ("co.uk", "acme.co.uk", "www.acme.co.uk")),
        ("a.b.c.acme.es", ("acme.es", "c.acme.es", "b.c.acme.es")),
        ("localhost", ()),
        ("192.0.2.7", ()),
        ("2001:db8::1", ()),
        ("[2001:db8::1]", ()),
        ("", ()),
    ],
)
def test_candidates_of_a_host_are_the_names_above_it(host: str, candidates: tuple[str, ...]) -> None:
    """From the shortest on; addresses and names of one label have none."""
    assert SiteDomain("shop", "acme", host).candidates == candidates


def test_candidates_of_a_configured_domain_are_itself() -> None:
    """Who knows better says so."""
    assert SiteDomain("shop", "acme", "www.shop.co.com", "shop.co.com").candidates == ("shop.co.com",)


def test_date_by_hand_counts_where_no_registry_gives_one() -> None:
    """A registry that tells goes before what somebody once wrote."""
    by_hand = date(2027, 1, 31)
    told = Registration("acme.es", datetime(2027, 8, 13, tzinfo=UTC), "rdap.nic.es")
    silent = Registration("acme.es", why="whois.nic.es names no date").or_by_hand(by_hand)
    assert told.or_by_hand(by_hand) == told
    assert (silent.expires_at, silent.source) == (datetime(2027, 1, 31, tzinfo=UTC), "configuration")
    assert Registration("acme.es").or_by_hand(None).expires_at is None
    assert Registration.of_facts(told.facts()) == told
