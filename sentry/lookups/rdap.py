"""RDAP (RFC 9082, RFC 9083): which server knows the domains of a top level, and when a domain ends."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from sentry.domain.errors import LookupFailed

MAX_BOOTSTRAP_BYTES = 1024 * 1024
MAX_ANSWER_BYTES = 256 * 1024
ACCEPT = "application/rdap+json, application/json"
ENDS = ("expiration", "registrar expiration")
"""Actions of events that end a registration (RFC 9083, 10.2.3), the registry's own first."""


class _Event(BaseModel):
    action: str = Field("", alias="eventAction")
    at: str = Field("", alias="eventDate")


class _Domain(BaseModel):
    name: str = Field("", alias="ldhName")
    events: list[_Event] = Field([], max_length=200)


class _Bootstrap(BaseModel):
    services: list[tuple[list[str], list[str]]] = Field(max_length=10_000)


_INSTANT = TypeAdapter(datetime)


def servers(document: bytes) -> Mapping[str, str]:
    """Returns top level → base URL of its server, from IANA's bootstrap file (RFC 9224).

    Raises:
        LookupFailed: it is no such file.
    """
    read = _read(_Bootstrap, document)
    found: dict[str, str] = {}
    for labels, urls in read.services:
        url = next((one for one in urls if one.startswith("https://")), urls[0] if urls else "")
        found |= dict.fromkeys(map(str.lower, labels), url.rstrip("/") + "/")
    return found


def expires_at(document: bytes, domain: str) -> datetime | None:
    """Returns when a domain ends, from its RDAP object; None where that does not say.

    Raises:
        LookupFailed: it is not the object of this domain.
    """
    read = _read(_Domain, document)
    if read.name.rstrip(".").lower() != domain:
        raise LookupFailed(f"the answer is not about {domain}")
    dates = {event.action: event.at for event in reversed(read.events)}
    for action in ENDS:
        try:
            at = _INSTANT.validate_python(dates.get(action))
        except ValidationError:
            continue
        return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    return None


def _read(model: type[Any], document: bytes) -> Any:  # noqa: ANN401  # an object of the model
    try:
        return model.model_validate(json.loads(document))
    except (ValueError, RecursionError) as error:
        raise LookupFailed("the answer is no RDAP") from error
