"""The response path under any cut and any coding; and what fuzzing once kept, replayed. docs/fuzzing.md says more."""

import gzip
import zlib
from collections.abc import Callable, Mapping

import brotli  # type: ignore[import-untyped]  # it ships no annotations
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from probes.http_options import HttpOptions
from sentry.domain.result import Reason
from tests.fuzz.corpus import seeds
from tests.fuzz.invariants import check, torn
from tests.fuzz.response_outcome import MAX_BODY_BYTES, ResponsePath

SEEDS = seeds()
ANYTHING = ResponsePath(HttpOptions(max_body_bytes=MAX_BODY_BYTES, accepted_status=("200-599",)))


def _raw_deflate(plain: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-15)
    return packing.compress(plain) + packing.flush()


def _members(plain: bytes) -> bytes:
    middle = len(plain) // 2
    return gzip.compress(plain[:middle]) + gzip.compress(plain[middle:])


CODINGS: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "gzip members": ("gzip", _members),
    "x-gzip": ("X-GZIP", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("Deflate", _raw_deflate),
    "br": ("br", brotli.compress),
    "identity": ("identity", bytes),
}
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,20}", fullmatch=True).map("X-{}".format)
VALUES = st.from_regex(r"([!-~\xa1-\xff]([ \t!-~\xa1-\xff]{0,60}[!-~\xa1-\xff])?)?", fullmatch=True)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=6)
EXTENSIONS = st.sampled_from([b"", b";a", b";a=b", b';a="b c"'])
INTERIM = st.lists(
    st.sampled_from([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX-A: b\r\n\r\n"]),
    max_size=3,
)


@st.composite
def _chunks(draw: st.DrawFn, body: bytes) -> bytes:
    """A body in chunks of any sizes, with extensions, zeros before a size, and trailers."""
    places = draw(st.lists(st.integers(0, len(body)), max_size=6))
    sent = b""
    for piece in torn(body, places):
        size = f"{len(piece):0{draw(st.integers(1, 6))}x}".encode()
        sent += draw(st.sampled_from([size, size.upper()])) + draw(EXTENSIONS) + b"\r\n" + piece + b"\r\n"
    trailers = draw(st.sampled_from([b"", b"X-Sum: 1\r\n", b"X-Sum: 1\r\nX-Sum: 2\r\n"]))
    return sent + b"0" + draw(EXTENSIONS) + b"\r\n" + trailers + b"\r\n"


@st.composite
def _responses(draw: st.DrawFn) -> tuple[bytes, int, list[tuple[str, str]], bytes]:
    """A valid response, and what must be read from it: status, its free headers, the plain body."""
    plain = draw(st.binary(max_size=600) | st.text(max_size=300).map(str.encode))
    coded, names = plain, []
    for coding in draw(st.lists(st.sampled_from(sorted(CODINGS)), max_size=3)):
        name, encode = CODINGS[coding]
        coded = encode(coded)
        names.append(name)
    headers = draw(HEADERS)
    lines = [f"{name}:{draw(st.sampled_from(['', ' ', '  ']))}{value}" for name, value in headers]
    lines += [f"Content-Encoding: {', '.join(names)}"] if names else []
    framing = draw(st.sampled_from(["length", "chunks", "close"]))
    sent = coded
    if framing == "length":
        lines.append(f"Content-Length: {len(coded)}")
    elif framing == "chunks":
        lines.append("Transfer-Encoding: chunked")
        sent = draw(_chunks(coded))
    status = draw(st.integers(200, 599).filter(lambda number: number not in {204, 304}))
    head = "\r\n".join([f"HTTP/1.{draw(st.integers(0, 1))} {status} Any", *lines, "", ""]).encode("latin-1")
    return b"".join(draw(INTERIM)) + head + sent, status, headers, plain


@settings(max_examples=40)
@given(_responses(), st.lists(st.integers(0, 2000), max_size=30))
def test_any_valid_response_cut_anywhere_is_read_as_it_was_meant(
    response: tuple[bytes, int, list[tuple[str, str]], bytes], places: list[int]
) -> None:
    """Status, headers and plain body come out whatever the framing, the codings and the packets."""
    sent, status, headers, plain = response
    whole = ANYTHING.outcome([sent])
    assert whole.result.reason is None, whole.result.detail
    http = whole.result.evidence.http
    assert http is not None
    assert (http.status, http.uncompressed_bytes) == (status, len(plain))
    assert [name for name, _ in http.headers if name.startswith("X-")] == [name for name, _ in headers]
    for cut in (places, [place + 1 for place in places], range(len(sent)) if len(sent) < 1500 else ()):
        assert ANYTHING.outcome(torn(sent, list(cut))).fixed == whole.fixed


@settings(max_examples=40)
@given(_responses(), st.data())
def test_any_response_cut_short_is_never_up_with_a_wrong_body(
    response: tuple[bytes, int, list[tuple[str, str]], bytes], data: st.DataObject
) -> None:
    """A response that breaks off is broken, unless only its framing said where it ends."""
    sent, _, _, plain = response
    cut = sent[: data.draw(st.integers(0, len(sent) - 1))]
    result = ANYTHING.outcome([cut] if cut else []).result
    assert result.reason in {None, Reason.HTTP_PROTOCOL}
    http = result.evidence.http
    if result.reason is None and http is not None:
        assert http.uncompressed_bytes <= len(plain)


@given(st.binary(max_size=400))
@example(b"")
@example(b"HTTP/1.1 302 Found\r\nLocation: /?" + b"hash" * 1500 + b"\r\n\r\n")
@example(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-16\r\n\r\nodd")
@example(b"HTTP/1.1 200 OK\r\nLast-Modified: Fri, 31 Dec 9999 23:59:59 -0100\r\n\r\n")
@example(b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhola\r\nno chunk\r\n")
def test_any_bytes_keep_the_invariants(garbage: bytes) -> None:
    """Whatever comes, the agent is not accused, nothing grows, and packets make no difference."""
    check(garbage)
    check(b"HTTP/1.1 200 OK\r\n" + garbage)


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_kept_response_keeps_the_invariants(name: str) -> None:
    """What real servers sent, and what once broke something or took a way of its own, does no harm."""
    check(SEEDS[name])


def test_recorded_responses_are_read_whole() -> None:
    """The corpus is what it says: answers of real servers, none of which is broken."""
    recorded = {name: data for name, data in SEEDS.items() if name.startswith("recorded/")}
    assert len(recorded) >= 20
    assert not [name for name, data in recorded.items() if ANYTHING.outcome([data]).result.reason is not None]
