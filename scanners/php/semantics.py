"""PHP's values as Python's, and what its operators make of them; what is not sure is `Stuck`, never guessed."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from scanners.php.folding import MAX_BYTES

Plain = Any
"""bytes, int, float, bool, None, or a dict with keys of bytes and int: an array. Told apart by hand, for speed."""

INT_BITS = 64
_NUMBER = re.compile(rb"\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_WHOLE = re.compile(rb"\s*[+-]?\d+$")
_KEY = re.compile(rb"-?[1-9]\d{0,17}$|0$")


class Stuck(Exception):  # noqa: N818  # no error: it only ends what cannot be worked out
    """Something is not known, not pure, too large or too long."""


def text_of(value: Plain) -> bytes:
    """Returns a value as PHP's string."""
    if type(value) is bytes:
        return value
    if value is None or value is False:
        return b""
    if value is True:
        return b"1"
    if type(value) is int:
        return b"%d" % value
    if type(value) is float:
        return b"%d" % int(value) if value.is_integer() and abs(value) < 1e15 else f"{value:.14G}".encode()  # noqa: PLR2004
    raise Stuck


def number_of(value: Plain) -> int | float:
    """Returns a value as PHP's number; a text counts by its beginning."""
    if type(value) is int or type(value) is float:
        return value
    if type(value) is bool or value is None:
        return int(bool(value))
    if type(value) is not bytes:
        raise Stuck
    found = _NUMBER.match(value)
    if found is None:
        return 0
    return int(found[0]) if _WHOLE.match(found[0]) else float(found[0])


def int_of(value: Plain) -> int:
    """Returns a value as PHP's integer."""
    number = number_of(value)
    return number if type(number) is int else fitted(int(number))


def truth_of(value: Plain) -> bool:
    """Whether PHP takes it for true."""
    return value not in (b"", b"0") if type(value) is bytes else bool(value)


def key_of(value: Plain) -> Plain:
    """Returns a value as the key of an array: digits are a number."""
    if type(value) is bytes:
        return int(value) if _KEY.match(value) else value
    return b"" if value is None else int_of(value)


def fitted(number: int) -> int:
    """Returns an integer within 64 bits, wrapped as a machine does."""
    if -(1 << 63) <= number < 1 << 63:
        return number
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def bounded(text: bytes) -> bytes:
    """Returns a text that is not too large."""
    if len(text) > MAX_BYTES:
        raise Stuck
    return text


def is_equal(one: Plain, other: Plain) -> bool:
    """As `==`: texts as texts unless both are numbers, all else as numbers or truths."""
    if type(one) is bool or type(other) is bool or one is None or other is None:
        return truth_of(one) == truth_of(other)
    if type(one) is bytes and type(other) is bytes and not (one[:1].isdigit() and other[:1].isdigit()):
        return one == other
    if type(one) is dict or type(other) is dict:
        return bool(one == other)
    return number_of(one) == number_of(other)


def _is_same(one: Plain, other: Plain) -> bool:
    return type(one) is type(other) and bool(one == other)


def _joined(one: Plain, other: Plain) -> bytes:
    return bounded(text_of(one) + text_of(other))


def _sum(one: Plain, other: Plain) -> Plain:
    if type(one) is dict and type(other) is dict:
        return {**other, **one}
    return _whole(number_of(one) + number_of(other))


def _whole(number: int | float) -> int | float:  # noqa: PYI041  # PHP tells them apart
    return float(number) if type(number) is int and number.bit_length() >= INT_BITS else number


def _quotient(one: Plain, other: Plain) -> int | float:
    above, below = number_of(one), number_of(other)
    if not below:
        raise Stuck
    return above // below if type(above) is int and type(below) is int and above % below == 0 else above / below


def _rest(one: Plain, other: Plain) -> int:
    above, below = int_of(one), int_of(other)
    if not below:
        raise Stuck
    rest = abs(above) % abs(below)
    return rest if above >= 0 else -rest


def _bitwise(of_bytes: Callable[[int, int], int], *, longest: bool) -> Callable[[Plain, Plain], Plain]:
    def combined(one: Plain, other: Plain) -> Plain:
        if type(one) is bytes and type(other) is bytes:
            size = max(len(one), len(other)) if longest else min(len(one), len(other))
            left, right = one.ljust(size, b"\0")[:size], other.ljust(size, b"\0")[:size]
            made = of_bytes(int.from_bytes(left, "big"), int.from_bytes(right, "big"))
            return made.to_bytes(size, "big")
        return fitted(of_bytes(int_of(one), int_of(other)))

    return combined


def _power(one: Plain, other: Plain) -> int | float:
    base, exponent = number_of(one), number_of(other)
    if abs(exponent) > INT_BITS or abs(base) > 1e6:  # noqa: PLR2004  # more than any decoder needs
        raise Stuck
    return _whole(base**exponent)


def _ordered(compare: Callable[[Plain, Plain], bool]) -> Callable[[Plain, Plain], bool]:
    def compared(one: Plain, other: Plain) -> bool:
        if type(one) is bytes and type(other) is bytes and not (one[:1].isdigit() and other[:1].isdigit()):
            return compare(one, other)
        return compare(number_of(one), number_of(other))

    return compared


def shifted_left(one: Plain, other: Plain) -> int:
    """As `<<`."""
    places = int_of(other)
    if not 0 <= places < INT_BITS:
        raise Stuck
    return fitted(int_of(one) << places)


def _shifted_right(one: Plain, other: Plain) -> int:
    places = int_of(other)
    if places < 0:
        raise Stuck
    return int_of(one) >> min(places, INT_BITS)


OPERATORS: Mapping[bytes, Callable[[Plain, Plain], Plain]] = {
    b".": _joined,
    b"+": _sum,
    b"-": lambda one, other: _whole(number_of(one) - number_of(other)),
    b"*": lambda one, other: _whole(number_of(one) * number_of(other)),
    b"/": _quotient,
    b"%": _rest,
    b"**": _power,
    b"&": _bitwise(operator.and_, longest=False),
    b"|": _bitwise(operator.or_, longest=True),
    b"^": _bitwise(operator.xor, longest=False),
    b"<<": shifted_left,
    b">>": _shifted_right,
    b"==": is_equal,
    b"!=": lambda one, other: not is_equal(one, other),
    b"<>": lambda one, other: not is_equal(one, other),
    b"===": _is_same,
    b"!==": lambda one, other: not _is_same(one, other),
    b"<": _ordered(operator.lt),
    b">": _ordered(operator.gt),
    b"<=": _ordered(operator.le),
    b">=": _ordered(operator.ge),
    b"xor": lambda one, other: truth_of(one) != truth_of(other),
}
"""Operators that look at both sides always; the others are the machine's."""


def incremented(value: Plain) -> Plain:
    """As `++`: a text of letters counts as people count columns, by which names are made without writing them."""
    if type(value) is not bytes or _NUMBER.fullmatch(value):
        return 1 if value is None else _whole(number_of(value) + 1)
    letters = bytearray(value)
    for place in range(len(letters) - 1, -1, -1):
        letter = letters[place]
        if letter not in b"zZ9":
            letters[place] += bool(chr(letter).isalnum())
            return bytes(letters)
        letters[place] = b"aA0"[b"zZ9".index(letter)]
    return {b"a": b"a", b"A": b"A", b"0": b"1"}[bytes(letters[:1])] + bytes(letters) if letters else b"1"
