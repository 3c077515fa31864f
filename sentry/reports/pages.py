"""Pages from templates: escaped by default, sentences translated by the template itself."""

from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined

from sentry.reports.inert import inert_lines
from sentry.reports.wording import Wording

_MOST_CHARS = 200_000
"""Longest text that a page shows in one place."""


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )


def _shown(value: object) -> object:
    """Lets only visible text into a page: no controls, no marks that turn the direction of what follows."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return "\n".join(inert_lines(value, _MOST_CHARS))
    return value


def _source(name: str) -> str:
    return (files("sentry.reports") / "templates" / name).read_text(encoding="utf-8")


def page(template: str, wording: Wording, **values: object) -> str:
    """Fills a template.

    Args:
        template: its file name in `templates/`.
        wording: the language; templates say `_("…")` and `words` for dates and numbers.
        **values: what the template shows; every string is escaped.
    """
    return (
        _environment()
        .get_template(template)
        .render(
            _=wording.text,
            gettext=wording.text,
            ngettext=wording.plural,
            words=wording,
            lang=wording.language.value,
            **values,
        )
    )
