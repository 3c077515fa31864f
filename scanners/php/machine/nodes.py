"""What nodes are made into, and how one finds what makes it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NoReturn, Protocol

from tree_sitter import Node

from scanners.php.semantics import Plain, Stuck
from scanners.php.syntax import named

MAX_DEPTH = 150


class Jump(Enum):
    """How a statement ends other than by its end."""

    BREAK = 1
    CONTINUE = 2
    RETURN = 3


class Steps(Protocol):
    """What a frame knows of its machine."""

    def step(self) -> None:
        """Counts; ends it when that was too much."""
        ...

    def knows(self, name: bytes) -> bool:
        """Whether there is a pure function of that name, in lower case."""
        ...

    def call(self, name: bytes, arguments: list[Plain], outside: dict[bytes, Any]) -> Plain:
        """Returns what a function gives."""
        ...


@dataclass(slots=True)
class Frame:
    """The variables of one call.

    Attributes:
        variables: a text that grows in a loop is a bytearray, until somebody reads it.
        outside: those outside of all functions.
    """

    machine: "Steps"
    variables: dict[bytes, Any]
    outside: dict[bytes, Any]
    shared: set[bytes] = field(default_factory=set)
    returned: Plain = None


Expression = Callable[[Frame], Plain]
Statement = Callable[[Frame], Jump | None]

EXPRESSIONS: dict[str, Callable[[Node, int], Expression]] = {}
STATEMENTS: dict[str, Callable[[Node, int], Statement]] = {}
"""Kind of node → what makes it into a function; filled by the modules that hold them."""


def statement(node: Node, depth: int) -> Statement:
    """Returns what a statement does; it is looked at when it is first reached."""
    make = STATEMENTS.get(node.type)
    if make is None or depth > MAX_DEPTH:
        return stuck
    return make(node, depth + 1)


def expression(node: Node, depth: int) -> Expression:
    """Returns what gives the value of an expression."""
    make = EXPRESSIONS.get(node.type)
    if make is None or depth > MAX_DEPTH:
        return stuck
    return make(node, depth + 1)


def stuck(_frame: Frame) -> NoReturn:
    """Ends the machine: for whatever it does not know."""
    raise Stuck


def part_of(node: Node, name: str) -> Node:
    """Returns a child by the field of the grammar it fills; it must be there."""
    found = named(node, name)
    if found is None:
        raise Stuck
    return found
