"""Values of the domain as JSON documents, written and read by pydantic."""

from typing import Any, Generic, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from sentry.domain.errors import StoreError
from sentry.domain.failure_report import FailureReport
from sentry.domain.health import Health
from sentry.domain.maintenance_window import MaintenanceWindow
from sentry.domain.result import ProbeResult
from sentry.store.columns import clean

T = TypeVar("T")

_CONFIG = ConfigDict(ser_json_inf_nan="strings")
"""A site's figure may be infinite or no number; as `null` it could not be read again."""


class Document(Generic[T]):
    """Writes and reads one type."""

    def __init__(self, adapter: TypeAdapter[tuple[T]], name: str) -> None:
        """Keeps the adapter, and what the value is called in an error.

        Args:
            adapter: of a tuple of one: pydantic takes no configuration for a dataclass, but hands down a tuple's.
            name: what a damaged row says that it should have held.
        """
        self._adapter = adapter
        self._name = name

    def dump(self, value: T) -> str:
        """Returns the value as JSON without NUL and lone surrogates, which no database takes."""
        try:
            return self._adapter.dump_json((value,)).decode()[1:-1]
        except PydanticSerializationError:
            # text of a hostile site may hold lone surrogates, which JSON in UTF-8 cannot
            cleaned = self._adapter.validate_python(_cleaned(self._adapter.dump_python((value,))))
            return self._adapter.dump_json(cleaned).decode()[1:-1]

    def load(self, document: str, row: str) -> T:
        """Returns the value.

        Args:
            document: the JSON text.
            row: which row it stands in, for the error.

        Raises:
            StoreError: the row is damaged.
        """
        try:
            return self._adapter.validate_json(f"[{document}]")[0]
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"][1:])
            raise StoreError(f"damaged row: {self._name} of {row}: {where or 'document'}: {first['msg']}") from error


def _cleaned(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(item) for item in value]
    return value


HEALTH = Document(TypeAdapter(tuple[Health], config=_CONFIG), "health")
RESULT = Document(TypeAdapter(tuple[ProbeResult], config=_CONFIG), "result")
REPORT = Document(TypeAdapter(tuple[FailureReport | None], config=_CONFIG), "failure report")
FACTS = Document(TypeAdapter(tuple[dict[str, Any]], config=_CONFIG), "facts")
LINES = Document(TypeAdapter(tuple[tuple[str, ...]], config=_CONFIG), "lines")
KEYS = Document(TypeAdapter(tuple[frozenset[str]], config=_CONFIG), "keys")
WINDOW = Document(TypeAdapter(tuple[MaintenanceWindow], config=_CONFIG), "maintenance window")
NOTICES = Document(TypeAdapter(tuple[dict[str, float]], config=_CONFIG), "sites with their notice")
SITE_KEYS = Document(TypeAdapter(tuple[tuple[str, ...]], config=_CONFIG), "sites")
