"""Files that settings name: relative paths begin at the main file's folder, and each must be there to be read."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from sentry.domain.errors import Problem
from sentry.settings.document import Document
from sentry.settings.environment import Secrets
from sentry.settings.place import Location
from sentry.settings.source import MAX_SECRET_BYTES, UnreadableFile, text_of

MIN_TOKEN_CHARACTERS = 8


def rooted_store(address: str, folder: Path) -> str:
    """Returns a store address whose SQLite file, if relative, begins at a folder."""
    scheme, slashes, file = address.partition(":///")
    if not scheme.startswith("sqlite") or not slashes or file.startswith(("/", ":")) or not file:
        return address
    return f"{scheme}:///{folder.absolute() / file}"


class NamedFiles:
    """Finds the files that settings name."""

    def __init__(self, document: Document, secrets: Secrets, folder: Path) -> None:
        """Takes where problems are placed, and the folder that relative paths begin at."""
        self._document = document
        self._secrets = secrets
        self._folder = folder.absolute()
        self.problems: list[Problem] = []

    def rooted(self, value: Any, location: Location = ()) -> Any:  # noqa: ANN401  # any value of the settings
        """Returns a value with each path in it made absolute; one that cannot be read is added to `problems`."""
        if isinstance(value, Path):
            return self._file(value, location)
        if isinstance(value, BaseModel):
            return self._model(value, location)
        if isinstance(value, tuple):
            items = tuple(self.rooted(item, (*location, index)) for index, item in enumerate(value))
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        if isinstance(value, dict):
            pairs = {key: self.rooted(item, (*location, key)) for key, item in value.items()}
            return pairs if any(pairs[key] is not value[key] for key in pairs) else value
        return value

    def _model(self, model: BaseModel, location: Location) -> BaseModel:
        changed = {}
        for name, field in type(model).model_fields.items():
            old = getattr(model, name)
            new = self.rooted(old, (*location, field.alias or name))
            if new is not old:
                changed[name] = new
        return model.model_copy(update=changed) if changed else model

    def _file(self, file: Path, location: Location) -> Path:
        path = self._folder / file
        try:
            with path.open("rb") as opened:
                opened.read(1)
        except OSError as error:
            self._complain(path, location, (error.strerror or type(error).__name__).lower())
        return path

    def _complain(self, path: Path, location: Location, reason: str) -> None:
        named = "the file it names" if self._secrets.holds(location) else str(path)
        advice = ""
        if location == ("web", "token_file"):
            advice = f"; make one with: (umask 077; openssl rand -hex 32 > {path.name})"
        self.problems.append(self._document.problem(location, f"{named} cannot be read: {reason}{advice}"))

    def token(self, file: Path) -> SecretStr | None:
        """Returns the first line's secret of a token file; None, with a problem, where there is none."""
        location = ("web", "token_file")
        try:
            text = text_of(file, MAX_SECRET_BYTES).strip()
        except UnreadableFile:
            return None  # `rooted` has already said why
        if len(text) < MIN_TOKEN_CHARACTERS or len(text.split()) > 1:
            message = f"the file must hold one word of at least {MIN_TOKEN_CHARACTERS} characters and nothing else"
            self.problems.append(self._document.problem(location, message))
            return None
        return SecretStr(text)
