"""Entries and plans as JSON, in which bytes, such as paths of any kind, stand as hexadecimal digits."""

import json
from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from sentry.domain.errors import QuarantineDamaged

T = TypeVar("T")
_BYTES = "hex"


def written(adapter: TypeAdapter[T], value: T) -> bytes:
    """Returns a value as one line of JSON."""
    return json.dumps(adapter.dump_python(value), default=_plain, separators=(",", ":")).encode() + b"\n"


def read(adapter: TypeAdapter[T], line: bytes, where: str) -> T:
    """Returns a value as it was written.

    Raises:
        QuarantineDamaged: it is none; `where` says which file.
    """
    try:
        return adapter.validate_python(json.loads(line, object_hook=_object))
    except (ValueError, ValidationError) as error:
        raise QuarantineDamaged(f"{where} is damaged: {type(error).__name__}; restore it from a backup") from error


def _plain(value: Any) -> Any:  # noqa: ANN401  # what JSON does not know
    if isinstance(value, bytes):
        return {_BYTES: value.hex()}
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _object(found: dict[str, Any]) -> Any:  # noqa: ANN401  # as above
    return bytes.fromhex(found[_BYTES]) if found.keys() == {_BYTES} else found
