"""What headers, cookies, protocols and log-in names are told of."""

import json
import ssl

import pytest

from scanners.exposure import headers, people, protocols
from scanners.web.answer import Answer, NoAnswer, Visitor
from sentry.domain.finding import FindingClass
from tests.fakes.site_over_web import SiteOverWeb

ROOT = "https://site.example/"
US = Visitor("the audit")
SAFE = (
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("content-security-policy", "default-src 'self'; frame-ancestors 'none'"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "strict-origin"),
    ("permissions-policy", "camera=()"),
    ("server", "nginx"),
    ("set-cookie", "PHPSESSID=1; Secure; HttpOnly; SameSite=Lax"),
)


def rules(*answered: tuple[str, str], url: str = ROOT, body: bytes = b"", without: str = "") -> set[str]:
    """The rules that a page with these headers is told of, beside those of a safe one."""
    kept = tuple(pair for pair in SAFE if pair[0] != without)
    return {one.signs[0].rule for one in headers.judged(Answer(url, 200, (*kept, *answered), body), ROOT)}


def test_safe_page_is_told_of_nothing() -> None:
    """Advice that always comes is read by nobody."""
    assert rules() == set()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("strict-transport-security", {"no_lasting_hsts"}),
        ("content-security-policy", {"no_content_security_policy", "may_be_framed"}),
        ("x-content-type-options", {"content_type_guessed"}),
        ("referrer-policy", {"no_referrer_policy"}),
        ("permissions-policy", {"no_permissions_policy"}),
    ],
)
def test_header_that_is_missing_is_advice(name: str, expected: set[str]) -> None:
    """Each by a rule of its own, so that drift shows in the next audit."""
    assert rules(without=name) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (("server", "Apache/2.4.57 (Debian)"), {"version_in_server"}),
        (("x-powered-by", "PHP/8.2.7"), {"version_in_x_powered_by"}),
        (("set-cookie", "PHPSESSID=1; Secure; SameSite=Lax"), {"cookie_without_httponly"}),
        (("set-cookie", "colour=blue; SameSite=Lax"), {"cookie_without_secure"}),
        (("set-cookie", "colour=blue; Secure"), {"cookie_without_samesite"}),
    ],
)
def test_header_that_lets_something_out_is_advice(header: tuple[str, str], expected: set[str]) -> None:
    """Versions, and cookies that go too far."""
    assert rules(header) == expected


def test_short_hsts_and_generator_are_advice() -> None:
    """A week is not enough; and the page itself tells versions too."""
    short = (("strict-transport-security", "max-age=604800"),)
    page = b'<meta name="generator" content="WordPress 6.1.9" />'
    assert rules(*short, without="strict-transport-security", body=page) == {"no_lasting_hsts", "version_in_page"}


def test_page_without_tls_is_not_told_of_what_needs_tls() -> None:
    """That it has no TLS is told once, elsewhere."""
    assert "no_lasting_hsts" not in rules(without="strict-transport-security", url="http://site.example/")


def protocol_rules(web: SiteOverWeb) -> dict[str, FindingClass]:
    found = list(protocols.judged(web, US, ROOT))
    assert not [one for one in found if isinstance(one, NoAnswer)]
    return {one.signs[0].rule: one.verdict for one in found if not isinstance(one, NoAnswer)}


REDIRECT = {"http://site.example/": Answer("", 301, (), b"", "https://site.example/")}
TRIED = {(trial.highest, trial.ciphers): trial.rule for trial in protocols.TRIALS}


def test_old_protocols_and_ciphers_are_told() -> None:
    """Advice, but for a cipher that hides nothing."""
    agreed: dict[tuple[ssl.TLSVersion | None, str], str] = {
        (ssl.TLSVersion.TLSv1_1, protocols.EVERY_CIPHER): "TLSv1.1 ECDHE-RSA-AES128-SHA",
        (ssl.TLSVersion.TLSv1_2, "eNULL:aNULL"): "TLSv1.2 ADH-AES256-SHA",
    }
    assert protocol_rules(SiteOverWeb(REDIRECT, handshakes=agreed)) == {
        "tls_1_1_taken": FindingClass.ADVICE,
        "tls_without_secrecy": FindingClass.EXPOSED,
    }


def test_handshake_that_came_to_an_older_version_is_told_once() -> None:
    """Offered 1.1, a server that only knows 1.0 takes that: it is not told of 1.1."""
    agreed: dict[tuple[ssl.TLSVersion | None, str], str] = {
        (version, protocols.EVERY_CIPHER): "TLSv1 AES128-SHA"
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
    }
    assert set(protocol_rules(SiteOverWeb(REDIRECT, handshakes=agreed))) == {"tls_1_0_taken"}


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (Answer("", 301, (), b"", "https://site.example/"), set()),
        (Answer("", 403), set()),
        (Answer("", 200, (), b"home"), {"http_not_redirected"}),
        (Answer("", 302, (), b"", "http://site.example/en/"), {"http_not_redirected"}),
    ],
)
def test_page_without_tls_must_lead_to_the_one_with_it(page: Answer, expected: set[str]) -> None:
    """Or not answer."""
    assert set(protocol_rules(SiteOverWeb({"http://site.example/": page}))) == expected


def test_site_without_tls_is_told_so() -> None:
    """And nothing else is tried."""
    web = SiteOverWeb({}, origin="http://site.example")
    assert set(protocol_rules(web)) == {"no_tls"}
    assert web.asked == 0


def test_names_of_people_are_told_of_by_either_way() -> None:
    """By number and by the REST interface; the names are shown, for their owner must know them."""
    users = json.dumps([{"id": 1, "slug": "ana"}, {"id": 2, "slug": "b\x1b[31m"}])
    web = SiteOverWeb(
        {"/?author=1": Answer("", 301, (), b"", f"{ROOT}author/ana/"), "/wp-json/wp/v2/users?per_page=5": users}
    )

    found = {one.signs[0].rule: one.signs[0].detail for one in people.judged(web, US, ROOT)}

    assert found["names_by_author_page"] == "ana"
    assert found["names_by_rest"].startswith("ana, b")
    assert "\x1b" not in found["names_by_rest"]


@pytest.mark.parametrize("body", ['{"code": "rest_user_cannot_view"}', "[]", "<html>", '[{"name": "x"}]', "[" * 999])
def test_names_that_are_kept_are_not_told_of(body: str) -> None:
    """An interface that refuses, and whatever else answers there."""
    web = SiteOverWeb({}, other=lambda _path, _visitor: body)

    assert list(people.judged(web, US, ROOT)) == []


def test_wordpress_is_known_by_its_page() -> None:
    """Only then are its addresses asked for."""
    assert people.is_wordpress(Answer(ROOT, 200, (), b'<link href="/wp-content/themes/a.css">'))
    assert people.is_wordpress(Answer(ROOT, 200, (("link", '<https://a/wp-json/>; rel="https://api.w.org/"'),)))
    assert not people.is_wordpress(Answer(ROOT, 200, (), b"<html>"))
