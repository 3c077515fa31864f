"""What is known of an expression without running it: its constant, where it comes from, and how it was made."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

Constant = bytes | tuple["Constant | None", ...] | Mapping[bytes, "Constant | None"]
"""A text (numbers are their digits), a list, or a map; an element that is not known is None."""

LARGE_BYTES = 250
"""A constant of this length that nobody can read may hold a program."""

TRAIL_STEPS = 16
"""Steps that are kept of a way from source to sink."""


class Origin:
    """Where data come from; bits of an int, because an `IntFlag` costs as much as all the rest of an expression."""

    NOWHERE: Final = 0
    REQUEST: Final = 1
    REMOTE: Final = 2
    HIDDEN: Final = 4
    SERVER: Final = 8
    GLOBALS: Final = 16
    OBJECT: Final = 32
    STORED: Final = 64


FOREIGN: Final = Origin.REQUEST | Origin.HIDDEN
"""What a visitor can send: plainly, or by a name that was put together to hide it."""

CARRIED: Final = Origin.REQUEST | Origin.REMOTE | Origin.HIDDEN | Origin.STORED
"""What stays with data on their way; that something is `$_SERVER`, `$GLOBALS` or a new object itself does not."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a way, newest first."""

    line: int
    text: bytes
    before: "Step | None" = None
    count: int = 1

    @property
    def lines(self) -> tuple[tuple[int, bytes], ...]:
        """Every step as line and source, oldest first."""
        steps: list[tuple[int, bytes]] = []
        step: Step | None = self
        while step is not None:
            steps.append((step.line, step.text))
            step = step.before
        return tuple(reversed(steps))


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of one expression.

    Attributes:
        constant: its value where that can be worked out, None where not.
        origin: where the data in it come from, bits of `Origin`.
        decoded: they went through a decoder (base64, inflate, xor and the like).
        assembled: its text was put together from pieces, so that nobody finds it by searching.
        opaque: it holds a large constant that stays unreadable.
        loose: it is foreign only because a method, whose work is not known, was given something foreign.
        trail: the way from a foreign source to here.
    """

    constant: Constant | None = None
    origin: int = Origin.NOWHERE
    decoded: bool = False
    assembled: bool = False
    opaque: bool = False
    loose: bool = False
    trail: Step | None = None

    @property
    def word(self) -> bytes | None:
        """The constant where it is a text."""
        return self.constant if isinstance(self.constant, bytes) else None

    @property
    def written(self) -> bytes | None:
        """The constant as a part of a text, where PHP writes any array as a word."""
        return self.constant if self.constant is None or isinstance(self.constant, bytes) else b"Array"

    @property
    def name(self) -> bytes | None:
        """The constant as the name of a function: lower case, without a leading backslash."""
        return None if self.word is None else self.word.lower().lstrip(b"\\")

    @property
    def is_foreign(self) -> bool:
        """Whether a visitor can decide what it is."""
        return bool(self.origin & FOREIGN)

    @property
    def is_remote(self) -> bool:
        """Whether another server can."""
        return bool(self.origin & Origin.REMOTE)

    @property
    def is_stored(self) -> bool:
        """Whether it was read from the site's database."""
        return bool(self.origin & Origin.STORED)

    @property
    def is_large(self) -> bool:
        """Whether it holds enough to be a program."""
        return self.opaque or (self.word is not None and len(self.word) >= LARGE_BYTES)

    @property
    def tells(self) -> bool:
        """Whether it matters to a function that is given it."""
        return bool(self.origin or self.decoded or self.assembled or self.is_large)

    def at(self, line: int, text: bytes) -> "Value":
        """Returns the same value one step further on its way; only what is foreign or remote has one."""
        if not self.origin & CARRIED:
            return self
        before = self.trail
        if before is not None and before.count >= TRAIL_STEPS:
            return self
        if before is not None and before.line == line:
            before = before.before  # the whole of the line says more than a part of it
        step = Step(line, text[:STEP_BYTES], before, 1 if before is None else before.count + 1)
        return replace(self, trail=step)


STEP_BYTES = 160

UNKNOWN = Value()


def union(*values: Value, constant: Constant | None = None) -> Value:
    """Returns what is made of several values: it comes from wherever any of them does."""
    origin, trail = Origin.NOWHERE, None
    decoded = assembled = opaque = False
    loose = True
    for value in values:
        decoded = decoded or value.decoded
        assembled = assembled or value.assembled
        opaque = opaque or value.is_large
        carried = value.origin & CARRIED
        if carried:
            origin |= carried
            trail = trail or value.trail
            loose = loose and value.loose
    return Value(constant, origin, decoded, assembled, opaque, loose and origin != Origin.NOWHERE, trail)
