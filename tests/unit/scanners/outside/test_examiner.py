"""Whether a site shows everybody the same, judged by what it shows to whom."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scanners.malware import Malware
from scanners.outside.examiner import OutsideExaminer
from scanners.web.answer import Answer, Visitor
from scanners.web.visitors import FROM_SEARCH, PERSON, SEARCH_BOT, TELEPHONE
from sentry.domain.finding import Finding, FindingClass, Manifest, Place
from sentry.domain.site import CheckOptions, Site
from tests.fakes.scene import scene_of
from tests.fakes.site_over_web import Page, SiteOverWeb

SITE = Site(key="site", url="https://site.example/", checks=(CheckOptions(kind="http"),))
JUDGE = Malware().judge
WORDS = " ".join(f"word{chr(97 + one // 26)}{chr(97 + one % 26)}" for one in range(200))
HOME = f"<!DOCTYPE html><html><body><p>{WORDS}</p><a href='/about/'>about</a>"
OTHER_TEXT = " ".join(f"pill{chr(97 + one // 26)}{chr(97 + one % 26)}" for one in range(200))
SPAM = "".join(f'<a href="https://pills{one}.example/">buy</a>' for one in range(4))
SCRIPT = '<script src="https://evil.stranger.example/x.js"></script>'
LOADER = "<script>var s = document.createElement('script'); s.src = '/wp-includes/x' + 'y.js'; go(s)</script>"
AWAY = Answer("", 302, (), b"", "https://casino.stranger.example/?id=7")


def compared(
    tmp_path: Path, shown: Callable[[str, Visitor], Page], *, pages: int = 1, limit: int = 1_000
) -> tuple[list[Finding], Manifest]:
    """Compares what a site shows."""
    web = SiteOverWeb({}, other=shown, limit=limit)
    scene = scene_of(tmp_path, site=SITE)
    return list(OutsideExaminer(lambda _site: web, JUDGE, pages).examine(scene)), scene.manifest


def only_for(visitor: Visitor, page: Page) -> Callable[[str, Visitor], Page]:
    return lambda _path, asking: page if asking is visitor else HOME


@pytest.mark.parametrize(
    ("visitor", "page", "rule", "verdict"),
    [
        (TELEPHONE, AWAY, "redirect_for_some_telephone", FindingClass.CONFIRMED),
        (FROM_SEARCH, AWAY, "redirect_for_some_from_search", FindingClass.CONFIRMED),
        (FROM_SEARCH, HOME + SCRIPT, "foreign_script_for_some_from_search", FindingClass.CONFIRMED),
        (TELEPHONE, HOME + SCRIPT, "foreign_script_for_some_telephone", FindingClass.SUSPICIOUS),
        (SEARCH_BOT, HOME + SPAM, "foreign_links_for_some_search_bot", FindingClass.CONFIRMED),
        (
            SEARCH_BOT,
            HOME + '<a href="https://one.example/">x</a>',
            "foreign_links_for_some_search_bot",
            FindingClass.SUSPICIOUS,
        ),
        (SEARCH_BOT, f"<html><p>{OTHER_TEXT}</p></html>", "text_for_some_search_bot", FindingClass.SUSPICIOUS),
        (FROM_SEARCH, HOME + LOADER, "script_in_page_for_some_from_search", FindingClass.SUSPICIOUS),
        (SEARCH_BOT, Answer("", 403), "some_turned_away_search_bot", FindingClass.ADVICE),
        (
            TELEPHONE,
            '<meta http-equiv="refresh" content="0;url=https://casino.stranger.example/">',
            "redirect_for_some_telephone",
            FindingClass.CONFIRMED,
        ),
    ],
)
def test_page_that_differs_for_some_is_found(
    tmp_path: Path, visitor: Visitor, page: Page, rule: str, verdict: FindingClass
) -> None:
    """By who is shown what."""
    found, _ = compared(tmp_path, only_for(visitor, page))

    told = {one.signs[0].rule: one for one in found}
    assert told[rule].verdict is verdict
    assert (told[rule].path, told[rule].place) == ("https://site.example/", Place.OUTSIDE)


def honest_shop(_path: str, visitor: Visitor) -> Page:
    """Another sheet for telephones, and no measuring of bots."""
    measured = "" if visitor is SEARCH_BOT else '<script src="https://www.googletagmanager.com/gtm.js?id=1"></script>'
    sheet = "<link rel=stylesheet href=/m.css>" if visitor is TELEPHONE else ""
    return HOME + measured + sheet


def advertising() -> Callable[[str, Visitor], Page]:
    """Shows another advertisement, another nonce and another token each time."""
    count = iter(range(10_000))

    def shown(_path: str, _visitor: Visitor) -> Page:
        turn = next(count)
        return (
            f'{HOME}<a href="https://advert{turn}.example/">ad</a><script src="https://ads{turn}.example/a.js"></script>'
            f"<script nonce={turn}>document.write('{turn:032x}')</script>"
        )

    return shown


def to_own_telephone_site(_path: str, visitor: Visitor) -> Page:
    return Answer("", 302, (), b"", "https://m.site.example/") if visitor is TELEPHONE else HOME


def to_the_app_store(_path: str, visitor: Visitor) -> Page:
    return Answer("", 302, (), b"", "https://play.google.com/store/apps/x") if visitor is TELEPHONE else HOME


def prerendering(_path: str, visitor: Visitor) -> Page:
    """An application that draws itself in the browser, and is drawn beforehand for bots."""
    return HOME if visitor is SEARCH_BOT else "<!DOCTYPE html><html><div id=app></div></html>"


def flickering() -> Callable[[str, Visitor], Page]:
    """Shows the bot something else once, and never again."""
    count = iter(range(10_000))
    return lambda _path, visitor: HOME + SCRIPT if visitor is SEARCH_BOT and next(count) == 0 else HOME


@pytest.mark.parametrize(
    "shown",
    [
        lambda _path, _visitor: HOME,
        honest_shop,
        advertising(),
        to_own_telephone_site,
        to_the_app_store,
        prerendering,
        flickering(),
    ],
    ids=["the same", "measured", "advertising", "own telephone site", "app store", "drawn beforehand", "once only"],
)
def test_honest_site_is_not_found(tmp_path: Path, shown: Callable[[str, Visitor], Page]) -> None:
    """What honest sites do differently for some, or differently each time."""
    found, manifest = compared(tmp_path, shown)

    assert {one.signs[0].rule for one in found} <= {"foreign_script"}
    assert {one.verdict for one in found} <= {FindingClass.ADVICE}
    assert manifest.parts["outside"].startswith("looked at · 1 pages compared")


def test_pages_that_the_home_page_leads_to_are_compared_too(tmp_path: Path) -> None:
    """As many as are allowed."""
    found, manifest = compared(
        tmp_path,
        lambda path, visitor: AWAY if visitor is TELEPHONE and path == "/about/" else HOME,
        pages=5,
    )

    assert [one.path for one in found] == ["https://site.example/about/"]
    assert "2 pages compared" in manifest.parts["outside"]


def test_page_is_judged_by_the_engines_too(tmp_path: Path) -> None:
    """Malware that everybody gets is no difference, but it is malware; who saw it is said, once."""
    hidden = "atob('aHR0cHM6Ly9leGFtcGxlLmNvbS94Lmpz')"
    loader = f"<script>var s = document.createElement('script'); s.src = {hidden};</script>"

    found, _ = compared(tmp_path, lambda _path, _visitor: HOME + loader)

    rules = [sign.rule for one in found for sign in one.signs]
    assert rules
    assert len(rules) == len(set(rules))
    assert all(one.place is Place.OUTSIDE for one in found)
    assert found[0].signs[0].detail.startswith("as a visitor sees it")


def test_site_that_sends_everybody_away_is_suspicious(tmp_path: Path) -> None:
    """Unless it has only moved to another ending of its name."""
    moved = Answer("", 301, (), b"", "https://site.test/")

    assert [one.signs[0].rule for one in compared(tmp_path, lambda _path, _visitor: AWAY)[0]] == ["all_sent_away"]
    assert compared(tmp_path, lambda _path, _visitor: moved)[0] == []


def test_foreign_script_is_advice_once(tmp_path: Path) -> None:
    """So that a new one shows in the next audit."""
    (found,), _ = compared(tmp_path, lambda _path, _visitor: HOME + SCRIPT)

    assert (found.verdict, found.path) == (FindingClass.ADVICE, "//evil.stranger.example/")


@pytest.mark.parametrize(
    ("shown", "limit"), [(lambda _path, _visitor: Answer("", 503), 99), (only_for(PERSON, HOME), 3)]
)
def test_what_could_not_be_compared_is_told(
    tmp_path: Path, shown: Callable[[str, Visitor], Page], limit: int
) -> None:
    """A site in trouble, and a budget that is used up."""
    found, manifest = compared(tmp_path, shown, limit=limit)

    assert manifest.parts["outside"].startswith("unknown: ")
    assert [one.verdict for one in found] == [FindingClass.NOT_LOOKED_AT]


def test_folder_that_is_no_site_is_not_asked_for(tmp_path: Path) -> None:
    """There is nobody to ask."""
    scene = scene_of(tmp_path)

    assert list(OutsideExaminer(lambda _site: SiteOverWeb({}), JUDGE, 5).examine(scene)) == []
    assert scene.manifest.parts["outside"] == "not looked at: no site was named"
