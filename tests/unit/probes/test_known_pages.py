from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from probes.http_options import HttpOptions
from probes.http_pages import pages_of
from probes.http_response import Head
from probes.known_pages import KNOWN_PAGES, PAGE_NAMES
from probes.page_marks import SEEN_CHARS, Marks, SeenPage

DOCUMENT = Path(__file__).parents[3] / "docs" / "known-pages.md"
PAGES: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[2] / "data" / "known_pages.yaml").read_text("utf-8")
)
FOREIGN = {name: page for name, page in PAGES.items() if page["page"]}
OWN = {name: page for name, page in PAGES.items() if not page["page"]}
FILLER = "<p>Zapatos de piel, hechos a mano en un taller de Elche desde 1926.</p> "


def seen(page: dict[str, Any]) -> SeenPage:
    """The answer as the probe hands it over."""
    filler = (FILLER * (page.get("filler", 0) // len(FILLER) + 1))[: page.get("filler", 0)]
    headers = {"Content-Type": "text/html; charset=utf-8", **page.get("headers", {})}
    head = Head(page["status"], "1.1", [(name.encode(), str(value).encode()) for name, value in headers.items()])
    home = page.get("home", "tienda.test")
    return SeenPage(head, page["body"].replace("FILLER", filler).encode(), page.get("host", home), home)


def of_good(page: SeenPage, **options: object) -> str | None:
    """What a check with these options says of a page with a good status."""
    settings = HttpOptions.model_validate({"kind": "http", **options})
    failure = pages_of(settings).of_good(page)
    return None if failure is None else f"{failure.status.value} {failure.reason.value}"


@pytest.mark.parametrize("name", FOREIGN)
def test_page_that_stands_in_the_place_of_the_site_is_known(name: str) -> None:
    """Each is known as what it is, by something that it really shows."""
    page = seen(FOREIGN[name])
    mark = Marks(KNOWN_PAGES).first(page)
    assert mark is not None
    assert mark.name == FOREIGN[name]["page"]
    assert len(page.seen(mark)) < SEEN_CHARS + 40


@pytest.mark.parametrize("name", OWN)
def test_page_of_the_site_itself_bears_no_mark(name: str) -> None:
    """Posts, manuals and forums that speak of such pages, and sites behind a protection that lets us in."""
    assert Marks(KNOWN_PAGES).first(seen(OWN[name])) is None


@pytest.mark.parametrize("name", [name for name, page in FOREIGN.items() if page["status"] < 300])
def test_page_with_a_good_status_is_known_to_the_marks_that_are_left_for_it(name: str) -> None:
    """Marks that no good status can bear are left out, and no other."""
    assert of_good(seen(FOREIGN[name])) is not None


@given(st.binary(max_size=400), st.integers(200, 599))
def test_page_of_any_bytes_is_looked_at_without_an_error(body: bytes, status: int) -> None:
    """What a stranger sends never breaks the look."""
    head = Head(status, "1.1", [(b"Content-Type", b"text/html")])
    Marks(KNOWN_PAGES).first(SeenPage(head, b"<title>" + body + b"</title>" + body, "a.test", "b.test"))


def test_challenge_counts_as_degraded_or_down_as_the_setting_says() -> None:
    """The agent is refused; whether people are is for the setting to say."""
    page = seen(PAGES["imunify360"])
    assert of_good(page) == "degraded http_blocked"
    assert of_good(page, blocked_counts_as="down") == "down http_blocked"


def test_error_page_switched_off_or_allowed_is_a_good_page() -> None:
    """A site may switch the look off, or allow the one page that it means to show; challenges are told anyhow."""
    default, challenge = seen(PAGES["nginx-default"]), seen(PAGES["imunify360"])
    assert of_good(default) == "down http_parked"
    assert of_good(default, error_pages=False) is None
    assert of_good(default, allow_pages="nginx_default") is None
    assert of_good(seen(PAGES["drupal"]), allow_pages="nginx_default") == "down http_error_page"
    assert of_good(challenge, error_pages=False) == "degraded http_blocked"


def test_page_with_the_text_that_proves_it_is_searched_for_errors_only() -> None:
    """Who demands a text has said how the page is known; a program may still break off beneath it."""
    assert of_good(seen(PAGES["nginx-default"]), expect_text="successfully installed") is None
    broken = seen(PAGES["php-fatal-in-the-middle-of-a-page"])
    assert of_good(broken, expect_text="Tienda") == "down http_error_page"


def test_names_of_pages_are_each_one_kind() -> None:
    """A name that is allowed takes one thing out of the look, not two."""
    kinds = {name: {mark.kind for mark in KNOWN_PAGES if mark.name == name} for name in PAGE_NAMES}
    assert [name for name, found in kinds.items() if len(found) > 1] == []


def test_document_names_each_page_with_its_kind_and_no_other() -> None:
    """What a user may allow is what the guide lists."""
    rows = [line.split("|")[1:3] for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| `")]
    listed = {(name.strip(" `"), kind.strip()) for name, kind in rows}
    assert listed == {(mark.name, mark.kind.value) for mark in KNOWN_PAGES}
