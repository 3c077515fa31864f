"""Builds nodes from a YAML text, within bounds: no tags, no duplicate keys, no endless or exploding aliases."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from sentry.settings.syntax import explained

MAX_DEPTH = 40
"""Nesting that no honest configuration reaches; deeper input is made to exhaust the stack."""
_PREFIX = "tag:yaml.org,2002:"
PLAIN_TAGS = frozenset(_PREFIX + name for name in ("str", "int", "float", "bool", "null", "map", "seq"))
PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The C parser where PyYAML was built with it: some twenty times as fast."""


class SyntaxProblem(Exception):  # noqa: N818  # becomes a Problem at once; never leaves this package
    """The text cannot be read as YAML."""

    def __init__(self, line: int, message: str) -> None:
        """Keeps the 1-based line and what to say of it."""
        super().__init__(message)
        self.line = line
        self.message = message


@dataclass(slots=True)
class Node:
    """One value as written. Exactly one of scalar, items and pairs says what it is."""

    line: int
    tag: str | None = None
    plain: bool = False
    scalar: str | None = None
    items: "list[Node] | None" = None
    pairs: "list[tuple[Node, Node]] | None" = None


@dataclass(slots=True)
class Composer:
    """Turns the events of one document into nodes."""

    text: str
    anchors: dict[str, Node] = field(default_factory=dict)

    def compose(self) -> Node | None:
        """Returns the root, None for a text without any value.

        Raises:
            SyntaxProblem: it is no YAML, or none that is accepted here.
        """
        try:
            return self._document(yaml.parse(self.text, Loader=PARSER))
        except yaml.YAMLError as error:
            line, message = explained(error, self.text)
        # Raised outside the handler: PyYAML's error carries lines of the file, which may hold secrets.
        raise SyntaxProblem(line, message)

    def _document(self, events: Iterator[yaml.Event]) -> Node | None:
        root = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise SyntaxProblem(_line(event), "a second document starts at '---'; write one file for each")
                root = self._node(next(events), events, 0)
        return root

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise SyntaxProblem(_line(event), f"values are nested more than {MAX_DEPTH} deep")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        assert isinstance(event, yaml.NodeEvent)  # noqa: S101  # a value begins with nothing else
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in PLAIN_TAGS and tag != "!":
            raise SyntaxProblem(
                _line(event),
                "tags are not used here; remove the word that begins with '!', or put the text in quotes",
            )
        node = Node(_line(event), tag)
        if isinstance(event, yaml.ScalarEvent):
            node.scalar, node.plain = event.value, event.implicit[0]
        else:
            self._children(node, event, events, depth)
        # Known only from here on: an alias inside its own anchor would never end.
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _children(self, node: Node, start: yaml.Event, events: Iterator[yaml.Event], depth: int) -> None:
        if isinstance(start, yaml.SequenceStartEvent):
            node.items = []
            while not isinstance(event := next(events), yaml.SequenceEndEvent):
                node.items.append(self._node(event, events, depth + 1))
        else:
            node.pairs = []
            while not isinstance(event := next(events), yaml.MappingEndEvent):
                key = self._node(event, events, depth + 1)
                node.pairs.append((key, self._node(next(events), events, depth + 1)))

    def _alias(self, event: yaml.AliasEvent) -> Node:
        name = event.anchor or ""
        node = self.anchors.get(name)
        if node is None:
            raise SyntaxProblem(
                _line(event),
                f"the alias *{name[:60]} has no anchor before it; put a text that begins with '*' in quotes",
            )
        return node


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0
