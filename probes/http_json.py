"""Looks values up in a JSON body by a small path syntax.

A path is `$` (the whole document) followed by steps: `.name` (letters, digits, `_`, `-`), `["any name"]` or
`['any name']`, `[0]` (an element, counted from 0) or `[-1]` (counted from the end). Example:
`$.status.items[0]["last seen"]`. There are no wildcards, slices or filters: a path names one value.
"""

import json
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue

JSON_BYTES = 1_048_576
"""The largest body that is read as JSON; a larger one would hold the event loop up for too long."""

STEP = re.compile(
    r"""
    \.(?P<name>[A-Za-z0-9_-]+)
    | \[(?P<index>-?[0-9]{1,9})\]
    | \["(?P<double>[^"]+)"\]
    | \['(?P<single>[^']+)'\]
    """,
    re.VERBOSE,
)

JsonStep = str | int


def json_steps(path: str) -> tuple[JsonStep, ...]:
    """Returns the steps of a path.

    Raises:
        ValueError: it does not follow the syntax; the message says where.
    """
    if not path.startswith("$"):
        raise ValueError(f"'{path}' is no JSON path; it begins with $, e.g. $.status.items[0].ok")
    steps: list[JsonStep] = []
    at = 1
    while at < len(path):
        found = STEP.match(path, at)
        if found is None:
            raise ValueError(f"'{path}' is no JSON path: at '{path[at:]}' write .name, [0] or [\"name\"]")
        index = found["index"]
        steps.append(int(index) if index is not None else found["name"] or found["double"] or found["single"])
        at = found.end()
    return tuple(steps)


def _is_path(path: str) -> str:
    json_steps(path)
    return path


JsonExpectations = dict[Annotated[str, AfterValidator(_is_path), Field(min_length=1)], JsonValue]


class JsonMismatchError(Exception):
    """The body is not what was expected; the message says how."""


def read_json(body: bytes) -> JsonValue:
    """Returns the document of a body.

    Raises:
        JsonMismatchError: it is too large or no JSON.
    """
    if len(body) > JSON_BYTES:
        raise JsonMismatchError(f"the body has {len(body):,} bytes; JSON is read up to {JSON_BYTES:,}")
    try:
        document: JsonValue = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise JsonMismatchError(f"the body is no JSON: {str(error)[:200] or type(error).__name__}") from None
    return document


def value_at(document: JsonValue, steps: tuple[JsonStep, ...]) -> JsonValue:
    """Returns the value that the steps lead to.

    Raises:
        JsonMismatchError: there is none.
    """
    value = document
    path = "$"
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
        value = _step_into(value, step, path)
    return value


def _step_into(value: JsonValue, step: JsonStep, path: str) -> JsonValue:
    if isinstance(step, int) and isinstance(value, list) and -len(value) <= step < len(value):
        return value[step]
    if isinstance(step, str) and isinstance(value, dict) and step in value:
        return value[step]
    raise JsonMismatchError(f"{path} is not in the body's JSON")


def check_json(body: bytes, expected: Mapping[str, JsonValue]) -> None:
    """Compares the values at the paths with the expected ones; `true` is not 1, but 1 is 1.0.

    Raises:
        JsonMismatchError: the first difference.
    """
    document = read_json(body)
    for path, wanted in expected.items():
        found = value_at(document, json_steps(path))
        if not _same(found, wanted):
            raise JsonMismatchError(f"{path} is {_shown(found)}, expected {_shown(wanted)}")


def _same(found: JsonValue, wanted: JsonValue) -> bool:
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(_same(found[key], wanted[key]) for key in found)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_same, found, wanted))
    return isinstance(found, bool) is isinstance(wanted, bool) and found == wanted


def _shown(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:97]}..."  # noqa: PLR2004  # the length that a detail line bears
