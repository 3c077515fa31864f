"""What mutated responses once broke, each in its smallest form; the time limit of every test is part of these."""

import gzip
import zlib
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from probes.certificate import names_its_issuer, read_certificate
from probes.http_content import MAX_GZIP_MEMBERS, Content, ContentDamagedError, ContentTooLargeError
from probes.http_evidence import http_evidence
from probes.http_exchange import Answer
from probes.http_redaction import redacted_headers, redacted_url
from probes.http_response import Head, HttpBrokenError, ResponseParser
from probes.http_text import body_head, charset_of, holds
from tests.integration.authority import Authority

LONG = 60_000
EMPTY_MEMBER = gzip.compress(b"")


@pytest.mark.parametrize("word", ["a", "hash", "token=", "a=b;"])
def test_redacted_url_of_a_long_query_takes_no_time_to_speak_of(word: str) -> None:
    """A Location of 6,000 characters once held the whole agent up for minutes."""
    shown = redacted_url("/?" + word * (LONG // len(word)))
    assert shown.startswith(("/?" + word)[:8])


def test_redacted_url_hides_a_secret_behind_a_second_equals_sign() -> None:
    """Everything behind the name that looks secret goes."""
    assert redacted_url("/?next=token=abc&a=b=c") == "/?next=token=[redacted]&a=b=c"


def test_redacted_headers_with_a_long_scheme_take_no_time_to_speak_of() -> None:
    """What never becomes an address is not tried again from each of its letters."""
    ((_, shown),) = redacted_headers([("Link", "a" * LONG + "://u:p@h/")])
    assert len(shown) == 1024


def test_redacted_headers_hide_a_user_behind_an_endless_scheme() -> None:
    """The end of a long scheme is one, too."""
    assert redacted_headers([("Link", "a" * 100 + "://u:p@h/")]) == (("Link", "a" * 100 + "://h/"),)


def test_charset_of_a_label_that_never_comes_takes_no_time_to_speak_of() -> None:
    """Spaces between `charset=` and nothing are looked at once."""
    assert charset_of("text/html; charset=" + " " * LONG + "!", b"") == "utf_8"


def test_utf_16_without_a_mark_is_read_as_browsers_do() -> None:
    """Python's own codec asks for a byte-order mark; the page is a page without one."""
    body = "Añadir".encode("utf-16-le")
    charset = charset_of("text/html; charset=utf-16", body)
    assert body_head(body, charset) == "Añadir"
    assert holds(body, "ñad", charset)


def test_last_modified_at_the_end_of_time_is_none() -> None:
    """In UTC that instant lies behind the last one that can be written."""
    assert _last_modified(b"Fri, 31 Dec 9999 23:59:59 -0100") is None
    assert _last_modified(b"Mon, 02 Nov 2026 09:00:00 +0100") == datetime(2026, 11, 2, 8, tzinfo=UTC)


def _last_modified(written: bytes) -> datetime | None:
    answer = Answer(Head(200, "1.1", [(b"Last-Modified", written)]), Content("", 10))
    return http_evidence(answer, (), ()).last_modified


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_content_ignores_what_follows_its_end_however_it_is_cut(coding: str, size: int) -> None:
    """Bytes behind the end are no body, also where they look like a member later on."""
    packed = gzip.compress(b"hola") if coding == "gzip" else zlib.compress(b"hola")
    sent = packed + b"\0" + gzip.compress(b"adios") + bytes(5000)
    content = Content(coding, 10_000)
    for at in range(0, len(sent), size):
        content.feed(sent[at : at + size])
    content.finish()
    assert content.body == b"hola"


@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_content_of_gzip_members_is_read_whole_however_it_is_cut(size: int) -> None:
    """Members in a row are one body, also where a read ends between the two bytes that begin one."""
    sent = gzip.compress(b"ho") + EMPTY_MEMBER + gzip.compress(b"la") + b"\x1f"
    content = Content("gzip", 10_000)
    for at in range(0, len(sent), size):
        content.feed(sent[at : at + size])
    content.finish()
    assert content.body == b"hola"


def test_content_of_very_many_gzip_members_is_refused() -> None:
    """A decoder for each of half a million empty members would be work for seconds."""
    content = Content("gzip", 10_000_000)
    for _ in range(MAX_GZIP_MEMBERS // 1000):
        content.feed(EMPTY_MEMBER * 1000)
    with pytest.raises(ContentDamagedError, match="more than 10,000 members"):
        content.feed(EMPTY_MEMBER)


def test_content_damaged_before_its_bound_is_damaged_however_it_is_cut() -> None:
    """The first of two faults is the verdict, be they in one read or in two."""
    sent = b"\x78\x9c\xff\xff" + bytes(100)
    with pytest.raises(ContentDamagedError):
        Content("deflate", 50).feed(sent)
    with pytest.raises(ContentTooLargeError):
        Content("", 50).feed(sent)


@pytest.mark.parametrize("size", [1, 10_000])
def test_content_damaged_below_a_coding_that_unfolds_too_far_is_damaged(size: int) -> None:
    """The same within codings upon each other: what the outer one gives before its bound is looked at first."""
    sent = gzip.compress(b"no gzip" * 1000)
    content = Content("gzip, gzip", 500)
    with pytest.raises(ContentDamagedError):  # noqa: PT012  # whichever piece it is found in
        for at in range(0, len(sent), size):
            content.feed(sent[at : at + size])


def test_response_parser_hands_over_what_came_before_the_fault_of_the_same_read() -> None:
    """A bad status with broken chunks is a bad status, also when both come in one packet."""
    parser = ResponseParser(method="GET")
    with pytest.raises(HttpBrokenError) as raised:
        parser.feed(b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhola\r\nno chunk\r\n")
    assert parser.head.status == 503
    assert raised.value.pieces == [b"hola"]


def test_response_parser_has_nothing_to_hand_over_of_broken_headers() -> None:
    """Without the whole header section there is no answer."""
    parser = ResponseParser(method="GET")
    with pytest.raises(HttpBrokenError) as raised:
        parser.feed(b"HTTP/1.1 503 Busy\r\nA b: c\0\r\n\r\n")
    assert raised.value.pieces is None


def test_response_parser_reads_a_length_of_thousands_of_zeros() -> None:
    """Python refuses to read a number of more than 4,300 digits; that was called the agent's fault."""
    parser = ResponseParser(method="GET")
    parser.feed(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"0" * 5000 + b"25\r\n\r\n")
    assert parser.content_length == 25


DER = Authority.root().intermediate().leaf("shop.test", "10.0.0.1").certificate.public_bytes(Encoding.DER)
P_256, BASIC_CONSTRAINTS, KEY_USAGE = (bytes.fromhex(oid) for oid in ("2a8648ce3d030107", "551d13", "551d25"))
VERSION_3 = bytes.fromhex("a003020102")


def test_certificate_with_an_unknown_curve_is_read_all_the_same() -> None:
    """Keys that only other libraries know (SM2, for one) are no fault of the agent."""
    read = read_certificate(DER.replace(P_256, P_256[:-1] + b"\x63"))
    assert read is not None
    assert (read.key, read.names) == ("1.2.840.10045.2.1", ("shop.test", "10.0.0.1"))


def test_certificate_with_an_extension_twice_is_read_without_its_names() -> None:
    """Subject and dates still tell the reader whose it is."""
    twice = DER.replace(KEY_USAGE, BASIC_CONSTRAINTS)
    read = read_certificate(twice)
    assert read is not None
    assert ("CN=shop.test" in read.subject, read.names) == (True, ())
    assert not names_its_issuer(twice)


def test_certificate_of_an_unknown_version_is_unreadable() -> None:
    """There are three versions."""
    strange = DER.replace(VERSION_3, VERSION_3[:-1] + b"\x12")
    assert read_certificate(strange) is None
    assert not names_its_issuer(strange)


@given(st.lists(st.tuples(st.integers(0, len(DER) - 1), st.binary(max_size=3)), min_size=1, max_size=4))
def test_certificate_with_changed_bytes_raises_nothing(changes: list[tuple[int, bytes]]) -> None:
    """Whatever a server shows instead of a certificate, the probe goes on."""
    changed = bytearray(DER)
    for at, written in changes:
        changed[at : at + len(written)] = written
    read = read_certificate(bytes(changed))
    assert read is None or read.fingerprint_sha256
    assert names_its_issuer(bytes(changed)) in {True, False}
