"""Files and folders that settings name: relative paths begin at the main file's folder, and each must be there."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from sentry.domain.errors import Problem
from sentry.settings.document import Document
from sentry.settings.environment import Secrets
from sentry.settings.model import MIN_TOKEN_CHARACTERS
from sentry.settings.place import Location
from sentry.settings.source import MAX_SECRET_BYTES, UnreadableFile, text_of
from sentry.settings.values import replaced

FOLDERS: tuple[Location, ...] = (("audits", "packs_dirs"),)
"""Where settings name folders; everywhere else they name files."""


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

    def rooted(self, value: Any, known: Mapping[int, Any] | None = None) -> Any:  # noqa: ANN401  # any value of the settings
        """Returns a value with each path in it made absolute; one that cannot be read is added to `problems`.

        Args:
            value: any value of the settings.
            known: by `id`, what stands for objects that name no file; they are not walked.
        """

        def leaf(value: Any, location: Location) -> Any:  # noqa: ANN401  # as above
            return self._file(value, location) if isinstance(value, Path) else value

        return replaced(value, leaf, known=known)

    def _file(self, file: Path, location: Location) -> Path:
        path = self._folder / file
        if location in self._secrets.failed:
            return path
        try:
            _touch(path, is_folder=location[:2] in FOLDERS)
        except OSError as error:
            self._complain(path, location, (error.strerror or type(error).__name__).lower())
        return path

    def _complain(self, path: Path, location: Location, reason: str) -> None:
        named = "the file it names" if location in self._secrets.locations else str(path)
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


def _touch(path: Path, *, is_folder: bool) -> None:
    """Reads a little of what is there, so that what cannot be read is known."""
    if is_folder:
        with os.scandir(path) as entries:
            next(entries, None)
    else:
        with path.open("rb") as opened:
            opened.read(1)
