"""The words of the pages: translated sentences, and instants, durations and figures as their readers write them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from sentry.domain.site import Language

ABSENT = "\N{EN DASH}"
"""Stands where there is no figure."""

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
Sentence = str | tuple[str, ...]


@cache
def catalogue(language: Language) -> Mapping[str, Sentence]:
    """Returns the sentences of a language by their English text; a plural is under its singular."""
    if language is Language.EN:
        return {}
    with (files("sentry.web") / "locale" / f"{language.value}.po").open("rb") as source:
        messages = read_po(source, locale=language.value)
    return {
        message.id if isinstance(message.id, str) else message.id[0]: _forms(message.string)
        for message in messages
        if message.id and message.string
    }


def _forms(translated: str | Sequence[str]) -> Sentence:
    return translated if isinstance(translated, str) else tuple(translated)


class Words:
    """Says things in one language and one zone.

    Args:
        language: of the pages.
        zone: in which instants are shown.
    """

    def __init__(self, language: Language, zone: ZoneInfo) -> None:
        self.language = language
        self.zone = zone
        self._locale = Locale.parse(language.value)
        self._sentences = catalogue(language)

    def text(self, sentence: str) -> str:
        """Translates a sentence; one without a translation stays English."""
        found = self._sentences.get(sentence, sentence)
        return found if isinstance(found, str) else found[0]

    def plural(self, one: str, many: str, count: int) -> str:
        """Translates a sentence that counts something."""
        found = self._sentences.get(one)
        forms = found if isinstance(found, tuple) else (one, many)
        return forms[0 if count == 1 else 1]

    def moment(self, at: datetime) -> str:
        """Returns day and time, e.g. `2 Nov 2026, 10:03`."""
        return format_datetime(at, "d MMM y, HH:mm", tzinfo=self.zone, locale=self._locale)

    def instant(self, at: datetime) -> str:
        """Returns day and time to the second, with the zone, e.g. `2 Nov 2026, 10:03:12 CET`."""
        local = at.astimezone(self.zone)
        return (
            f"{format_datetime(local, 'd MMM y, HH:mm:ss', tzinfo=self.zone, locale=self._locale)} {local.tzname()}"
        )

    def day(self, on: date) -> str:
        """Returns a day, e.g. `Mon 2 Nov`."""
        return format_date(on, "EEE d MMM", locale=self._locale)

    def month(self, on: date) -> str:
        """Returns a month, e.g. `November 2026`."""
        return format_date(on, "LLLL y", locale=self._locale)

    def number(self, value: float, digits: int = 0) -> str:
        """Returns a figure with exactly so many decimals."""
        return str(format_decimal(value, format=f"#,##0.{'0' * digits}" if digits else "#,##0", locale=self._locale))

    def seconds(self, seconds: float) -> str:
        """Returns a short time, e.g. `212 ms` or `1.4 s`."""
        if seconds < 1:
            return f"{self.number(seconds * 1000, 0 if seconds >= 0.01 else 1)} ms"  # noqa: PLR2004  # 10 ms
        return f"{self.number(seconds, 1 if seconds < _MINUTE_S else 0)} s"

    def duration(self, span: timedelta) -> str:
        """Returns how long something lasts in its two largest units, e.g. `1 h 12 min`."""
        seconds = max(0, int(span.total_seconds()))
        if seconds < _MINUTE_S:
            return f"{seconds} s"
        if seconds < _HOUR_S:
            return f"{seconds // _MINUTE_S} min"
        if seconds < _DAY_S:
            return _pair(seconds // _HOUR_S, "h", seconds % _HOUR_S // _MINUTE_S, "min")
        return _pair(seconds // _DAY_S, "d", seconds % _DAY_S // _HOUR_S, "h")


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"
