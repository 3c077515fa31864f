"""Keeps secret texts out of every representation: repr, dumps and pages show `***` where the value still works."""

from collections.abc import Collection
from functools import cache
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import AnyUrl, BaseModel, SecretStr

from sentry.settings.place import Location

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

    def __init__(self, hidden: Collection[Location] = ()) -> None:
        """Takes the locations of texts that hold a value from outside."""
        self._hidden = frozenset(hidden)

    def covers(self, location: Location) -> bool:
        """Whether the value at this location came from a text that may not be seen."""
        return bool(self._hidden) and any(location[:size] in self._hidden for size in range(1, len(location) + 1))

    def concealed(self, value: Any, location: Location = ()) -> Any:  # noqa: ANN401  # any value of the settings
        """Returns a value with each secret text in it replaced by an equal one that does not show it."""
        if isinstance(value, BaseModel):
            return self._model(value, location)
        if isinstance(value, tuple | list):
            items = [self.concealed(item, (*location, index)) for index, item in enumerate(value)]
            return type(value)(items) if any(new is not old for new, old in zip(items, value, strict=True)) else value
        if isinstance(value, dict):
            pairs = {key: self.concealed(item, (*location, key)) for key, item in value.items()}
            return pairs if any(pairs[key] is not value[key] for key in pairs) else value
        if isinstance(value, AnyUrl):
            text = str(value)
            if not self.covers(location) and "@" not in text:
                return value
            return _quiet(type(value))(text)  # type: ignore[arg-type]  # a class is hashable, whatever mypy says
        if type(value) is not str:
            return value
        shown = HIDDEN if self.covers(location) else without_password(value)
        return Concealed(value, shown) if shown != value else value

    def _model(self, model: BaseModel, location: Location) -> BaseModel:
        changed = {}
        for name, field in type(model).model_fields.items():
            old = getattr(model, name)
            new = self.concealed(old, (*location, field.alias or name))
            if new is not old:
                changed[name] = new
        return model.model_copy(update=changed) if changed else model

    def presentable(self, value: Any, location: Location = ()) -> Any:  # noqa: ANN401  # as above
        """Returns a value as JSON values that anyone may see."""
        if isinstance(value, BaseModel):
            fields = type(value).model_fields.items()
            pairs = {field.alias or name: getattr(value, name) for name, field in fields}
            return {name: self.presentable(item, (*location, name)) for name, item in pairs.items()}
        if isinstance(value, dict):
            return {str(key): self.presentable(item, (*location, key)) for key, item in value.items()}
        if isinstance(value, tuple | list | set | frozenset):
            return [self.presentable(item, (*location, index)) for index, item in enumerate(value)]
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, SecretStr) or self.covers(location):
            return HIDDEN
        return value if type(value) in {int, float} else without_password(str(value))
