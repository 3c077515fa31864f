"""Series by column: a cell is written when a probe ends, and lines are only made when somebody scrapes.

A line is `prefix + labels + cell`. A column is named by what stands before the labels of the row (`probe_success{`,
`probe_http_duration_seconds{phase="tls",`), a row is a check or a site and keeps its labels once, and a cell is what
comes after them (`} 1` or `,version="TLS 1.3"} 1`, and the end of the line). So ten thousand checks hold one text of
labels each and not twenty, equal cells are one object, and a column of ten thousand lines is one join.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import compress

Cells = Mapping[str, bytes]
"""Column → what stands after the row's labels, with the end of the line."""

Block = Callable[[], Iterator[bytes]]
"""Makes a part of the page from values that no longer change, in small pieces: to be called in a thread."""

ROWS_AT_ONCE = 2000
"""Lines of one join: a few hundred kilobytes. Larger blocks of memory stay with the thread that once had them."""


class Sheet:
    """Families of columns over rows that come and go.

    Args:
        helps: family → help; the order is the order on the page.
        default_help: help of a family that the table does not name.
    """

    def __init__(self, helps: Mapping[str, str], default_help: str = "") -> None:
        self._helps = dict(helps)
        self._default_help = default_help
        self._families: dict[str, list[str]] = {family: [] for family in helps}
        self._columns: dict[str, list[bytes | None]] = {}
        self._counts: Counter[str] = Counter()
        self._labels: list[bytes] = []
        self._filled: list[tuple[str, ...]] = []
        self._orders: dict[tuple[str, ...], tuple[str, ...]] = {(): ()}
        self._free: list[int] = []

    def add(self, labels: str) -> int:
        """Returns the number of a new row without cells.

        Args:
            labels: as they stand between the braces, escaped.
        """
        text = labels.encode(errors="replace")
        if self._free:
            row = self._free.pop()
            self._labels[row] = text
            return row
        self._labels.append(text)
        self._filled.append(())
        for column in self._columns.values():
            column.append(None)
        return len(self._labels) - 1

    def drop(self, row: int) -> None:
        """Takes a row off the page; its number may be given to another."""
        self.write(row, {})
        self._free.append(row)

    def write(self, row: int, cells: Cells) -> None:
        """Makes these the only cells of a row."""
        columns = self._columns
        for name, cell in cells.items():
            try:
                columns[name][row] = cell
            except KeyError:
                self._add_column(name)[row] = cell
        now = tuple(cells)
        if now != self._filled[row]:
            for name in set(self._filled[row]).difference(now):
                columns[name][row] = None
            self._note(row, now)

    def put(self, row: int, column: str, cell: bytes) -> None:
        """Writes one cell and leaves the others of the row."""
        (self._columns.get(column) or self._add_column(column))[row] = cell
        if column not in self._filled[row]:
            self._note(row, (*self._filled[row], column))

    def _add_column(self, name: str) -> list[bytes | None]:
        self._families.setdefault(name.partition("{")[0], []).append(name)
        column = self._columns[name] = [None] * len(self._labels)
        return column

    def _note(self, row: int, now: tuple[str, ...]) -> None:
        """Keeps which columns a row fills; the rows of one kind share one list of them."""
        self._counts.subtract(self._filled[row])
        self._counts.update(now)
        self._filled[row] = self._orders.setdefault(now, now)

    def blocks(self) -> Iterator[Block]:
        """Yields the columns, family by family, each as it is when its turn comes."""
        for family in tuple(self._families):
            text = self._header(family)
            for name in [name for name in self._families[family] if self._counts[name]]:
                yield self._block(text, name)
                text = b""

    def _block(self, text: bytes, name: str) -> Block:
        labels, cells = self._labels.copy(), self._columns[name].copy()
        return lambda: _lines(text, name.encode(), labels, cells)

    def block_of(self, family: str, cells: Callable[[], Mapping[int, bytes]]) -> Block:
        """Returns a family whose cells are only made for the page: row → cell."""
        labels = self._labels.copy()

        def made() -> Iterator[bytes]:
            found = cells()
            those = [labels[row] for row in found]
            yield from _lines(self._header(family), f"{family}{{".encode(), those, list(found.values()))

        return made

    def page_of(self, row: int) -> bytes:
        """Returns the families of one row, each line without the labels of the row."""
        found = []
        for family, names in self._families.items():
            cells = [(name, self._columns[name][row]) for name in names]
            lines = b"".join([_bare(name.encode(), cell) for name, cell in cells if cell is not None])
            if lines:
                found.append(self._header(family) + lines)
        return b"".join(found)

    def _header(self, family: str) -> bytes:
        return header(family, self._helps.get(family, self._default_help), "gauge")


def header(family: str, help_text: str, kind: str) -> bytes:
    """Returns the HELP and TYPE lines of a family."""
    return f"# HELP {family} {help_text}\n# TYPE {family} {kind}\n".encode()


def _lines(head: bytes, prefix: bytes, labels: Sequence[bytes], cells: Sequence[bytes | None]) -> Iterator[bytes]:
    """Interleaves and joins; nothing here is done line by line in Python."""
    present = list(filter(None, cells))
    if len(present) < len(cells):
        labels = list(compress(labels, cells))
    for start in range(0, len(present), ROWS_AT_ONCE):
        some = present[start : start + ROWS_AT_ONCE]
        pieces = [prefix] * (3 * len(some) + 1)
        pieces[0] = b"" if start else head
        pieces[2::3] = labels[start : start + ROWS_AT_ONCE]
        pieces[3::3] = some
        yield b"".join(pieces)


def _bare(prefix: bytes, cell: bytes) -> bytes:
    """Closes the gap where the labels of the row would stand."""
    if prefix.endswith(b",") or cell.startswith(b","):
        return prefix.removesuffix(b",") + cell.removeprefix(b"," if prefix.endswith(b"{") else b"")
    return prefix.removesuffix(b"{") + cell.removeprefix(b"}")
