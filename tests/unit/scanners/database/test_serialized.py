"""PHP's serialized data, read and never made into objects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanners.database.serialized import NotSerialized, Structure, texts, unserialize


def test_serialized_data_of_every_kind_are_read() -> None:
    """Texts count bytes, keys are numbers or texts, objects are their properties."""
    data = (
        'a:6:{i:0;s:3:"né";s:1:"b";b:1;s:1:"n";N;s:1:"d";d:1.5;i:-3;i:7;s:1:"o";O:8:"stdClass":1:{s:1:"p";s:1:"q";}}'
    )
    value = unserialize(data.encode())
    assert isinstance(value, Structure)
    assert value.items == {
        0: "né".encode(),
        b"b": True,
        b"n": None,
        b"d": 1.5,
        -3: 7,
        b"o": Structure({b"p": b"q"}, b"stdClass"),
    }
    assert list(texts(value)) == [("[0]", "né".encode()), ("[o][p]", b"q")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b's:5:"abc";',
        b's:-1:"";',
        b'a:1:{s:1:"a";}',
        b"a:99999999:{}",
        b"i:1;i:2;",
        b"x:1;",
        b"a:1:{a:0:{}i:1;}",
        b"i:" + b"9" * 10_000 + b";",
        b"a:1:{i:0;" * 100 + b"i:1;" + b"}" * 100,
    ],
)
def test_serialized_data_that_are_broken_or_too_deep_are_refused(data: bytes) -> None:
    """Lengths that lie, ends that are missing, depths without end."""
    with pytest.raises(NotSerialized):
        unserialize(data)


@given(st.binary(max_size=200))
def test_serialized_data_of_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Nothing else is ever raised."""
    for whole in (data, b"a:2:{" + data + b"}", b's:3:"' + data + b'";'):
        try:
            list(texts(unserialize(whole)))
        except NotSerialized:
            continue
