"""ICMP echo messages of both families (RFC 792, RFC 4443): made, read, matched."""

import struct
from dataclasses import dataclass

HEADER = struct.Struct("!BBHHH")
IPV4_HEADER_WORDS = 0x0F
MIN_IPV4_HEADER_BYTES = 20
TTL_OFFSET = 8


@dataclass(frozen=True, slots=True)
class Family:
    """Message types of one ICMP version."""

    echo_request: int
    echo_reply: int


ICMP4 = Family(echo_request=8, echo_reply=0)
ICMP6 = Family(echo_request=128, echo_reply=129)


def echo_request(family: Family, identifier: int, sequence: int, payload: bytes) -> bytes:
    """Returns an echo request with its checksum; for ICMPv6 the kernel writes its own over it."""
    empty = HEADER.pack(family.echo_request, 0, 0, identifier, sequence) + payload
    return HEADER.pack(family.echo_request, 0, checksum(empty), identifier, sequence) + payload


def checksum(data: bytes) -> int:
    """Returns the Internet checksum (RFC 1071) of data whose checksum field is zero."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total > 0xFFFF:  # noqa: PLR2004  # the sum is folded into 16 bits
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def reply_sequence(family: Family, packet: bytes, cookie: bytes) -> int | None:
    """Returns the sequence number of an echo reply to us, None for anything else.

    The cookie tells our replies from those of other probes and programs, whatever identifier the kernel chose.
    """
    if len(packet) < HEADER.size:
        return None
    header: tuple[int, int, int, int, int] = HEADER.unpack_from(packet)
    kind, code, _, _, sequence = header
    if kind != family.echo_reply or code != 0 or packet[HEADER.size :] != cookie:
        return None
    return sequence


def without_ipv4_header(packet: bytes) -> tuple[bytes, int | None]:
    """Splits what a raw IPv4 socket gives into the ICMP message and the time to live; (b"", None) for garbage."""
    if len(packet) < MIN_IPV4_HEADER_BYTES:
        return b"", None
    length = (packet[0] & IPV4_HEADER_WORDS) * 4
    return packet[max(length, MIN_IPV4_HEADER_BYTES) :], packet[TTL_OFFSET]
