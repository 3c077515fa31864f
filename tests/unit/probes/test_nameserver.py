"""Addresses of DNS servers as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.environment import ProbeFailure
from probes.nameserver import NameServer, ascii_name, parse_nameserver
from sentry.domain.result import Reason


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", NameServer("192.0.2.1", 53)),
        (" 192.0.2.1:5353 ", NameServer("192.0.2.1", 5353)),
        ("2001:db8::1", NameServer("2001:db8::1", 53)),
        ("[2001:db8::1]", NameServer("2001:db8::1", 53)),
        ("[2001:DB8::1]:5353", NameServer("2001:db8::1", 5353)),
    ],
)
def test_nameserver_usual_spellings_are_read(text: str, server: NameServer) -> None:
    """Both families, with and without a port."""
    assert parse_nameserver(text) == server


@given(st.builds(NameServer, st.ip_addresses().map(str), st.integers(1, 65_535)))
def test_nameserver_written_and_read_again_is_the_same(server: NameServer) -> None:
    """What a report shows can be put into the configuration."""
    assert parse_nameserver(str(server)) == server
    assert parse_nameserver(server.socket_text) == server


@pytest.mark.parametrize("text", ["", "dns.example", "192.0.2.1:0", "192.0.2.1:x", "1.2.3", "::1]:53"])
def test_nameserver_anything_else_is_refused_with_the_way_out(text: str) -> None:
    """The message shows how to write one."""
    with pytest.raises(ValueError, match=r"write 192\.0\.2\.1"):
        parse_nameserver(text)


@given(st.text(max_size=300))
def test_ascii_name_any_text_is_a_name_or_a_verdict(text: str) -> None:
    """No text of a stranger makes the resolver fall over."""
    try:
        name, reason = ascii_name(text), None
    except ProbeFailure as failure:
        name, reason = "", failure.reason
    assert name.isascii()
    assert reason in {None, Reason.DNS_NXDOMAIN}
