"""The records of one large JSON document, read piece by piece, in the memory of the largest record."""

import json
import re
from collections.abc import Iterator
from typing import TextIO

PIECE_CHARACTERS = 1 << 20
MAX_RECORD_CHARACTERS = 8 << 20
"""Records of either feed are below 100 kB; without a bound one unclosed quote would take in the whole file."""

_SPACE = re.compile(r"[ \t\r\n]*")
_decoder = json.JSONDecoder()


class DocumentDamaged(Exception):  # noqa: N818  # reads as a state; its catcher says which feed it was
    """The document is cut short, or no JSON, or none of the shape that is read here."""


def records(source: TextIO) -> Iterator[object]:
    """Yields each value of the object, or of the list, that a document consists of.

    Raises:
        DocumentDamaged: it ends too early, or is no such document; what was yielded before is whole.
    """
    reader = _Reader(source)
    opening = reader.character()
    if opening not in {"{", "["}:
        raise DocumentDamaged("it is no JSON object or list")
    closing = "}" if opening == "{" else "]"
    if reader.peek() == closing:
        reader.character()
    else:
        yield from _members(reader, opening, closing)
    if reader.peek():
        raise DocumentDamaged("something follows after its end")


def _members(reader: "_Reader", opening: str, closing: str) -> Iterator[object]:
    while True:
        if opening == "{":
            reader.value()
            if reader.character() != ":":
                raise DocumentDamaged("a key has no value")
        yield reader.value()
        parting = reader.character()
        if parting == closing:
            return
        if parting != ",":
            raise DocumentDamaged("it ends too early" if not parting else "two records are not parted by a comma")


class _Reader:
    def __init__(self, source: TextIO) -> None:
        self._source = source
        self._text = ""
        self._place = 0
        self._ended = False

    def peek(self) -> str:
        """Returns the next character that is no space, empty at the end."""
        while True:
            found = _SPACE.match(self._text, self._place)
            self._place = found.end() if found else self._place
            if self._place < len(self._text):
                return self._text[self._place]
            if not self._more():
                return ""

    def character(self) -> str:
        """Takes the next character that is no space, empty at the end."""
        found = self.peek()
        self._place += len(found)
        return found

    def value(self) -> object:
        """Takes the next value.

        Raises:
            DocumentDamaged: there is none.
        """
        while True:
            if self.peek():
                try:
                    found: tuple[object, int] = _decoder.raw_decode(self._text, self._place)
                except json.JSONDecodeError as error:
                    self._go_on(error.msg)
                except RecursionError as error:
                    raise DocumentDamaged("a record is nested too deeply") from error
                else:
                    self._place = found[1]
                    return found[0]
            else:
                raise DocumentDamaged("it ends too early")

    def _go_on(self, why: str) -> None:
        """Reads on, for a value that is cut by the end of what was read fails as a damaged one does."""
        if len(self._text) - self._place > MAX_RECORD_CHARACTERS:
            raise DocumentDamaged(f"a record cannot be read: {why}")
        if not self._more():
            raise DocumentDamaged(f"it ends too early, or a record cannot be read: {why}")

    def _more(self) -> bool:
        piece = "" if self._ended else self._source.read(PIECE_CHARACTERS)
        self._ended = not piece
        self._text = self._text[self._place :] + piece
        self._place = 0
        return bool(piece)
