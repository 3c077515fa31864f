"""The facts of a concern as inert text in the reader's language, by the names that its words use.

Facts are JSON values and may come from a hostile site: what has not the form that its name promises is left out, and
a wording that does without it is taken.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any

from sentry.reports.inert import inert_line
from sentry.reports.wording import Wording

Form = Callable[[Any, Wording], str]

_ITEMS_SHOWN = 10
_CHARS = 300


def shown_facts(facts: Mapping[str, Any], words: Mapping[str, Mapping[str, str]], wording: Wording) -> dict[str, str]:
    """Returns the facts that can be shown.

    Args:
        facts: of the concern.
        words: of facts with a closed set of values; a value that is not among them is shown as it is.
        wording: the reader's language and zone.
    """
    shown: dict[str, str] = {}
    for name in facts.keys() - words.keys():
        _keep(shown, name, partial(FORMS.get(name, _plain), facts[name], wording))
    for name in words.keys() & facts.keys():
        _keep(shown, name, partial(_termed, facts[name], words[name], shown, wording))
    return shown


def _keep(shown: dict[str, str], name: str, told: Callable[[], str]) -> None:
    try:
        text = inert_line(told(), _CHARS)
    except (TypeError, ValueError, KeyError, OverflowError, ArithmeticError):
        return
    if text:
        shown[name] = text


def _termed(value: object, terms: Mapping[str, str], shown: Mapping[str, str], wording: Wording) -> str:
    values = value if isinstance(value, list | tuple) else [value]
    said = [wording.facts(terms[one], shown) if one in terms else str(one) for one in map(str, values)]
    return ", ".join(said[:_ITEMS_SHOWN])


def _plain(value: object, wording: Wording) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, Mapping):
        return ""
    if isinstance(value, int | float):
        return wording.number(value)
    if isinstance(value, list | tuple):
        items = [inert_line(str(item), 100) for item in value[:_ITEMS_SHOWN]]
        more = len(value) - len(items)
        between = "; " if any("," in item for item in items) else ", "
        return between.join(items) + (f" +{more}" if more else "")
    return str(value)[:4_096]


def _minute(value: Any, wording: Wording) -> str:  # noqa: ANN401  # any JSON value
    return wording.minute(datetime.fromisoformat(value))


def _day(value: Any, wording: Wording) -> str:  # noqa: ANN401  # any JSON value
    return wording.day(date.fromisoformat(value[:10]))


def _month(value: Any, wording: Wording) -> str:  # noqa: ANN401  # any JSON value
    return wording.month(date.fromisoformat(f"{value[:7]}-01"))


def _days(value: Any, wording: Wording) -> str:  # noqa: ANN401  # any JSON value
    return wording.plural("{count} day", "{count} days", int(value))


def _minutes(value: Any, wording: Wording) -> str:  # noqa: ANN401  # any JSON value
    return wording.plural("{count} minute", "{count} minutes", max(0.0, round(float(value), 1)))


def _seconds(value: Any, wording: Wording) -> str:  # noqa: ANN401  # any JSON value
    return wording.milliseconds(float(value))


FORMS: dict[str, Form] = {
    "since": _minute,
    "due_at": _minute,
    "starts_at": _minute,
    "ends_at": _minute,
    "not_after": _minute,
    "expires_on": _day,
    "ended_on": _day,
    "runs_out_at": _minute,
    "month": _month,
    "days_left": _days,
    "spent_minutes": _minutes,
    "allowed_minutes": _minutes,
    "left_minutes": _minutes,
    "value_s": _seconds,
    "limit_s": _seconds,
}
"""How a fact of this name is written; every other as the text, number or list that it is."""
