"""One large JSON document read record by record."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanners.components import json_stream
from scanners.components.json_stream import DocumentDamaged, records

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.dictionaries(st.text(max_size=8), st.dictionaries(st.text(max_size=5), VALUES, max_size=4), max_size=6)


class Dripping(io.StringIO):
    """Gives a few characters at a time, as a piece ends anywhere in a record."""

    def read(self, size: int | None = -1) -> str:
        return super().read(min(size or 1, 7))


@given(RECORDS, st.sampled_from([None, 1]))
def test_records_of_an_object_are_its_values(document: dict[str, Any], indent: int | None) -> None:
    """Wherever the pieces end."""
    assert list(records(Dripping(json.dumps(document, indent=indent)))) == list(document.values())


@given(st.lists(RECORDS, max_size=4))
def test_records_of_a_list_are_its_items(document: list[Any]) -> None:
    """A list does as well."""
    assert list(records(Dripping(json.dumps(document)))) == document


@given(RECORDS.filter(bool), st.integers(1, 400))
def test_document_that_is_cut_short_is_damaged(document: dict[str, Any], cut: int) -> None:
    """Wherever it was cut: half a list of holes must not pass for a list."""
    text = json.dumps(document)

    with pytest.raises(DocumentDamaged):
        list(records(Dripping(text[: max(0, len(text) - cut)])))


@pytest.mark.parametrize(
    "text", ["", "<html>404</html>", '"text"', "{} {}", '{"a": {}} x', '{"a" {}}', '{"a": {} "b"}']
)
def test_document_of_another_shape_is_damaged(text: str) -> None:
    """An error page that was kept as the feed, for one."""
    with pytest.raises(DocumentDamaged):
        list(records(io.StringIO(text)))


def test_record_without_an_end_is_not_read_for_ever() -> None:
    """An open quote takes in no more than a record may be long."""

    class Endless(io.StringIO):
        taken = 0

        def read(self, size: int | None = -1) -> str:
            self.taken += size or 0
            return "a" * (size or 0) if self.taken > json_stream.PIECE_CHARACTERS else '{"a": "' + "a" * 100

    source = Endless()
    with pytest.raises(DocumentDamaged, match="cannot be read"):
        list(records(source))
    assert source.taken < 2 * json_stream.MAX_RECORD_CHARACTERS


def test_record_that_is_nested_without_end_is_damaged() -> None:
    """The stack is bounded too."""
    with pytest.raises(DocumentDamaged):
        list(records(io.StringIO('{"a": ' + "[" * 200_000)))
