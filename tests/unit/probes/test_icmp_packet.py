"""ICMP messages, byte by byte."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.icmp_packet import ICMP4, ICMP6, Family, checksum, echo_request, reply_sequence, without_ipv4_header


def test_checksum_of_the_example_of_rfc_1071_is_right() -> None:
    """The sum of 00 01 f2 03 f4 f5 f6 f7 is ddf2, its complement 220d (RFC 1071, section 3)."""
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D


@given(st.binary(max_size=100), st.integers(0, 65_535), st.integers(0, 65_535))
def test_echo_request_verifies_to_zero(payload: bytes, identifier: int, sequence: int) -> None:
    """A receiver that sums the whole message gets zero."""
    assert checksum(echo_request(ICMP4, identifier, sequence, payload)) == 0


@pytest.mark.parametrize("family", [ICMP4, ICMP6])
def test_reply_with_our_cookie_gives_its_sequence(family: Family) -> None:
    """The identifier is the kernel's; the cookie is ours."""
    reply = struct.pack("!BBHHH", family.echo_reply, 0, 0, 4711, 7) + b"cookie"
    assert reply_sequence(family, reply, b"cookie") == 7
    assert reply_sequence(family, reply, b"other!") is None
    assert reply_sequence(family, echo_request(family, 1, 7, b"cookie"), b"cookie") is None


@given(st.binary(max_size=200))
def test_reply_garbage_is_nobodys(packet: bytes) -> None:
    """No bytes of strangers raise or are taken for a reply."""
    inner, _ = without_ipv4_header(packet)
    assert reply_sequence(ICMP4, inner, b"c" * 32) is None


def test_ipv4_header_with_options_is_cut_at_its_length() -> None:
    """A raw socket gives the header too; its length stands in its first byte, the hop limit in its ninth."""
    header = bytes([0x46]) + bytes(7) + bytes([57]) + bytes(15)
    assert without_ipv4_header(header + b"icmp") == (b"icmp", 57)
