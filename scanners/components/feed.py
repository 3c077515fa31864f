"""What every kind of feed gives: advisories, one by one, and what was wrong with it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanners.components.advisory import Advisory
from sentry.domain.errors import SentryError


class FeedUnusable(SentryError):  # noqa: N818  # reads as a state, as the tree of errors does
    """A feed cannot be used, or not whole; the message says why, and what would mend it."""


@dataclass(slots=True)
class Damage:
    """Records of a feed that could not be read: their holes are not known.

    Attributes:
        first: what was wrong with the first of them.
    """

    records: int = 0
    first: str = ""

    def add(self, what: str) -> None:
        """Counts one."""
        self.records += 1
        self.first = self.first or what


Reader = Callable[[Path, Damage], Iterator[Advisory]]
"""Reads a feed piece by piece, in bounded memory. It raises `FeedUnusable` where it is cut short or no such feed."""

MAX_TEXT = 500
MAX_REFERENCES = 8
MAX_VERSIONS = 5_000


def text_of(value: object, at_most: int = MAX_TEXT) -> str:
    """Returns a stranger's text as one line without control characters, empty for what is none."""
    if not isinstance(value, str):
        return ""
    line = value[: at_most * 2]
    if not line.isprintable():
        line = "".join(one if one.isprintable() else " " for one in line)
    return " ".join(line.split())[:at_most]


def mappings(value: object) -> list[dict[str, Any]]:
    """Returns the mappings in a list, none for what is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def texts(value: object, at_most: int = MAX_VERSIONS) -> tuple[str, ...]:
    """Returns the texts in a list, none for what is no list."""
    return tuple(text_of(one) for one in value[:at_most] if isinstance(one, str)) if isinstance(value, list) else ()
