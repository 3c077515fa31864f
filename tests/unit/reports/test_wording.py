import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import extract_from_dir

from sentry.domain.attribution import BASES
from sentry.domain.client_report import NOT_MEASURED
from sentry.domain.failure_report import Attribution
from sentry.domain.result import Phase
from sentry.domain.site import Language
from sentry.reports.attributions import BASIS_TEXT, SIDE_TEXT
from sentry.reports.failure_text import PHASE_TEXT
from sentry.reports.methodology import MISSING_TEXT
from sentry.reports.wording import Wording, catalog

REPORTS = Path(__file__).parents[3] / "sentry" / "reports"
KEYWORDS = {"N_": None, "_": None, "text": None, "plural": (1, 2)}
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
MADRID = ZoneInfo("Europe/Madrid")
ES = Wording(Language.ES, MADRID)
EN = Wording(Language.EN, MADRID)


def used_sentences() -> set[str | tuple[str, ...]]:
    """Every sentence that the code and the templates say."""
    return {found[2] for found in extract_from_dir(REPORTS, METHODS, keywords=KEYWORDS)}


def translated() -> dict[str | tuple[str, ...], str | tuple[str, ...]]:
    """Every sentence that es.po translates."""
    pairs = {}
    for message in catalog(Language.ES):
        if message.id:
            msgid = message.id if isinstance(message.id, str) else tuple(message.id)
            pairs[msgid] = message.string if isinstance(message.string, str) else tuple(message.string or ())
    return pairs


def test_catalog_es_translates_every_sentence_and_no_other() -> None:
    """None is missing, none is left over from a sentence that was changed."""
    assert set(translated()) == used_sentences()


def test_catalog_es_no_translation_is_empty_or_loses_a_place() -> None:
    """A translation names exactly the facts that the sentence names."""
    for sentence, translation in translated().items():
        said = "".join(translation)
        assert all(translation), sentence
        assert set(re.findall(r"{\w+}", said)) == set(re.findall(r"{\w+}", "".join(sentence))), sentence


def test_extraction_sees_no_translation_inside_an_f_string() -> None:
    """The tools of gettext cannot read there, so a sentence would be missed without notice."""
    hidden = re.compile(r"""f(["']).*wording\.(?:text|plural)\((["'])(?!\1)""")
    found = [f"{path.name}: {line}" for path in REPORTS.glob("*.py") for line in path.read_text().splitlines()
             if hidden.search(line)]  # fmt: skip
    assert found == []


def test_tables_of_words_cover_their_closed_sets() -> None:
    """Every side, basis, phase and missing part can be said."""
    assert set(SIDE_TEXT) == set(Attribution)
    assert set(BASIS_TEXT) == BASES
    assert set(PHASE_TEXT) == set(Phase)
    assert set(MISSING_TEXT) == set(NOT_MEASURED)


def test_text_fact_with_braces_is_put_in_as_it_is() -> None:
    """What a site sends is never read as a place of the sentence."""
    assert "{0.__class__}" in EN.text("{site} is down: {cause}", site="{0.__class__}", cause="{host}")


def test_text_unknown_sentence_appears_in_english() -> None:
    """A missing translation is no error at night."""
    assert ES.text("never translated {count}", count=3) == "never translated 3"


@pytest.mark.parametrize(
    ("wording", "percent", "number", "moment", "month", "ago", "soon"),
    [
        (EN, "99.701%", "44,700", "22 Nov 2026, 03:14:10", "November 2026", "3 days ago", "in 5 hours"),
        (
            ES,
            "99,701\u00a0%",
            "44.700",
            "22 nov 2026, 03:14:10",
            "noviembre de 2026",
            "hace 3 días",
            "dentro de 5 horas",
        ),
    ],
)
def test_wording_dates_and_numbers_are_written_as_their_readers_do(
    wording: Wording, percent: str, number: str, moment: str, month: str, ago: str, soon: str
) -> None:
    """Both languages, in the zone of the reader."""
    assert wording.percent(Decimal("99.701")) == percent
    assert wording.number(44_700) == number
    assert wording.moment(datetime(2026, 11, 22, 2, 14, 10, tzinfo=UTC)) == moment
    assert wording.month(date(2026, 11, 1)) == month
    assert wording.relative(timedelta(days=-3, hours=-23)) == ago
    assert wording.relative(timedelta(hours=5, minutes=59)) == soon


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (31, "31 s"), (60, "1 min"), (725, "12 min 5 s"), (7_500, "2 h 5 min"), (273_600, "3 d 4 h")],
)
def test_duration_any_length_has_at_most_two_units(seconds: float, said: str) -> None:
    """Short enough for a subject."""
    assert EN.duration(seconds) == said


def test_relative_age_of_a_moment_is_a_minute_not_zero() -> None:
    """Something that has just expired is not said to expire in no time."""
    assert EN.relative(timedelta(seconds=-5)) == "1 minute ago"


def test_zone_name_summer_and_winter_shows_the_offset_of_that_day() -> None:
    """The reader need not know when the clocks change."""
    assert ES.zone_name(datetime(2026, 7, 1, tzinfo=UTC)) == "Europe/Madrid, UTC+02:00"
    assert ES.zone_name(datetime(2026, 12, 1, tzinfo=UTC)) == "Europe/Madrid, UTC+01:00"
