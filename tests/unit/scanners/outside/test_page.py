"""What of a page matters, and what is left out because it changes anyway."""

import pytest

from scanners.outside.page import internal_links, viewed
from scanners.outside.parties import is_foreign, is_helper
from scanners.web.answer import Answer

PAGE = b"""<!DOCTYPE html><html><head><title>Shop</title>
<meta http-equiv="refresh" content="0; URL='https://away.example/x'">
<script nonce="a8f3" src="https://cdn.stranger.example/x.js?v=1"></script>
<script src="/own.js"></script><script src=//img.shop.test/a.js></script>
<script>var t = "6f2a9c31d8"; location.href = "/next?" + 1732300000;</script>
<script>var plain = 1;</script>
<style>.hidden { color: red }</style></head>
<body><p>Buy our beautiful&nbsp;things</p><!-- nobody reads this -->
<a href="https://friend.example/page">friend</a> <a href='/about?x=1#y'>about</a> <a href="/about/">us</a>
<a href="/log-out">out</a>
<a href="/?p=12">post</a> <a href="/?add=1">buy</a>
<a href="/a.pdf">file</a> <a href="http://[bad">bad</a> <a href="mailto:a@b.example">m</a>
<iframe src="https://frame.example/"></iframe></body></html>"""


def test_page_shows_whom_it_brings_in_and_where_it_leads() -> None:
    """Its own hosts, and its sisters, are none of that."""
    view = viewed(Answer("https://www.shop.test/", 200, (), PAGE), "www.shop.test")

    assert view.scripts == {"cdn.stranger.example", "frame.example"}
    assert view.links == {"friend.example"}
    assert view.leaves_to == "away.example"
    assert {"beautiful", "things", "friend", "shop"} <= view.words
    assert not {"hidden", "nobody", "plain", "location"} & view.words


def test_script_that_changes_with_each_look_is_the_same() -> None:
    """Nonces, tokens, times and counters are left out."""
    other = PAGE.replace(b"6f2a9c31d8", b"11aa22bb33").replace(b"1732300000", b"1732300099").replace(b"a8f3", b"9999")

    one, two = (viewed(Answer("https://shop.test/", 200, (), body), "shop.test") for body in (PAGE, other))

    assert one == two
    assert len(one.active) == 1


def test_page_that_repeats_what_the_visitor_said_is_the_same() -> None:
    """Some print the referrer into a script."""
    body = b'<script>document.write("x"); var r = "%s";</script>'
    one = viewed(Answer("https://a.test/", 200, (), body % b""), "a.test", [b"https://www.google.com/"])
    two = viewed(
        Answer("https://a.test/", 200, (), body % b"https://www.google.com/"), "a.test", [b"https://www.google.com/"]
    )

    assert one == two


def test_links_of_a_page_are_those_worth_a_look() -> None:
    """Pages of the same host that do nothing, each once."""
    assert internal_links(Answer("https://www.shop.test/", 200, (), PAGE)) == [
        "https://www.shop.test/about/",
        "https://www.shop.test/?p=12",
    ]


@pytest.mark.parametrize(
    "body", [b"<script>" * 100_000, b"<a " * 300_000, b"<!--" * 200_000, b'<a href="' * 100_000, b"<" * 1_000_000]
)
def test_page_that_is_a_trap_is_read_to_its_end(body: bytes) -> None:
    """Every pattern is linear in what a stranger sends, or the test would never end."""
    view = viewed(Answer("https://a.test/", 200, (), body[:1_000_000]), "a.test")

    assert view.scripts == view.links == view.active == frozenset()


@pytest.mark.parametrize(
    ("host", "own", "expected"),
    [
        ("www.shop.test", "shop.test", False),
        ("m.shop.test", "www.shop.test", False),
        ("shop.co.uk", "evil.co.uk", True),
        ("cdn.shop.co.uk", "shop.co.uk", False),
        ("shop.test.evil.example", "shop.test", True),
        ("127.0.0.1", "127.0.0.2", True),
        ("localhost", "localhost", False),
    ],
)
def test_host_is_foreign_when_another_party_registered_it(host: str, own: str, expected: bool) -> None:
    """As far as that shows in the name."""
    assert is_foreign(host, own) is expected


def test_helper_is_known_by_its_whole_name() -> None:
    """And not by an ending that anybody can register."""
    assert is_helper("www.googletagmanager.com")
    assert not is_helper("notgoogletagmanager.com")
