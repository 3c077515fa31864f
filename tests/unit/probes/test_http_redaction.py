import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.http_redaction import redacted_headers, redacted_url, shown_url
from probes.plain_text import harmless, one_line


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ana:pw@shop.test:8443/a?b=1", "https://shop.test:8443/a?b=1"),
        ("/in?page=2&access_token=abc#sid=9", "/in?page=2&access_token=[redacted]#sid=[redacted]"),
        ("/?X-Amz-Signature=abc&user=ana", "/?X-Amz-Signature=[redacted]&user=ana"),
        ("/a?b=1", "/a?b=1"),
        ("http://[broken", "[redacted]"),
    ],
)
def test_redacted_url_shows_where_but_no_secret(url: str, shown: str) -> None:
    """User, password and what looks like a secret are taken out."""
    assert redacted_url(url) == shown


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Set-Cookie", "sid=abc=def; Path=/; Secure", "sid=[redacted]; Path=/; Secure"),
        ("SET-COOKIE", "lonely", "lonely=[redacted]"),
        ("Cookie", "a=b", "[redacted]"),
        ("Authorization", "Basic x", "[redacted]"),
        ("Proxy-Authenticate", "Basic", "[redacted]"),
        ("X-Api-Key", "abc", "[redacted]"),
        ("X-Auth-Token", "abc", "[redacted]"),
        ("X-Session-Id", "abc", "[redacted]"),
        ("WWW-Authenticate", 'Basic realm="Shop"', 'Basic realm="Shop"'),
        ("Location", "https://a:b@c.test/?code=1", "https://c.test/?code=[redacted]"),
        ("Link", "<https://u:p@c.test/n?key=1>; rel=next", "<https://c.test/n?key=[redacted]>; rel=next"),
        ("Content-Type", "text/html", "text/html"),
        ("X-Echo", "you said hunter22!", "you said [redacted]"),
        ("X-Evil", "a\x1b[31mb\u202ec", "a\ufffd[31mb\ufffdc"),
    ],
)
def test_redacted_headers_keep_what_helps_and_hide_what_is_secret(name: str, value: str, shown: str) -> None:
    """Names and attributes stay, values that log someone in do not."""
    assert redacted_headers([(name, value)], ["hunter22!"]) == ((name, shown),)


def test_redacted_headers_are_bounded_in_number_and_length() -> None:
    """A hundred headers of a thousand characters are enough for any reader."""
    kept = redacted_headers([("X", "y" * 5000)] * 150)
    assert len(kept) == 100
    assert len(kept[0][1]) == 1024


@given(st.text(max_size=60), st.text(max_size=200))
def test_redaction_of_anything_gives_one_harmless_line(name: str, value: str) -> None:
    """No header and no address of a stranger breaks a log line or raises."""
    ((shown_name, shown_value),) = redacted_headers([(name, value)])
    for text in (shown_name, shown_value, shown_url(value)):
        assert text == harmless(text)
        assert len(text.splitlines()) <= 1


def test_one_line_cuts_and_joins() -> None:
    """Line ends become spaces, a long text ends with an ellipsis."""
    assert one_line("a\r\n b\tc", 10) == "a b c"
    assert one_line("abcdef", 4) == "abc…"
