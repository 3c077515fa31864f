"""Fills `${NAME}` in texts from the environment or from the file that NAME_FILE names; values are never echoed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sentry.settings.document import Document
from sentry.settings.place import Location
from sentry.settings.source import MAX_SECRET_BYTES, UnreadableFile, text_of

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}\n]{0,100})\}?")
_WORD = re.compile(r"[^\s'\"(),;]+")
SHORTEST_SUBSTRING = 4
"""A shorter secret is replaced only where it stands as a word: inside of words it would garble every message."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


@dataclass(slots=True)
class Secrets:
    """What came from outside the files, so that no message ever shows it.

    Attributes:
        values: every value that was filled in.
        locations: every text that holds one, as it is written in the file: with `${NAME}` in it.
        failed: every text that could not be filled; nothing more needs to be said of it.
    """

    values: set[str] = field(default_factory=set)
    locations: dict[Location, str] = field(default_factory=dict)
    failed: set[Location] = field(default_factory=set)

    def scrubbed(self, text: str) -> str:
        """Returns a text with every secret value replaced; the last net under all messages."""
        for value in sorted(self.values, key=len, reverse=True):
            if len(value) >= SHORTEST_SUBSTRING:
                text = text.replace(value, "***")
        return _WORD.sub(lambda word: "***" if word[0] in self.values else word[0], text)

    def scrubbed_of_fragments(self, text: str) -> str:
        """Returns a text in which also words that are part of a secret value are replaced.

        For what validators say: one that took a value apart (a password with '@' in an address) quotes a fragment.
        """

        def replacement(word: re.Match[str]) -> str:
            inside = len(word[0]) >= SHORTEST_SUBSTRING and any(word[0] in value for value in self.values)
            return "***" if inside and not word[0].endswith("://") else word[0]

        return _WORD.sub(replacement, self.scrubbed(text))


@dataclass(slots=True)
class _Filler:
    document: Document
    environment: Mapping[str, str]
    secrets: Secrets = field(default_factory=Secrets)
    known: dict[str, str | None] = field(default_factory=dict)

    def filled(self, value: Any, location: Location) -> Any:  # noqa: ANN401  # a configuration value
        if isinstance(value, dict):
            return {key: self.filled(child, (*location, key)) for key, child in value.items()}
        if isinstance(value, list):
            return [self.filled(child, (*location, index)) for index, child in enumerate(value)]
        if isinstance(value, str) and "${" in value:
            return self._text(value, location)
        return value

    def _text(self, text: str, location: Location) -> str:
        names: list[str] = []

        def replacement(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            name = match[1]
            if not match[0].endswith("}") or not _NAME.fullmatch(name):
                self._complain(
                    location,
                    "'${' begins the name of a variable, e.g. ${SMTP_PASSWORD}; write '$${' for a plain '${'",
                )
                return ""
            names.append(name)
            return self._value(name, location)

        result = _REFERENCE.sub(replacement, text)
        if names:
            self.secrets.locations[location] = text
            self.secrets.values.add(result)
        return result

    def _value(self, name: str, location: Location) -> str:
        problem = ""
        if name not in self.known:
            self.known[name], problem = self._look_up(name)
        value = self.known[name]
        if value is None:
            self._complain(
                location, problem or f"the variable {name} has no value; see the first place that names it"
            )
            return ""
        self.secrets.values.add(value)
        return value

    def _look_up(self, name: str) -> tuple[str | None, str]:
        """Returns the value, or None and why there is none."""
        if name in self.environment:
            value = self.environment[name]
            return (value, "") if value else (None, f"the environment variable {name} is empty; give it a value")
        file = self.environment.get(f"{name}_FILE")
        if not file:
            return None, (
                f"the environment variable {name} is not set; set {name} to the value, "
                f"or {name}_FILE to the path of a file that holds it"
            )
        try:
            text = text_of(Path(file), MAX_SECRET_BYTES)
        except UnreadableFile as error:
            return None, f"{name}_FILE names {file}: {error.message}"
        value = text.removesuffix("\n").removesuffix("\r")
        return (value, "") if value else (None, f"{name}_FILE names {file}, which is empty")

    def _complain(self, location: Location, message: str) -> None:
        self.secrets.failed.add(location)
        if location in self.document.places:  # and no copy, taken over from where the problem is already named
            self.document.problems.append(self.document.problem(location, message))


def fill(document: Document, environment: Mapping[str, str]) -> Secrets:
    """Replaces every `${NAME}` in the document's texts; what cannot be replaced is added to its problems.

    Args:
        document: changed in place.
        environment: the process's variables.

    Returns:
        What was filled in and where, for redaction.
    """
    filler = _Filler(document, environment)
    document.value = filler.filled(document.value, ())
    return filler.secrets
