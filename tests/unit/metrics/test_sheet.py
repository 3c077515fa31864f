"""Cells by column and row, against a plain table of lines."""

from hypothesis import given
from hypothesis import strategies as st

from sentry.metrics.sheet import ROWS_AT_ONCE, Sheet

COLUMNS = ("a{", 'b{phase="x",', 'b{phase="y",', "c{", "further{")
CELLS = st.dictionaries(st.sampled_from(COLUMNS), st.sampled_from([b"} 0\n", b"} 1\n", b',v="2"} 1\n']))
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 5), CELLS),
        st.tuples(st.just("put"), st.integers(0, 5), CELLS),
        st.tuples(st.just("drop"), st.integers(0, 5), st.just({})),
    ),
    max_size=40,
)


def _page(sheet: Sheet) -> bytes:
    return b"".join(piece for block in sheet.blocks() for piece in block())


def _sheet() -> Sheet:
    return Sheet({"a": "An a.", "b": "A b.", "c": "A c."}, "Something else.")


@given(CHANGES)
def test_blocks_after_any_changes_hold_each_series_once(changes: list[tuple[str, int, dict[str, bytes]]]) -> None:
    """Whatever came, went and was written: the lines are those of a plain table, each family in one place."""
    sheet, rows = _sheet(), dict[int, int]()
    table: dict[int, dict[str, bytes]] = {}
    for change, owner, cells in changes:
        if change == "drop":
            if owner in rows:
                sheet.drop(rows.pop(owner))
                del table[owner]
            continue
        if owner not in rows:
            rows[owner], table[owner] = sheet.add(f'o="{owner}"'), {}
        if change == "write":
            sheet.write(rows[owner], cells)
            table[owner] = dict(cells)
        for column, cell in cells.items():
            sheet.put(rows[owner], column, cell)
            table[owner][column] = cell
    page = _page(sheet).decode().splitlines()
    lines = [line for line in page if not line.startswith("#")]
    told = [line.split()[2] for line in page if line.startswith("# TYPE")]
    expected = [
        f'{column}o="{owner}"{cell.decode()}'.rstrip()
        for owner, cells in table.items()
        for column, cell in cells.items()
    ]
    assert sorted(lines) == sorted(expected)
    assert list(dict.fromkeys(line.partition("{")[0] for line in lines)) == told


def test_block_taken_keeps_what_stood_then() -> None:
    """A thread that joins it later tells of one moment, whatever the loop does meanwhile."""
    sheet = _sheet()
    row = sheet.add('o="1"')
    sheet.write(row, {"a{": b"} 1\n"})
    (block,) = sheet.blocks()
    sheet.drop(row)
    sheet.write(sheet.add('o="2"'), {"a{": b"} 2\n"})
    assert b"".join(block()).splitlines()[-1] == b'a{o="1"} 1'


def test_block_of_many_rows_comes_in_pieces_with_one_header() -> None:
    """No piece is larger than a join may be, and together they are the family."""
    sheet = _sheet()
    for number in range(2 * ROWS_AT_ONCE + 1):
        sheet.write(sheet.add(f'o="{number}"'), {"a{": b"} 1\n"})
    (block,) = sheet.blocks()
    pieces = list(block())
    assert len(pieces) == 3
    assert [piece.startswith(b"# HELP a An a.\n# TYPE a gauge\n") for piece in pieces] == [True, False, False]
    assert sum(piece.count(b"} 1\n") for piece in pieces) == 2 * ROWS_AT_ONCE + 1


def test_page_of_one_row_closes_the_gap_where_its_labels_stood() -> None:
    """Labels before and after those of the row stay, and braces without labels go."""
    sheet = _sheet()
    row = sheet.add('o="1"')
    sheet.write(row, {"a{": b"} 1\n", 'b{phase="x",': b"} 2\n", 'b{phase="y",': b',v="3"} 3\n', "c{": b',v="4"} 4\n'})
    lines = [line for line in sheet.page_of(row).splitlines() if not line.startswith(b"#")]
    assert lines == [b"a 1", b'b{phase="x"} 2', b'b{phase="y",v="3"} 3', b'c{v="4"} 4']
