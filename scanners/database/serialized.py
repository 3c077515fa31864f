"""PHP's serialized data as texts, numbers, lists and maps: bounded, and never made into objects."""

from collections.abc import Iterator
from dataclasses import dataclass

MAX_VALUES = 50_000
MAX_DEPTH = 40

Key = bytes | int


class NotSerialized(Exception):  # noqa: N818  # says what a text is not
    """It is no serialized data, or too much of it."""


@dataclass(frozen=True, slots=True)
class Structure:
    """An array or the properties of an object.

    Attributes:
        of_class: empty for an array.
    """

    items: dict[Key, "Value"]
    of_class: bytes = b""


Value = bytes | int | float | bool | None | Structure


def unserialize(data: bytes) -> Value:
    """Returns what PHP would make of serialized data, objects as their properties.

    Raises:
        NotSerialized: it is none, or has too many values.
    """
    reader = _Reader(data)
    try:
        value = reader.value(0)
    except (ValueError, IndexError) as error:
        raise NotSerialized(str(error)) from error
    if reader.at != len(data.rstrip()):
        raise NotSerialized("something follows it")
    return value


def texts(value: Value) -> Iterator[tuple[str, bytes]]:
    """Yields every text in it, with the keys that lead to it."""
    waiting: list[tuple[str, Value]] = [("", value)]
    while waiting:
        path, one = waiting.pop()
        if isinstance(one, bytes):
            yield path, one
        elif isinstance(one, Structure):
            waiting += [(f"{path}[{_shown(key)}]", item) for key, item in reversed(one.items.items())]


def _shown(key: Key) -> str:
    return str(key) if isinstance(key, int) else key[:60].decode("utf-8", "backslashreplace")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._count = 0
        self.at = 0

    def value(self, depth: int) -> Value:
        self._count += 1
        if self._count > MAX_VALUES or depth > MAX_DEPTH:
            raise NotSerialized("too many values")
        kind, self.at = self._data[self.at : self.at + 1], self.at + 1
        if kind == b"N":
            self._expect(b";")
            return None
        self._expect(b":")
        if kind in {b"s", b"E"}:
            return self._string(b";")
        if kind == b"a":
            return Structure(self._items(depth))
        if kind == b"O":
            name = self._string(b":")
            return Structure(self._items(depth), name)
        if kind == b"C":
            name = self._string(b":")
            length = int(self._until(b":"))
            return Structure({b"": self._braced(length)}, name)
        return self._scalar(kind, self._until(b";"))

    def _scalar(self, kind: bytes, written: bytes) -> Value:
        if kind == b"b":
            return written == b"1"
        if kind == b"d":
            return float(written)
        if kind in {b"i", b"r", b"R"}:
            return int(written)
        raise NotSerialized("an unknown kind of value")

    def _items(self, depth: int) -> dict[Key, Value]:
        count = int(self._until(b":"))
        self._expect(b"{")
        items: dict[Key, Value] = {}
        for _ in range(min(count, MAX_VALUES)):
            key = self.value(depth + 1)
            if not isinstance(key, bytes | int):
                raise NotSerialized("a key that is none")
            items[key] = self.value(depth + 1)
        self._expect(b"}")
        return items

    def _string(self, end: bytes) -> bytes:
        length = int(self._until(b":"))
        self._expect(b'"')
        found = self._take(length)
        self._expect(b'"' + end)
        return found

    def _braced(self, length: int) -> bytes:
        self._expect(b"{")
        found = self._take(length)
        self._expect(b"}")
        return found

    def _take(self, length: int) -> bytes:
        if not 0 <= length <= len(self._data) - self.at:
            raise NotSerialized("a length beyond the end")
        self.at += length
        return self._data[self.at - length : self.at]

    def _until(self, end: bytes) -> bytes:
        found = self._data.find(end, self.at, self.at + 60)
        if found < 0:
            raise NotSerialized("cut off")
        part, self.at = self._data[self.at : found], found + 1
        return part

    def _expect(self, what: bytes) -> None:
        if self._data[self.at : self.at + len(what)] != what:
            raise NotSerialized("not as it must be")
        self.at += len(what)
