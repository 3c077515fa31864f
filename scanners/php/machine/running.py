"""The machine itself: functions of the source, and how long they may run."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tree_sitter import Node

import scanners.php.machine.assignments
import scanners.php.machine.statements  # noqa: F401  # they fill the tables of nodes
from scanners.php.library import called, is_known
from scanners.php.machine.nodes import Frame, Statement, expression, statement
from scanners.php.semantics import Plain, Stuck
from scanners.php.syntax import named, text

MAX_STEPS = 3_000_000
"""Turns of loops, calls and assignments of one source."""

MAX_CALLS_DEEP = 60
ASK_EVERY = 4_096


@dataclass(slots=True)
class Routine:
    """A function of the source."""

    parameters: tuple[tuple[bytes, Node | None], ...]
    body: Node
    run: Statement | None = None


@dataclass(slots=True)
class Machine:
    """Runs what is pure.

    Attributes:
        routines: functions of the source, by their names in lower case.
        is_late: whether the time of the file is over.
        most_steps: it may take.
    """

    is_late: Callable[[], bool]
    routines: dict[bytes, Routine] = field(default_factory=dict)
    most_steps: int = MAX_STEPS
    steps: int = 0
    deep: int = 0

    def step(self) -> None:
        """Counts.

        Raises:
            Stuck: it was too much.
        """
        self.steps += 1
        if self.steps > self.most_steps or (self.steps % ASK_EVERY == 0 and self.is_late()):
            raise Stuck

    def knows(self, name: bytes) -> bool:
        """Whether there is a pure function of that name; one of the source may turn out not to be pure."""
        return name in self.routines or is_known(name)

    def learn(self, node: Node) -> None:
        """Takes note of a function of the source."""
        name, parameters, body = (named(node, one) for one in ("name", "parameters", "body"))
        if name is not None and parameters is not None and body is not None:
            self.routines[text(name).lower()] = Routine(
                tuple((_parameter(one), named(one, "default_value")) for one in parameters.named_children), body
            )

    def call(self, name: bytes, arguments: list[Plain], outside: dict[bytes, Any]) -> Plain:
        """Returns what a function of the source, or one of PHP's, gives.

        Raises:
            Stuck: that cannot be worked out.
        """
        self.step()
        routine = self.routines.get(name)
        if routine is None:
            return called(name, arguments)
        if self.deep >= MAX_CALLS_DEEP or len(arguments) > len(routine.parameters):
            raise Stuck
        routine.run = routine.run or statement(routine.body, 0)
        frame = Frame(self, {}, outside)
        for place, (parameter, default) in enumerate(routine.parameters):
            if place < len(arguments):
                frame.variables[parameter] = arguments[place]
            elif default is not None:
                frame.variables[parameter] = expression(default, 0)(frame)
        self.deep += 1
        try:
            routine.run(frame)
        finally:
            self.deep -= 1
        return frame.returned

    def run(self, node: Node, variables: dict[bytes, Any]) -> None:
        """Runs a statement, which changes the variables; after `Stuck` they are worth nothing.

        Raises:
            Stuck: that cannot be worked out.
        """
        if statement(node, 0)(Frame(self, variables, variables)) is not None:
            raise Stuck


def _parameter(node: Node) -> bytes:
    name = named(node, "name")
    if name is None or any(child.type in {"reference_modifier", "by_ref"} for child in node.children):
        return b""
    return text(name)[1:]
