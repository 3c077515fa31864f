import gzip
import re
import zlib
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.http_content import Content, ContentDamagedError, ContentTooLargeError
from probes.http_cookies import CookieJar
from probes.http_patterns import PatternTooSlowError, search
from probes.http_response import HttpBrokenError, ResponseParser
from probes.http_target import Target
from probes.http_text import charset_of, holds

# ── response ─────────────────────────────────────────────────────────────────────────────────────────────────────

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nA: 1\r\nA: 2\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhola\r\n1\r\n!\r\n0\r\nT: x\r\n\r\n"
)


@given(st.lists(st.integers(0, len(CHUNKED)), max_size=12))
def test_response_parser_cut_anywhere_reads_the_same(cuts: list[int]) -> None:
    """However a response is torn into packets, the outcome is the same."""
    parser = ResponseParser(method="GET")
    bounds = [0, *sorted(cuts), len(CHUNKED)]
    body = b"".join(b"".join(parser.feed(CHUNKED[a:b])) for a, b in pairwise(bounds))
    assert parser.complete
    assert (parser.head.status, parser.head.version, body) == (200, "1.1", b"hola!")
    assert (parser.head.get("a"), parser.head.get("T")) == ("1, 2", None)


@given(st.binary(max_size=300))
def test_response_parser_fed_garbage_raises_only_its_own_error(garbage: bytes) -> None:
    """No bytes of a stranger get another exception out of the parser."""
    parser = ResponseParser(method="GET")
    with suppress(HttpBrokenError):
        parser.feed(garbage)
        parser.feed(b"HTTP/1.1 200 OK\r\n" + garbage)
        parser.end_of_stream()
    assert parser.headers_complete >= parser.complete


def test_response_parser_counts_endless_trailers_and_extensions() -> None:
    """What is neither body nor end is bounded, too."""
    parser = ResponseParser(method="GET")
    parser.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 60_000)
    with pytest.raises(HttpBrokenError, match="have no end"):
        parser.feed(b"x" * 6000)


# ── content ──────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.binary(max_size=2000), st.integers(1, 50), st.sampled_from(["gzip", "deflate", "gzip, deflate"]))
def test_content_in_pieces_decodes_to_what_was_encoded(plain: bytes, size: int, codings: str) -> None:
    """Pieces of any size give the body back."""
    encoded = plain
    for coding in codings.split(", "):
        encoded = gzip.compress(encoded) if coding == "gzip" else zlib.compress(encoded)
    content = Content(codings, 10_000)
    for at in range(0, len(encoded), size):
        content.feed(encoded[at : at + size])
    content.finish()
    assert bytes(content.body) == plain
    assert content.transferred_bytes == len(encoded)


@given(st.binary(min_size=1, max_size=200), st.sampled_from(["gzip", "deflate", "br", "br, gzip"]))
def test_content_of_garbage_raises_only_its_own_errors(garbage: bytes, codings: str) -> None:
    """Damaged bodies are said to be damaged."""
    content = Content(codings, 1000)
    with suppress(ContentDamagedError, ContentTooLargeError):
        content.feed(garbage)
        content.finish()
    assert len(content.body) <= 1001


def test_content_bomb_within_a_bomb_is_bounded_at_each_level() -> None:
    """Zeros packed twice unfold no further than the bound at the first level."""
    bomb = gzip.compress(gzip.compress(bytes(50_000_000), 9), 9)
    assert len(bomb) < 5000
    content = Content("gzip, gzip", 100_000)
    with pytest.raises(ContentTooLargeError, match="decompressed body is larger than 100,000 bytes"):
        content.feed(bomb)
    assert len(content.body) <= 100_001


def test_content_with_many_codings_is_refused() -> None:
    """Nobody packs a page four times."""
    with pytest.raises(ContentDamagedError, match="4 content codings"):
        Content("gzip, gzip, gzip, gzip", 1000)


# ── text and patterns ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content_type", "body", "charset"),
    [
        (None, b"", "utf_8"),
        ("text/html; charset=utf-8", b"", "utf_8"),
        ('text/html; charset="ISO-8859-1"', b"", "cp1252"),
        ("text/html", b"<meta http-equiv=content-type content='text/html; charset=shift_jis'>", "cp932"),
        ("text/html; charset=utf-8", "\ufeffa".encode("utf-16-le"), "utf_16"),
        ("text/html; charset=punycode", b"", "utf_8"),
        ("text/html; charset=zlib", b"", "utf_8"),
        ("text/html; charset=unicode_escape", b"", "utf_8"),
    ],
)
def test_charset_is_found_and_never_a_dangerous_codec(content_type: str | None, body: bytes, charset: str) -> None:
    """Mark, header and page in this order; codecs that the web does not use are not taken."""
    assert charset_of(content_type, body) == charset


def test_text_is_found_in_the_bytes_of_its_charset() -> None:
    """The wanted text is compared as the page encodes it."""
    assert holds("Añadir".encode("cp1252"), "ñ", "cp1252")
    assert not holds("Añadir".encode("cp1252"), "日", "cp1252")
    assert holds("\ufeffAñadir".encode("utf-16-be"), "ñad", "utf_16")


def test_search_sees_only_the_bounded_part() -> None:
    """What stands behind the bound is not searched."""
    assert search(re.compile("needle"), "x" * 131_066 + "needle")
    assert not search(re.compile("needle"), "x" * 131_067 + "needle")


def test_search_of_a_runaway_pattern_is_interrupted_and_the_next_one_is_not() -> None:
    """The timer stops the pattern it was set for, and no other."""
    with pytest.raises(PatternTooSlowError):
        search(re.compile("(a|a)+$"), "a" * 60 + "!")
    assert search(re.compile("a!"), "a" * 60 + "!")


# ── target and cookies ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("url", "target", "shown"),
    [
        ("https://Shop.Test", ("shop.test", 443, "/", "shop.test"), "https://shop.test/"),
        ("http://h:8080/a b?c=ñ#d", ("h", 8080, "/a%20b?c=%C3%B1", "h:8080"), "http://h:8080/a%20b?c=%C3%B1"),
        ("https://[::1]/", ("::1", 443, "/", "[::1]"), "https://[::1]/"),
        ("http://[::1]:81/", ("::1", 81, "/", "[::1]:81"), "http://[::1]:81/"),
        ("http://bücher.example/", ("xn--bcher-kva.example", 80, "/", "xn--bcher-kva.example"), None),
        ("http://ana:p%40ss@h/", ("h", 80, "/", "h"), "http://h/"),
    ],
)
def test_target_is_taken_apart(url: str, target: tuple[str, int, str, str], shown: str | None) -> None:
    """Host, port, request target and Host header; credentials do not show."""
    parsed = Target.parse(url)
    assert (parsed.host, parsed.port, parsed.path, parsed.authority) == target
    assert parsed.url == (shown or f"http://{parsed.host}/")


def test_target_keeps_the_credentials_of_an_address() -> None:
    """User and password are percent-decoded."""
    parsed = Target.parse("http://ana:p%40ss@h/")
    assert (parsed.username, parsed.password) == ("ana", "p@ss")


@pytest.mark.parametrize(
    ("left", "right", "trusted"),
    [
        ("https://a.test/", "https://a.test/x", True),
        ("http://a.test/", "https://a.test/", True),
        ("https://a.test/", "http://a.test/", False),
        ("http://a.test:8080/", "https://a.test/", False),
        ("https://a.test/", "https://a.test:8443/", False),
        ("https://a.test/", "https://b.a.test/", False),
    ],
)
def test_target_trusts_its_own_origin_and_the_step_up_to_https(left: str, right: str, trusted: bool) -> None:
    """Credentials go on only where they tell nobody new."""
    assert Target.parse(left).trusts(Target.parse(right)) is trusted


def test_cookies_go_back_only_where_they_belong() -> None:
    """Host, domain, Secure and deletion are honoured; nonsense is dropped."""
    jar = CookieJar()
    shop, www = Target.parse("https://shop.test/"), Target.parse("https://www.shop.test/")
    plain, other = Target.parse("http://shop.test/"), Target.parse("https://other.test/")
    jar.take(["a=1; Path=/", "b=2; Domain=.shop.test; Secure", "c=3; Domain=other.test", "d", "e\x01x=5"], shop)
    assert jar.header(shop) == "a=1; b=2; c=3"
    assert jar.header(www) == "b=2"
    assert jar.header(plain) == "a=1; c=3"
    assert jar.header(other) is None
    jar.take(["a=; Max-Age=0"], shop)
    assert jar.header(shop) == "b=2; c=3"


def test_cookies_are_bounded() -> None:
    """A site that sets a thousand cookies gets fifty back."""
    jar, shop = CookieJar(), Target.parse("https://shop.test/")
    jar.take([f"c{number}=1" for number in range(1000)], shop)
    assert (jar.header(shop) or "").count("=") == 50
