"""Keeps secret texts out of every representation: repr, dumps and pages show `***` where the value still works."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import AnyUrl, BaseModel, SecretStr

from sentry.settings.place import Location
from sentry.settings.values import replaced

HIDDEN = "***"


class Concealed(str):  # noqa: SLOT000  # a str cannot have slots for values of its own
    """A text that works as itself and shows itself as something else."""

    shown: str

    def __new__(cls, value: str, shown: str = HIDDEN) -> Self:
        """Makes a text with the value; `shown` is what a repr displays."""
        made = super().__new__(cls, value)
        made.shown = shown
        return made

    def __repr__(self) -> str:
        """Returns what may be seen."""
        return repr(self.shown)


def without_password(text: str) -> str:
    """Returns a URL with the password of its user part replaced; any other text as it is."""
    if "@" not in text or "://" not in text:
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        return HIDDEN
    if parts.password is None:
        return text
    return parts._replace(netloc=f"{parts.username or ''}:{HIDDEN}@{parts.netloc.rpartition('@')[2]}").geturl()


@cache
def _quiet(kind: type[AnyUrl]) -> type[AnyUrl]:
    """Returns a kind of URL whose repr hides it; cached, because URLs of two classes are never equal."""

    def shown(_: AnyUrl) -> str:
        return f"{kind.__name__}({HIDDEN!r})"

    return type(kind.__name__, (kind,), {"__repr__": shown})


class Curtain:
    """Knows which values may not be seen: by where they were written, and by URL passwords wherever they stand."""

    def __init__(self, written: Mapping[Location, str] | None = None) -> None:
        """Takes the texts that hold a value from outside, as they were written: with `${NAME}` in its place."""
        self._written = dict(written or {})

    def shown(self, location: Location) -> str | None:
        """Returns what may be seen of the value at this location, None where all of it may."""
        for size in range(1, len(location) + 1) if self._written else ():
            if location[:size] in self._written:
                return without_password(self._written[location[:size]])
        return None

    def concealed(self, value: Any, known: Mapping[int, Any] | None = None) -> Any:  # noqa: ANN401  # any value of the settings
        """Returns a value with each secret text in it replaced by an equal one that does not show it.

        Args:
            value: any value of the settings.
            known: by `id`, what stands for objects wherever they stand; they are not walked.
        """
        return replaced(value, self._leaf, known=known)

    def _leaf(self, value: Any, location: Location) -> Any:  # noqa: ANN401  # as above
        if isinstance(value, AnyUrl):
            if self.shown(location) is None and "@" not in str(value):
                return value
            return _quiet(type(value))(str(value))  # type: ignore[arg-type]  # a class is hashable, whatever mypy says
        if type(value) is not str:
            return value
        shown = self.shown(location) or without_password(value)
        return Concealed(value, shown) if shown != value else value

    def presentable(self, value: Any, location: Location = ()) -> Any:  # noqa: ANN401  # as above
        """Returns a value as JSON values that anyone may see."""
        if isinstance(value, BaseModel):
            return {
                key: self.presentable(getattr(value, name) if field.repr else _veiled(value, name), (*location, key))
                for name, field in type(value).model_fields.items()
                for key in [field.alias or name]
            }
        if isinstance(value, dict):
            return {str(key): self.presentable(item, (*location, key)) for key, item in value.items()}
        if isinstance(value, tuple | list | set | frozenset):
            return [self.presentable(item, (*location, index)) for index, item in enumerate(value)]
        if value is None:
            return value
        shown = self.shown(location)
        if shown is not None or isinstance(value, SecretStr):
            return shown or HIDDEN
        return value if type(value) in {int, float, bool} else without_password(str(value))


def _veiled(model: BaseModel, name: str) -> SecretStr | None:
    """Returns a field that the model itself keeps out of its repr, e.g. a request body."""
    return None if getattr(model, name) is None else SecretStr(HIDDEN)
