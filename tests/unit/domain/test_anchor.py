import pytest

from sentry.domain.anchor import parse_anchor


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.1:443", "192.0.2.1", 443),
        ("[2001:db8::1]:443", "2001:db8::1", 443),
        ("tcp://192.0.2.1:25", "192.0.2.1", 25),
        ("https://192.0.2.1/", "192.0.2.1", 443),
        ("http://[2001:db8::1]/", "2001:db8::1", 80),
        ("icmp:192.0.2.1", "192.0.2.1", 0),
        ("icmp:2001:db8::1", "2001:db8::1", 0),
        ("icmp://192.0.2.1", "192.0.2.1", 0),
    ],
)
def test_anchor_as_people_write_it_is_read(text: str, host: str, port: int) -> None:
    """All the ways that the guide names."""
    anchor = parse_anchor(text)

    assert (anchor.name, anchor.host, anchor.port) == (text, host, port)


@pytest.mark.parametrize(
    "text", ["", "192.0.2.1", "one.example:443", "192.0.2.1:x", "[::1", "icmp:", "gopher://192.0.2.1/"]
)
def test_anchor_that_cannot_be_asked_is_refused(text: str) -> None:
    """The message says how to write it."""
    with pytest.raises(ValueError, match=r"192\.0\.2\.1:443"):
        parse_anchor(text)
