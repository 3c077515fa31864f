"""One row of the table of routes: what is served and how it is described."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel

from sentry.web.problems import bad_request

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_LIMIT = 500
DEFAULT_LIMIT = 100
MAX_TEXT_CHARS = 200


class Access(StrEnum):
    """Who may call a route."""

    OPEN = "open"
    TOKEN = "token"  # noqa: S105  # the name of a rule, not a secret
    HEARTBEAT = "heartbeat"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a route.

    Attributes:
        place: `path`, `query` or `header`.
        schema: JSON Schema of the value.
    """

    name: str
    about: str
    place: str = "query"
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string", "maxLength": MAX_TEXT_CHARS})
    required: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    Attributes:
        path: as OpenAPI and aiohttp write it, `{name}` for a parameter.
        body: model of the JSON body that it takes; None where it takes none.
        answer: model of the JSON answer; None where `media_type` says what comes.
        errors: further statuses that it answers.
        tag: group in the description.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    access: Access = Access.TOKEN
    parameters: tuple[Parameter, ...] = ()
    body: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    media_type: str = "application/json"
    errors: tuple[HTTPStatus, ...] = ()


def path_parameter(name: str, about: str) -> Parameter:
    """Returns a parameter that is part of the path."""
    return Parameter(name, about, "path", required=True)


def number_parameter(name: str, about: str, *, minimum: int = 0, maximum: int, default: int) -> Parameter:
    """Returns a whole number of the query with its bounds."""
    schema = {"type": "integer", "minimum": minimum, "maximum": maximum, "default": default}
    return Parameter(name, about, schema=schema)


LIMIT = number_parameter("limit", "How many to return at most.", minimum=1, maximum=MAX_LIMIT, default=DEFAULT_LIMIT)
OFFSET = number_parameter("offset", "How many to leave out first.", maximum=1_000_000, default=0)


def read_number(request: web.Request, parameter: Parameter) -> int:
    """Reads a whole number of the query within the bounds that its description gives.

    Raises:
        Problem: 400, it is no number or out of bounds.
    """
    low, high = parameter.schema["minimum"], parameter.schema["maximum"]
    text = request.query.get(parameter.name)
    if text is None:
        return int(parameter.schema["default"])
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(high)) and low <= int(text) <= high):
        raise bad_request(f"{parameter.name}: write a whole number from {low} to {high}")
    return int(text)


def read_text(request: web.Request, name: str) -> str:
    """Reads a text of the query, empty where it is absent.

    Raises:
        Problem: 400, it is too long.
    """
    text = request.query.get(name, "").strip()
    if len(text) > MAX_TEXT_CHARS:
        raise bad_request(f"{name}: at most {MAX_TEXT_CHARS} characters")
    return text


Choice = TypeVar("Choice", bound=StrEnum)


def read_choice(request: web.Request, name: str, choices: type[Choice]) -> Choice | None:
    """Reads one value of a closed set from the query, None where it is absent.

    Raises:
        Problem: 400, it is none of the set; the message names them all.
    """
    text = request.query.get(name, "")
    if not text:
        return None
    try:
        return choices(text)
    except ValueError as error:
        raise bad_request(f"{name}: write one of {', '.join(choices)}") from error


def schema_of(choices: type[StrEnum]) -> dict[str, Any]:
    """Returns the JSON Schema of a closed set."""
    return {"type": "string", "enum": [choice.value for choice in choices]}
