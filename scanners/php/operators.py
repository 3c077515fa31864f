"""PHP's operators on what is known of two values."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from scanners.php.folding import MAX_BYTES, integer
from scanners.php.semantics import incremented, text_of
from scanners.php.value import UNKNOWN, Value, union

ARITHMETIC: Mapping[bytes, Callable[[int, int], int]] = {
    b"+": lambda one, other: one + other,
    b"-": lambda one, other: one - other,
    b"*": lambda one, other: one * other,
    b"/": lambda one, other: one // other,
    b"%": lambda one, other: one % other,
    b"^": lambda one, other: one ^ other,
    b"&": lambda one, other: one & other,
    b"|": lambda one, other: one | other,
}
BITWISE: Mapping[bytes, Callable[[bytes, bytes], bytes]] = {
    b"^": lambda one, other: bytes(a ^ b for a, b in zip(one, other, strict=False)),
    b"&": lambda one, other: bytes(a & b for a, b in zip(one, other, strict=False)),
    b"|": lambda one, other: bytes(
        a | b for a, b in zip(one.ljust(len(other), b"\0"), other.ljust(len(one), b"\0"), strict=False)
    ),
}
"""On texts, byte by byte: a common way to hide a name."""

KEEPS_TEXT = frozenset({b"+", b"^", b"|", b"&"})
"""After these a visitor's text, or his array, may still be there."""

EQUALITY = {b"==": True, b"===": True, b"!=": False, b"!==": False, b"<>": False}
BITS = 64


def counted(word: bytes, *, up: bool) -> bytes:
    """Returns what `++` or `--` makes of a text."""
    number = integer(word)
    if number is None:
        return text_of(incremented(word)) if up else word
    return b"%d" % (number + 1 if up else number - 1)


def combined(operator: bytes, left: Value, right: Value) -> Value:
    """Returns what an operator makes of two values; comparisons say nothing of either."""
    if operator in {b"??", b"?:"}:
        return union(left, right, constant=left.constant)
    one, other = left.word, right.word
    if operator in EQUALITY and one is not None and other is not None:
        return Value(b"1" if (one == other) is EQUALITY[operator] else b"")
    if operator not in ARITHMETIC:
        return UNKNOWN
    if operator in BITWISE and one is not None and other is not None and not (one.isdigit() and other.isdigit()):
        made = union(left, right, constant=BITWISE[operator](one, other))
        return replace(made, decoded=True, assembled=True)
    number = _number(operator, integer(one), integer(other))
    if number is not None:
        return Value(b"%d" % number)
    return union(left, right) if operator in KEEPS_TEXT else Value(opaque=left.is_large or right.is_large)


def _number(operator: bytes, one: int | None, other: int | None) -> int | None:
    if one is None or other is None or (other == 0 and operator in {b"/", b"%"}):
        return None
    number = ARITHMETIC[operator](one, other)
    return number if number.bit_length() <= BITS else None


def augmented(operator: bytes, old: Value, value: Value) -> Value:
    """Returns what `.=` and its like leave in a variable."""
    if operator == b".=" and old.word is not None and value.word is not None:
        whole = len(old.word) + len(value.word) <= MAX_BYTES
        made = union(old, value, constant=old.word + value.word if whole else None)
        return replace(made, assembled=True)
    if operator == b".=":
        return union(old, value)
    return combined(operator.removesuffix(b"="), old, value)
