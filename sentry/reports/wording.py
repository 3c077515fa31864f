"""The words of a language: translated sentences, and dates, numbers and durations as its readers write them.

Message ids are the English text. Other languages stand in `locale/<language>.po`, read as it is at run time; a
sentence that has no translation appears in English.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from sentry.domain.site import Language


def N_(text: str) -> str:  # noqa: N802  # the name that gettext's tools look for
    """Marks a sentence of a data table for translation and returns it as it is."""
    return text


@cache
def catalog(language: Language) -> Catalog:
    """Returns the sentences of a language, read once."""
    if language is Language.EN:
        return Catalog(locale="en")
    with (files("sentry.reports") / "locale" / f"{language}.po").open("rb") as source:
        return read_po(source, locale=language.value)


class Wording:
    """Says things in one language and one zone.

    Args:
        language: of the sentences.
        zone: in which instants are shown.
    """

    def __init__(self, language: Language, zone: ZoneInfo) -> None:
        self.language = language
        self.zone = zone
        self.locale = Locale.parse(language.value)
        self._catalog = catalog(language)

    def in_zone(self, zone: str) -> "Wording":
        """Returns the same language in another zone."""
        return Wording(self.language, ZoneInfo(zone))

    def text(self, sentence: str, **facts: object) -> str:
        """Translates a sentence and puts the facts into its `{places}`; the facts are never read as places."""
        message = self._catalog.get(sentence)
        translated = str(message.string) if message is not None and message.string else sentence
        return translated.format_map(facts) if facts else translated

    def plural(self, one: str, many: str, count: float, **facts: object) -> str:
        """Translates a sentence that counts something; `{count}` is among its facts."""
        message = self._catalog.get(one)
        forms = message.string if message is not None and isinstance(message.string, tuple) else (one, many)
        form = forms[0] if count == 1 else forms[-1]
        return str(form).format_map({"count": self.number(count), **facts})

    def number(self, value: Decimal | float, digits: int | None = None) -> str:
        """Writes a number, with exactly `digits` decimals where given; figures of the contract come floored."""
        if digits is None:
            return format_decimal(value, format="#,##0.##", locale=self.locale)
        pattern = "#,##0." + "0" * digits if digits else "#,##0"
        return format_decimal(value, format=pattern, locale=self.locale, decimal_quantization=True)

    def percent(self, value: Decimal, digits: int = 3) -> str:
        """Writes percent (99.701 → `99,701 %`); the value must already be floored."""
        return self._percent_sign(self.number(value, digits))

    def _percent_sign(self, number: str) -> str:
        """A no-break space stands before the sign in Spanish (RAE), none in English."""
        return f"{number}\u00a0%" if self.language is Language.ES else f"{number}%"

    def decimal(self, figure: str) -> str:
        """Writes a figure that data carries as a string: `99.7` → `99,7`, `129.600` → `129,6`."""
        return format_decimal(Decimal(figure), format="#,##0.###", locale=self.locale)

    def share(self, figure: str) -> str:
        """Writes a percentage that data carries as a string, with the decimals that it needs: `99.7` → `99,7 %`."""
        return self._percent_sign(self.decimal(figure))

    def percent_text(self, figure: str | None) -> str:
        """Writes a percentage that data carries as a string, a dash where there is none."""
        return self.percent(Decimal(figure)) if figure is not None else "–"  # noqa: RUF001  # a dash for no figure

    def until(self, start: datetime, end: datetime) -> str:
        """Writes the end of an interval: the time alone where it lies on the day of the start."""
        same_day = start.astimezone(self.zone).date() == end.astimezone(self.zone).date()
        return self.clock_minute(end) if same_day else self.minute(end)

    def moment(self, instant: datetime) -> str:
        """Writes an instant in the zone, to the second: `22 Nov 2026, 11:05:10`."""
        local = instant.astimezone(self.zone)
        return f"{self.day(local.date())}, {local:%H:%M:%S}"

    def minute(self, instant: datetime) -> str:
        """Writes an instant in the zone, to the minute."""
        local = instant.astimezone(self.zone)
        return f"{self.day(local.date())}, {local:%H:%M}"

    def clock(self, instant: datetime) -> str:
        """Writes the time of day in the zone, to the second."""
        return f"{instant.astimezone(self.zone):%H:%M:%S}"

    def clock_minute(self, instant: datetime) -> str:
        """Writes the time of day in the zone, to the minute."""
        return format_time(instant.astimezone(self.zone), format="HH:mm", tzinfo=self.zone, locale=self.locale)

    def day(self, day: date) -> str:
        """Writes a date: `22 Nov 2026`."""
        return format_date(day, format="d MMM y", locale=self.locale)

    def long_day(self, day: date) -> str:
        """Writes a date with its weekday: `Sunday, 22 November`."""
        pattern = "EEEE d 'de' MMMM" if self.language is Language.ES else "EEEE d MMMM"
        return format_date(day, format=pattern, locale=self.locale)

    def month(self, day: date) -> str:
        """Writes a month: `November 2026`, `noviembre de 2026`."""
        pattern = "LLLL 'de' y" if self.language is Language.ES else "LLLL y"
        return format_date(day, format=pattern, locale=self.locale)

    def short_month(self, day: date) -> str:
        """Writes a month's name for the axis of a chart: `Nov`."""
        return format_date(day, format="LLL", locale=self.locale)

    def weekday_letters(self) -> list[str]:
        """Returns the weekdays' short names, Monday first."""
        monday = date(2026, 11, 2)
        return [format_date(monday + timedelta(days=n), format="ccc", locale=self.locale) for n in range(7)]

    def zone_name(self, instant: datetime) -> str:
        """Writes the zone with its offset at an instant: `Europe/Madrid, UTC+01:00`."""
        offset = format_datetime(instant, format="ZZZZZ", tzinfo=self.zone, locale=self.locale)
        return f"{self.zone.key}, UTC{offset}" if offset != "Z" else "UTC"

    def relative(self, span: timedelta) -> str:
        """Writes a span as seen from now, in whole days, hours or minutes: `3 days ago`, `in 5 hours`."""
        away = abs(span)
        unit, size = next((granule for granule in _GRANULES if away >= granule[1]), _GRANULES[-1])
        whole = away // size * size
        signed = whole if span > timedelta() else -max(whole, timedelta(minutes=1))
        return format_timedelta(signed, granularity=unit, threshold=1e9, add_direction=True, locale=self.locale)

    def duration(self, seconds: float) -> str:
        """Writes a duration in at most two units: `45 s`, `12 min 30 s`, `2 h 5 min`, `3 d 4 h`."""
        whole = max(0, round(seconds))
        for size, unit, smaller_size, smaller in _UNITS:
            if whole >= size:
                count, rest = divmod(whole, size)
                part = rest // smaller_size
                return f"{count} {unit} {part} {smaller}" if part else f"{count} {unit}"
        return f"{whole} s"

    def milliseconds(self, seconds: float) -> str:
        """Writes the time of a phase: `12 ms`, `1.25 s`."""
        return f"{self.number(seconds, 2)} s" if seconds >= 1 else f"{max(0, round(seconds * 1000))} ms"

    def facts(self, sentence: str, facts: Mapping[str, object]) -> str:
        """Translates a sentence with facts given as a mapping."""
        return self.text(sentence, **dict(facts))


_GRANULES: tuple[tuple[Literal["day", "hour", "minute"], timedelta], ...] = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)
_UNITS = ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))
