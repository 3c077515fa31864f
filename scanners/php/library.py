"""PHP's own functions as far as decoders use them: each gives what it is given for, and acts on nothing."""

import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scanners.php.folding import FOLDINGS, fold
from scanners.php.semantics import Plain, Stuck, bounded, int_of, is_equal, key_of, number_of, text_of, truth_of
from scanners.php.value import Constant

MAX_ITEMS = 300_000
Arguments = Sequence[Plain]


def called(name: bytes, arguments: Arguments) -> Plain:
    """Returns what a function gives.

    Raises:
        Stuck: it is not one of those known here, or does not fit its arguments.
    """
    function = FUNCTIONS.get(name)
    try:
        if function is not None:
            return function(*arguments)
        if name not in FOLDINGS:
            raise Stuck
        found = fold(name, [constant_of(argument) for argument in arguments])
    except (TypeError, ValueError, IndexError, KeyError, AttributeError, OverflowError, zlib.error):
        raise Stuck from None
    if found is None:
        raise Stuck
    return plain_of(found)


def is_known(name: bytes) -> bool:
    """Whether it is a function that acts on nothing."""
    return name in FUNCTIONS or name in FOLDINGS


def constant_of(value: Plain) -> Constant:
    """Returns a value as the evaluator keeps constants."""
    if type(value) is not dict:
        return text_of(value)
    if list(value) == list(range(len(value))):
        return tuple(constant_of(item) for item in value.values())
    return {text_of(key): constant_of(item) for key, item in value.items()}


def plain_of(constant: Constant | None) -> Plain:
    """Returns a constant of the evaluator as a value; digits are a number, as they most often were.

    Raises:
        Stuck: a part of it is not known.
    """
    if constant is None:
        raise Stuck
    if isinstance(constant, bytes):
        key = key_of(constant) if len(constant) < LONGEST_DIGITS else constant
        return key if type(key) is int and b"%d" % key == constant else constant
    items = constant.items() if isinstance(constant, Mapping) else enumerate(constant)
    return {key_of(key): plain_of(item) for key, item in items}


LONGEST_DIGITS = 18


def _items(value: Plain) -> dict[Any, Plain]:
    if type(value) is not dict or len(value) > MAX_ITEMS:
        raise Stuck
    return value


def _listed(items: Sequence[Plain]) -> dict[Any, Plain]:
    if len(items) > MAX_ITEMS:
        raise Stuck
    return dict(enumerate(items))


def _substr(text: Plain, start: Plain, length: Plain = None) -> bytes:
    subject, begin = text_of(text), int_of(start)
    begin = max(0, len(subject) + begin) if begin < 0 else begin
    if length is None:
        return subject[begin:]
    size = int_of(length)
    return subject[begin : begin + size] if size >= 0 else subject[begin : max(begin, len(subject) + size)]


def _position(text: Plain, wanted: Plain, start: Plain = 0) -> Plain:
    place = text_of(text).find(text_of(wanted), int_of(start))
    return False if place < 0 else place


def _range(first: Plain, last: Plain, step: Plain = 1) -> dict[Any, Plain]:
    letters = type(first) is bytes and not first.isdigit()
    begin, end = (ord(first[:1]), ord(last[:1])) if letters else (int_of(first), int_of(last))
    width = abs(int_of(step)) or 1
    if abs(end - begin) // width > MAX_ITEMS:
        raise Stuck
    numbers = range(begin, end + 1, width) if end >= begin else range(begin, end - 1, -width)
    return _listed([bytes([number]) if letters else number for number in numbers])


def _split(text: Plain, size: Plain = 1) -> dict[Any, Plain]:
    subject, width = text_of(text), max(1, int_of(size))
    return _listed(
        [subject[place : place + width] for place in range(0, min(len(subject), MAX_ITEMS * width), width)]
    )


def _implode(glue: Plain, items: Plain = None) -> bytes:
    if type(glue) is dict:
        glue, items = items, glue
    return bounded(text_of(glue).join([text_of(item) for item in _items(items).values()]))


def _slice(items: Plain, start: Plain, length: Plain = None) -> dict[Any, Plain]:
    values = list(_items(items).values())[int_of(start) :]
    return _listed(values if length is None else values[: int_of(length)])


def _merged(*several: Plain) -> dict[Any, Plain]:
    merged: dict[Any, Plain] = {}
    for items in several:
        for key, item in _items(items).items():
            merged[len(merged) if type(key) is int else key] = item
    return merged


def _key_in(items: Plain, wanted: Plain) -> Plain:
    return next((key for key, item in _items(items).items() if is_equal(item, wanted)), False)


def _end(items: Plain) -> Plain:
    return next(reversed(_items(items).values()), False)


def _base_converted(text: Plain, old: Plain, new: Plain) -> bytes:
    number, base, digits = int(text_of(text), int_of(old)), int_of(new), b""
    while number:
        number, digit = divmod(number, base)
        digits = b"%c" % b"0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits or b"0"


def _unpacked(form: Plain, text: Plain) -> dict[Any, Plain]:
    sizes = {b"C": 1, b"c": 1, b"n": 2, b"v": 2, b"N": 4, b"V": 4}
    letter, subject = text_of(form)[:1], text_of(text)
    if text_of(form)[1:] not in (b"*", b"") or letter not in sizes:
        raise Stuck
    size, order = sizes[letter], "big" if letter in b"nN" else "little"
    pieces = [subject[place : place + size] for place in range(0, len(subject) - size + 1, size)]
    return {number: int.from_bytes(piece, order) for number, piece in enumerate(pieces, 1)}  # type: ignore[arg-type]


def _packed(form: Plain, *values: Plain) -> bytes:
    sizes = {b"n": (2, "big"), b"N": (4, "big"), b"v": (2, "little"), b"V": (4, "little")}
    written = text_of(form)
    if written[:1] in (b"C", b"c"):
        return bytes([int_of(value) & 255 for value in values])
    if written[:1] in sizes and written[1:] in (b"", b"*"):
        size, order = sizes[written[:1]]
        return b"".join((int_of(value) % (1 << 8 * size)).to_bytes(size, order) for value in values)  # type: ignore[arg-type]
    found = fold(b"pack", [text_of(form), *(text_of(value) for value in values)])
    if not isinstance(found, bytes):
        raise Stuck
    return found


FUNCTIONS: Mapping[bytes, Callable[..., Plain]] = {
    b"chr": lambda number: bytes([int_of(number) & 255]),
    b"ord": lambda text: text_of(text)[0] if text_of(text) else 0,
    b"strlen": lambda text: len(text_of(text)),
    b"count": lambda items: len(_items(items)),
    b"sizeof": lambda items: len(_items(items)),
    b"intval": lambda value, base=10: int_of(value) if int_of(base) == 10 else int(text_of(value), int_of(base)),  # noqa: PLR2004
    b"floor": lambda value: float(number_of(value) // 1),
    b"ceil": lambda value: float(-(-number_of(value) // 1)),
    b"round": lambda value: float(round(number_of(value))),
    b"abs": lambda value: abs(number_of(value)),
    b"min": lambda one, other: min(number_of(one), number_of(other)),
    b"max": lambda one, other: max(number_of(one), number_of(other)),
    b"bindec": lambda text: int(text_of(text), 2),
    b"hexdec": lambda text: int(text_of(text), 16),
    b"octdec": lambda text: int(text_of(text), 8),
    b"decbin": lambda number: b"%s" % f"{int_of(number):b}".encode(),
    b"base_convert": _base_converted,
    b"is_array": lambda value: type(value) is dict,
    b"is_string": lambda value: type(value) is bytes,
    b"is_numeric": lambda value: type(value) is int or text_of(value).isdigit(),
    b"substr": _substr,
    b"strpos": _position,
    b"str_split": _split,
    b"implode": _implode,
    b"join": _implode,
    b"explode": lambda glue, text: _listed(text_of(text).split(text_of(glue))),
    b"range": _range,
    b"in_array": lambda wanted, items: any(is_equal(item, wanted) for item in _items(items).values()),
    b"array_search": lambda wanted, items: _key_in(items, wanted),
    b"array_key_exists": lambda key, items: key_of(key) in _items(items),
    b"array_keys": lambda items: _listed(list(_items(items))),
    b"array_values": lambda items: _listed(list(_items(items).values())),
    b"array_flip": lambda items: {key_of(item): key for key, item in _items(items).items()},
    b"array_combine": lambda keys, items: dict(
        zip((key_of(key) for key in _items(keys).values()), _items(items).values(), strict=True)
    ),
    b"array_reverse": lambda items: _listed(list(reversed(_items(items).values()))),
    b"array_slice": _slice,
    b"array_merge": _merged,
    b"array_sum": lambda items: sum(number_of(item) for item in _items(items).values()),
    b"array_filter": lambda items: {key: item for key, item in _items(items).items() if truth_of(item)},
    b"end": _end,
    b"reset": lambda items: next(iter(_items(items).values()), False),
    b"current": lambda items: next(iter(_items(items).values()), False),
    b"pack": _packed,
    b"unpack": _unpacked,
    b"md5": lambda text: hashlib.md5(text_of(text), usedforsecurity=False).hexdigest().encode(),
    b"sha1": lambda text: hashlib.sha1(text_of(text), usedforsecurity=False).hexdigest().encode(),
    b"crc32": lambda text: zlib.crc32(text_of(text)),
    b"function_exists": lambda _name: True,
    b"is_callable": lambda _name: True,
    b"error_reporting": lambda *_: 0,
    b"set_time_limit": lambda *_: True,
}
"""Function → what it gives."""
