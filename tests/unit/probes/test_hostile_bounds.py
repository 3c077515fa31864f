"""Bounds that only a hostile server meets, without a server."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from probes.certificate import KEPT_DER_BYTES, read_certificate
from probes.http_response import HttpBrokenError, ResponseParser
from tests.integration.authority import self_signed

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_chunks_of_one_byte_are_read_whatever_their_number() -> None:
    """Tiny chunks are silly and allowed: five bytes of framing for each of the body."""
    parser = ResponseParser(method="GET")
    parser.feed(CHUNKED)
    body = b"".join(b"".join(parser.feed(b"1\r\nx\r\n" * 1000)) for _ in range(100))
    assert body == b"x" * 100_000


def test_chunk_extensions_between_bytes_of_the_body_are_bounded() -> None:
    """A byte of the body now and then does not buy any amount of framing."""
    parser = ResponseParser(method="GET")
    piece = b"1;a=" + b"b" * 30_000 + b"\r\nx\r\n"
    parser.feed(CHUNKED + piece)
    parser.feed(piece)
    with pytest.raises(HttpBrokenError, match="bytes of headers or chunk framing have no end"):
        parser.feed(piece)


def test_large_certificate_is_read_and_not_kept() -> None:
    """A server that shows a new large one to each probe cannot fill the cache; a common one is decoded once."""
    common = self_signed("shop.test").certificate
    large = self_signed("shop.test", *(f"{number}.{'x' * 50}.test" for number in range(200))).certificate
    der_common, der_large = (one.public_bytes(Encoding.DER) for one in (common, large))
    assert len(der_large) > KEPT_DER_BYTES
    assert read_certificate(der_common) is read_certificate(der_common)
    first, second = read_certificate(der_large), read_certificate(der_large)
    assert first is not None
    assert first == second
    assert first is not second
