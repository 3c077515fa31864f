"""The catalogue of the pages: complete, and right in figures and times."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from sentry.domain.site import Language
from sentry.web import terms
from sentry.web.words import Words, catalogue

WEB = Path(__file__).parents[3] / "sentry" / "web"


def _sentences() -> Iterator[str]:
    found = extract_from_dir(
        WEB,
        method_map=[("templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")],
        options_map={"templates/**.html": {"newstyle_gettext": "true", "trim_blocks": "true"}},
        keywords={"_": None, "ngettext": (1, 2), "text": None, "plural": (1, 2)},
    )
    for _, _, message, _, _ in found:
        yield message if isinstance(message, str) else message[0]
    for table in terms.TABLES:
        yield from table.values()


def test_catalogue_spanish_has_every_sentence_and_no_other() -> None:
    """A new sentence in a template, a module or a table of terms needs its translation; a dead one goes."""
    assert set(catalogue(Language.ES)) == set(_sentences())


def test_catalogue_spanish_keeps_every_place() -> None:
    """A translation names exactly the figures of its sentence."""
    with (WEB / "locale" / "es.po").open("rb") as source:
        messages = [message for message in read_po(source) if message.id]
    for message in messages:
        if isinstance(message.id, str):
            assert _places(str(message.string)) == _places(message.id), message.id
        else:
            assert isinstance(message.string, tuple)
            pairs = zip(message.id, message.string, strict=True)
            assert all(_places(form) <= _places(sentence) | {"total"} for sentence, form in pairs), message.id


def _places(sentence: str) -> set[str]:
    return {part.partition(")")[0] for part in sentence.split("%(")[1:]}


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (timedelta(seconds=9), "9 s"),
        (timedelta(minutes=14, seconds=50), "14 min"),
        (timedelta(hours=5), "5 h"),
        (timedelta(hours=5, minutes=14), "5 h 14 min"),
        (timedelta(days=3, hours=2, minutes=59), "3 d 2 h"),
        (timedelta(seconds=-5), "0 s"),
    ],
)
def test_duration_any_is_told_in_two_units(span: timedelta, told: str) -> None:
    """Cut off, never rounded up."""
    assert Words(Language.EN, ZoneInfo("UTC")).duration(span) == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.0042, "4.2 ms"), (0.21, "210 ms"), (1.44, "1.4 s"), (12.0, "12.0 s"), (60, "60 s")]
)
def test_seconds_any_is_told_shortly(seconds: float, told: str) -> None:
    """Milliseconds below a second."""
    assert Words(Language.EN, ZoneInfo("UTC")).seconds(seconds) == told


def test_words_spanish_writes_figures_and_dates_its_way() -> None:
    """Comma, month names and the agency's zone, also in the hour that comes twice."""
    words = Words(Language.ES, ZoneInfo("Europe/Madrid"))
    assert words.number(1234.5, 1) == "1.234,5"
    assert words.instant(datetime(2026, 10, 25, 0, 30, tzinfo=UTC)) == "25 oct 2026, 02:30:00 CEST"
    assert words.instant(datetime(2026, 10, 25, 1, 30, tzinfo=UTC)) == "25 oct 2026, 02:30:00 CET"
