"""Expected DNS records, compared by meaning."""

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.dns_expectation import RecordExpectation, expected_text, listed, record_text


@given(st.ip_addresses(v=6))
def test_expectation_any_spelling_of_an_ipv6_address_is_one(address: object) -> None:
    """Zeros and case make no difference."""
    exploded = str(getattr(address, "exploded", "")).upper()
    assert expected_text("AAAA", exploded) == expected_text("AAAA", str(address))


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), max_size=200))
def test_expectation_txt_is_compared_without_quotes_and_pieces(text: str) -> None:
    """A TXT record is the text that its pieces make together."""
    half = len(text) // 2
    wire = f'"{text[:half]}" "{text[half:]}"'
    record = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, wire, origin=dns.name.root)
    assert record_text(record) == expected_text("TXT", f'"{text}"')


@given(st.frozensets(st.sampled_from("abcd")), st.frozensets(st.sampled_from("abcd"), min_size=1))
def test_expectation_rules_follow_set_algebra(wanted: frozenset[str], got: frozenset[str]) -> None:
    """Exactly, all, any and none mean what they say; an empty rule asks for nothing."""
    values = sorted(got)
    assert (RecordExpectation(exactly=wanted).mismatch(values) is None) == (not wanted or wanted == got)
    assert (RecordExpectation(all_of=wanted).mismatch(values) is None) == (wanted <= got)
    assert (RecordExpectation(any_of=wanted).mismatch(values) is None) == (not wanted or bool(wanted & got))
    assert (RecordExpectation(none_of=wanted).mismatch(values) is None) == (not wanted & got)


def test_expectation_nothing_asked_still_wants_a_record() -> None:
    """An empty answer is never right in silence."""
    assert RecordExpectation().mismatch(()) == "expected a record, got none"


def test_expectation_several_rules_broken_names_each() -> None:
    """One line tells all that is wrong."""
    rules = RecordExpectation(all_of=frozenset("ab"), none_of=frozenset("c"))
    assert rules.mismatch(["a", "c"]) == "expected all of a, b and none of c, got a, c"


@given(st.frozensets(st.text(max_size=500), max_size=300))
def test_listed_hostile_values_are_one_short_line(values: frozenset[str]) -> None:
    """What a zone holds cannot fill a report."""
    line = listed(values)
    assert len(line) < 1000
    assert line.isprintable()


@pytest.mark.parametrize(("record_type", "value"), [("A", "::1"), ("MX", "mx"), ("SRV", "0 0 x y")])
def test_expectation_value_of_another_type_is_refused(record_type: str, value: str) -> None:
    """The message names the value and the type."""
    with pytest.raises(ValueError, match=f"'{value}' is no value of a {record_type} record"):
        expected_text(record_type, value)
