"""In what a file differs from what was published, and whether that can mean anything."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from scanners.engine import shown
from sentry.domain.finding import SourceLine

MAX_MATCHED_LINES = 1_000
"""Where more lines than this lie between the first and the last that differ, they count as one block."""

SHOWN_LINES = 40
SHOWN_CHARACTERS = 160
BEFORE_THE_FIRST = 40
"""Of a long line this much is shown before the first character that differs."""

BINARY_HEAD_BYTES = 8_192
"""A file with a NUL in so much of it has no lines."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_KEYWORD = re.compile(
    rb"\$(Id|Revision|Rev|Date|Author|Header|HeadURL|URL|LastChanged(?:Date|Revision|By))(?::[\w .,:/@+-]{0,200})?\$"
)
_BLANKS = re.compile(rb"[ \t]+")


class Nature(StrEnum):
    """What a difference comes to."""

    LINE_ENDS = "line ends"
    BLANKS = "blanks and empty lines"
    KEYWORDS = "keywords of a version control system"
    PLAIN = "lines that every build in another language has"
    CODE = "content"
    """Everything else."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How a file differs.

    Attributes:
        added, removed: so many lines.
        text: what was added, line ends included.
        lines: the difference to be shown, bounded.
    """

    nature: Nature
    added: int = 0
    removed: int = 0
    text: bytes = b""
    lines: tuple[SourceLine, ...] = ()


def difference(old: bytes, new: bytes, plain_lines: re.Pattern[bytes] | None = None) -> Difference:
    """Compares a file with what was published.

    Args:
        old: as published.
        new: as it stands.
        plain_lines: fits each line whose addition means nothing.
    """
    if b"\0" in old[:BINARY_HEAD_BYTES]:
        return Difference(Nature.CODE, text=_tail(old, new))
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    blocks = list(_blocks(before, after))
    added = [line for _, _, low, high in blocks for line in after[low:high]]
    removed = sum(high - low for low, high, _, _ in blocks)
    nature = _nature(old, new)
    if nature is Nature.CODE and not removed and plain_lines and all(plain_lines.match(line) for line in added):
        nature = Nature.PLAIN
    return Difference(nature, len(added), removed, b"".join(added), tuple(_shown(before, after, blocks)))


def _tail(old: bytes, new: bytes) -> bytes:
    """What stands behind a file without lines: code is put there, and the picture is shown as ever."""
    return new[len(old) :] if new.startswith(old) else b""


def _nature(old: bytes, new: bytes) -> Nature:
    """Tells by what the two are equal; each step looks past a little more. None of them can hide code.

    A lone carriage return ends a line for PHP, and an end of line ends a comment: both stay what they are.
    """
    for nature, plain in (
        (Nature.LINE_ENDS, _without_line_ends),
        (Nature.KEYWORDS, _without_keywords),
        (Nature.BLANKS, _without_blanks),
    ):
        if plain(old) == plain(new):
            return nature
    return Nature.CODE


def _without_line_ends(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").rstrip(b"\n")


def _without_keywords(text: bytes) -> bytes:
    return _KEYWORD.sub(rb"$\1$", _without_line_ends(text))


def _without_blanks(text: bytes) -> bytes:
    lines = _without_keywords(text).removeprefix(BYTE_ORDER_MARK).split(b"\n")
    return b"\n".join(plain for line in lines if (plain := _BLANKS.sub(b" ", line).strip(b" ")))


def _blocks(before: Sequence[bytes], after: Sequence[bytes]) -> Iterator[tuple[int, int, int, int]]:
    """Yields where lines of `before` gave way to lines of `after`."""
    low, least = 0, min(len(before), len(after))
    while low < least and before[low] == after[low]:
        low += 1
    tail = 0
    while tail < least - low and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    old, new = before[low : len(before) - tail], after[low : len(after) - tail]
    if max(len(old), len(new)) > MAX_MATCHED_LINES:
        yield low, low + len(old), low, low + len(new)
        return
    for kind, from_old, to_old, from_new, to_new in SequenceMatcher(None, old, new).get_opcodes():
        if kind != "equal":
            yield low + from_old, low + to_old, low + from_new, low + to_new


def _shown(
    before: Sequence[bytes], after: Sequence[bytes], blocks: Sequence[tuple[int, int, int, int]]
) -> Iterator[SourceLine]:
    left = SHOWN_LINES
    for from_old, to_old, from_new, to_new in blocks:
        old, new = before[from_old:to_old], after[from_new:to_new]
        start = _first_difference(old[0], new[0]) if len(old) == len(new) == 1 else 0
        lines = [(from_old + number, b"-", line) for number, line in enumerate(old[:left], 1)]
        lines += [(from_new + number, b"+", line) for number, line in enumerate(new[:left], 1)]
        for number, sign, line in lines[:left]:
            text = shown(sign + b" " + _cut(line.rstrip(b"\r\n"), start))
            yield SourceLine(number, text[:SHOWN_CHARACTERS])
        left -= min(left, len(lines))
        if not left:
            return


def _cut(line: bytes, start: int) -> bytes:
    begin = max(0, start - BEFORE_THE_FIRST) if len(line) > SHOWN_CHARACTERS else 0
    return (b"..." if begin else b"") + line[begin : begin + SHOWN_CHARACTERS - 3]


def _first_difference(old: bytes, new: bytes) -> int:
    low, high = 0, min(len(old), len(new))
    while low < high:  # a line may have megabytes: halves are compared at once
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
