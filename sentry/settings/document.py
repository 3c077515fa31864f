"""One configuration file as plain values, each with its place.

Plain words mean what they look like, as in YAML 1.2: `on`, `no`, `9:00` and `2026-01-31` are text until a key wants
something else of them.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from sentry.domain.errors import Problem
from sentry.settings.composer import Composer, Node, SyntaxProblem
from sentry.settings.place import Location, Place, spelled
from sentry.settings.sharing import shared_text

MAX_VALUES = 200_000
"""Values of a file after its aliases are written out (a "billion laughs" has 10^9); 10,000 sites fit."""
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# At most 18 digits and no leading zero: a longer or padded one is a phone number or an id, which is text.
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]{1,18}|(0|[1-9][0-9]{0,17})\.[0-9]{0,18})([eE][-+]?[0-9]{1,3})?|[-+]?[1-9]e[0-9]{1,2}"
)


@dataclass(slots=True)
class Document:
    """Values and where each was written.

    Attributes:
        places: by location in `value`.
        problems: what is wrong with the text itself.
    """

    file: str
    value: Any = None
    places: dict[Location, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, location: Location) -> Place:
        """Returns where a value stands; for one that is missing, where its nearest parent stands."""
        for size in range(len(location), -1, -1):
            known = self.places.get(location[:size])
            if known is not None:
                return Place(known.file, known.line, known.location + location[size:])
        return Place(self.file, 0, location)

    def problem(self, location: Location, message: str) -> Problem:
        """Returns a problem at a location."""
        place = self.place(location)
        return Problem(place.file, place.line, spelled(place.location), message)

    def at(self, location: Location) -> Any:  # noqa: ANN401  # a configuration value can be anything
        """Returns the value at a location, None where there is none."""
        value = self.value
        for part in location:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value


def parsed(text: str, file: str) -> Document:
    """Returns the values of a YAML text; what is wrong with it is in `problems`."""
    document = Document(file)
    try:
        root = Composer(text).compose()
        if root is not None:
            document.places[()] = Place(file, root.line, ())
            document.value = _Reader(document).value(root, ())
    except SyntaxProblem as problem:
        document.problems.append(Problem(file, problem.line, "", problem.message))
    return document


@dataclass(slots=True)
class _Reader:
    """Writes nodes out as values; aliases are copied, so each place has its own location."""

    document: Document
    count: int = 0

    def value(self, node: Node, location: Location) -> Any:  # noqa: ANN401  # as above
        self.count += 1
        if self.count > MAX_VALUES:
            raise SyntaxProblem(
                node.line, f"more than {MAX_VALUES} values once the aliases (*name) are written out; use fewer"
            )
        if node.scalar is not None:
            return scalar(node)
        if node.items is not None:
            return [self._child(item, (*location, index), item.line) for index, item in enumerate(node.items)]
        return self._mapping(node, location)

    def _child(self, node: Node, location: Location, line: int) -> Any:  # noqa: ANN401  # as above
        self.document.places[location] = Place(self.document.file, line, location)
        return self.value(node, location)

    def _mapping(self, node: Node, location: Location) -> dict[str, Any]:
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        merged: list[tuple[int, Node]] = []
        for key, value in node.pairs or ():
            if key.scalar == "<<" and key.plain:
                merged += [(key.line, source) for source in (value.items if value.items is not None else [value])]
                continue
            name = self._key(key)
            if name in lines:
                message = f"the key '{name[:80]}' stands twice, in lines {lines[name]} and {key.line}; remove one"
                where = spelled((*location, name))
                self.document.problems.append(Problem(self.document.file, key.line, where, message))
                continue
            lines[name] = key.line
            values[name] = self._child(value, (*location, name), key.line)
        for line, source in merged:
            if source.pairs is None:
                raise SyntaxProblem(line, "'<<' takes a mapping, e.g. <<: *defaults")
            self._merge(source.pairs, values, location)
        return values

    def _merge(self, pairs: list[tuple[Node, Node]], values: dict[str, Any], location: Location) -> None:
        """Takes over the keys of `<<: *anchor` that are not written here."""
        for key, value in pairs:
            name = self._key(key)
            if name not in values:
                values[name] = self._child(value, (*location, name), key.line)

    def _key(self, key: Node) -> str:
        if key.scalar is None:
            raise SyntaxProblem(
                key.line, "a key must be plain text; put a text with {braces} or [brackets] in quotes"
            )
        return shared_text(key.scalar)


def scalar(node: Node) -> str | int | float | bool | None:
    """Returns what a scalar means; a quoted one is always text."""
    text = shared_text(node.scalar or "")
    if not node.plain:
        return text
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
