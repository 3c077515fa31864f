"""Turns pydantic's errors into problems: where in which file, what is wrong, and how to mend it."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import ErrorDetails

from sentry.domain.errors import Problem
from sentry.domain.site import Key
from sentry.settings.concealment import without_password
from sentry.settings.document import Document
from sentry.settings.environment import Secrets
from sentry.settings.place import Location
from sentry.settings.schema import Schema, chosen_by_kind
from sentry.settings.sentences import LIST, MAPPING, SENTENCES, sentence

MAX_LISTED = 12
UNSEEN = {None, MAPPING, LIST, *(SENTENCES[kind] for kind in ("missing", "value_error", "assertion_error"))}
"""Said without showing what was found: the validator did so where it may, or a whole section is misplaced."""
KEY_PATTERN = TypeAdapter(Key).json_schema()["pattern"]
KEY_RULE = "must be a short name of lower-case letters, digits, '.', '_' and '-' (at most 63), e.g. acme-shop"


def suggestion(word: str, known: Iterable[str]) -> str:
    """Returns `; did you mean 'x'?`, or the known words where none is close."""
    words = sorted(set(known))
    close = get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    if not words:
        return ""
    listed = ", ".join(words[:MAX_LISTED]) + (", …" if len(words) > MAX_LISTED else "")
    return f"; known: {listed}"


class Verdict:
    """Explains errors in one document."""

    def __init__(self, document: Document, secrets: Secrets, schema: Schema) -> None:
        """Takes the document as written, what in it is secret, and what may be written."""
        self._document = document
        self._secrets = secrets
        self._schema = schema

    def problems(self, errors: Iterable[ErrorDetails]) -> list[Problem]:
        """Returns one problem for each place that has errors."""
        found: dict[Location, list[str]] = {}
        for error in errors:
            if self._follows_from_others(error):
                continue
            location = self._located(error["loc"], missing=error["type"] == "missing")
            messages = found.setdefault(location, [])
            about_key = error["loc"][-1:] == ("[key]",)
            text = self._message(error["type"], error.get("ctx", {}), location, about_key=about_key)
            if text not in messages:
                messages.append(text)
        return [self._document.problem(where, ", or ".join(texts)) for where, texts in found.items()]

    def _follows_from_others(self, error: ErrorDetails) -> bool:
        """Whether an error would not be there without another one that is named anyway."""
        location = self._located(error["loc"], missing=error["type"] == "missing")
        value = self._document.at(location)
        if error["type"] == "too_short" and isinstance(value, list | dict):
            # Entries with errors of their own are not counted by pydantic.
            return len(value) >= int(error["ctx"]["min_length"])
        if any(failed[: len(location)] == location for failed in self._secrets.failed):
            return error["type"] == "value_error" or location in self._secrets.failed
        return location[-1:] in {("client",), ("plan",)} and location not in self._document.places

    def _located(self, loc: Location, *, missing: bool) -> Location:
        """Returns the location as written: pydantic adds the kind and the names of union members on its way."""
        location: Location = ()
        kind_follows = False
        for part in loc:
            value = self._document.at(location)
            if kind_follows and isinstance(value, dict) and part == value.get("kind"):
                kind_follows = False
            elif _is_child(value, part):
                location = (*location, part)
                kind_follows = chosen_by_kind(location)
        return (*location, loc[-1]) if missing else location

    def _message(self, error_type: str, context: Mapping[str, Any], location: Location, *, about_key: bool) -> str:
        if about_key:
            return f"the key '{str(location[-1])[:80]}' {self._about(error_type, context, location)}"
        value = self._document.at(location)
        if error_type == "extra_forbidden":
            return self._unknown_key(location)
        if error_type in {"union_tag_invalid", "union_tag_not_found"}:
            return self._unknown_kind(location, value)
        if value is None and error_type != "missing":
            return "has no value; give it one or remove the line"
        text = self._about(error_type, context, location)
        if location in self._secrets.locations or self._schema.is_secret(location):
            written = without_password(self._secrets.locations.get(location, ""))
            return f"the value of {written} {_generic(error_type, text)}" if written else _generic(error_type, text)
        return self._secrets.scrubbed_of_fragments(text) + _seen(error_type, value)

    def _about(self, error_type: str, context: Mapping[str, Any], location: Location) -> str:
        if error_type in {"too_short", "too_long"} and isinstance(self._document.at(location), str):
            return sentence(f"string_{error_type}", context)
        if error_type != "string_pattern_mismatch":
            return sentence(error_type, context)
        if context.get("pattern") == KEY_PATTERN:
            return KEY_RULE
        description = self._schema.description(location).rstrip(".")
        return sentence(error_type, context) + (f" ({description})" if description else "")

    def _unknown_key(self, location: Location) -> str:
        key = str(location[-1])
        return f"'{key[:80]}' is no known key here" + suggestion(key, self._schema.keys(location[:-1]))

    def _unknown_kind(self, location: Location, value: Any) -> str:  # noqa: ANN401  # a configuration value
        kinds = self._schema.kinds(location)
        kind = value.get("kind") if isinstance(value, dict) else None
        if isinstance(value, dict) and "kind" not in value:
            return f"'kind' is missing; add one of: {', '.join(sorted(kinds))}"
        if not isinstance(kind, str):
            return f"must be a mapping with a 'kind', one of: {', '.join(sorted(kinds))}"
        if (*location, "kind") in self._secrets.locations:
            return f"'kind' must be one of: {', '.join(sorted(kinds))}"
        return f"there is no kind '{kind[:40]}'" + suggestion(kind, kinds)


def _generic(error_type: str, text: str) -> str:
    """Returns a sentence that cannot hold the value: a validator's own words might."""
    return "does not fit here" if error_type in {"value_error", "assertion_error"} else text


def _seen(error_type: str, value: Any) -> str:  # noqa: ANN401  # a configuration value
    """Returns what was found instead, where seeing it helps."""
    if error_type == "string_type" and isinstance(value, bool | int | float):
        written = str(value).lower() if isinstance(value, bool) else value
        return f"; put it in quotes: '{written}'"
    if SENTENCES.get(error_type) in UNSEEN or not isinstance(value, str | int | float):
        return ""
    return f"; found '{str(value)[:60]}'" if str(value) else ""


def _is_child(value: Any, part: str | int) -> bool:  # noqa: ANN401  # a configuration value
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value
