"""What is hidden in scripts: the source with its constants reckoned, what it runs or writes, its tables of texts."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scanners.browser.folding import folded, hides
from scanners.browser.literals import NUMBER, STRING, character, from_base64, is_readable, number, read

MAX_SCRIPT = 150_000
"""What is decoded of a script, from its begin and from its end."""

MAX_DEPTH = 5
MAX_LAYERS = 12
LEAST_HIDDEN = 24
"""A shorter text that is run or written is no code worth a layer."""

_RUN = re.compile(
    rf"(?:\beval|\bFunction|\bsetTimeout|\bsetInterval|\bexecScript|document\.writeln?|insertAdjacentHTML|\.append|\}})"
    rf"\s{{0,9}}\(\s{{0,9}}(?:{STRING}\s{{0,9}},\s{{0,9}})?({STRING})|\.(?:innerHTML|outerHTML|text|textContent)\s{{0,9}}\+?=\s{{0,9}}({STRING})"
)
_STRING = re.compile(STRING)
_NUMBERS = re.compile(rf"\[((?:\s{{0,9}}{NUMBER}\s{{0,9}},){{11,40000}}\s{{0,9}}{NUMBER}\s{{0,9}},?\s{{0,9}})\]")
_SHIFT = re.compile(
    rf"fromCharCode\s{{0,9}}\(\s{{0,9}}[\w$.\[\]()]{{1,60}}?\s{{0,9}}([-+^])\s{{0,9}}({NUMBER})\s{{0,9}}\)"
)
_HEX = re.compile(r"['\"]((?:[0-9a-fA-F]{2}){16,40000})['\"]")
_TABLE = re.compile(rf"=\s{{0,9}}\[((?:\s{{0,9}}{STRING}\s{{0,9}},?){{8,20000}})\s{{0,9}}\]")
_PIECE = re.compile(r"[^\\\"'\s]{12,40}")
_SCRAMBLED = re.compile(r"\b_0x[0-9a-f]{3,8}\b")


@dataclass(frozen=True, slots=True)
class Layer:
    """A text that was hidden.

    Attributes:
        depth: 1 for what stood in the script itself.
        is_run: whether the script runs it or writes it into the page, False where it only has it.
    """

    text: str
    depth: int
    is_run: bool


def layers_of(code: str, is_late: Callable[[], bool], depth: int = 0) -> list[Layer]:
    """Returns what is hidden in a script, outermost first.

    Args:
        code: the script; what is beyond `MAX_SCRIPT` is left as it is.
        is_late: whether to stop.
        depth: how deep the script itself was hidden.
    """
    if depth >= MAX_DEPTH or not hides(code):
        return []
    plain = folded(code[:MAX_SCRIPT], is_late)
    found = [] if plain == code[:MAX_SCRIPT] else [Layer(plain, depth + 1, is_run=False)]
    found += [Layer(text, depth + 1, is_run=False) for text in _tables(plain)]
    for text in dict.fromkeys(one for one in _inner(plain) if _was_hidden(one, code)):
        if is_late() or len(found) >= MAX_LAYERS:
            break
        found.append(Layer(text, depth + 1, is_run=True))
        found += layers_of(text, is_late, depth + 1)
    return found[:MAX_LAYERS]


def _was_hidden(text: str, code: str) -> bool:
    """Whether a text does not stand in the script as it is."""
    piece = _PIECE.search(text)
    return (text if piece is None else piece[0]) not in code


def _inner(plain: str) -> Iterator[str]:
    for found in _RUN.finditer(plain):
        text = read(found[1] or found[2])
        if len(text) >= LEAST_HIDDEN:
            yield text


def _tables(plain: str) -> Iterator[str]:
    """Yields texts that are put together only while the script runs, from numbers, digits or tables."""
    if "fromCharCode" in plain:
        shift = _SHIFT.search(plain)
        for found in _NUMBERS.finditer(plain):
            numbers = [_shifted(number(one), shift) for one in re.findall(NUMBER, found[1])]
            yield from _readable("".join(map(character, numbers)))
    if "parseInt" in plain:
        for digits in _HEX.finditer(plain):
            yield from _readable(bytes.fromhex(digits[1]).decode("latin-1"))
    if _SCRAMBLED.search(plain) is not None:
        for table in _TABLE.finditer(plain):
            yield "\n".join(map(_unscrambled, _STRING.findall(table[1])))


def _readable(text: str) -> Iterator[str]:
    if len(text) >= LEAST_HIDDEN // 2 and is_readable(text):
        yield text


def _shifted(value: int, shift: re.Match[str] | None) -> int:
    if shift is None:
        return value
    by = number(shift[2])
    return {"-": value - by, "+": value + by}.get(shift[1], value ^ by)


def _unscrambled(literal: str) -> str:
    """Returns a text of a table, decoded where it is base64 with small letters first, as obfuscators write it."""
    text = read(literal)
    decoded = from_base64(text.swapcase())
    return decoded if decoded is not None and is_readable(decoded) and decoded.isascii() else text
