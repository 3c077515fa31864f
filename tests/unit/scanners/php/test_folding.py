"""PHP's functions on constants: right where they are known, refused where they would grow or are not understood."""

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanners.php.folding import FOLDINGS, MAX_BYTES, fold
from scanners.php.value import Constant

texts = st.binary(max_size=200)


@given(texts)
def test_fold_of_a_coding_undoes_it(text: bytes) -> None:
    """What was encoded comes back as it was."""
    assert fold(b"base64_decode", [base64.b64encode(text)]) == text
    assert fold(b"gzuncompress", [zlib.compress(text)]) == text
    assert fold(b"hex2bin", [text.hex().encode()]) == text
    assert fold(b"strrev", [text[::-1]]) == text


def test_fold_of_base64_passes_over_what_is_none() -> None:
    """PHP does too, and packers rely on it."""
    assert fold(b"base64_decode", [b"c3!lz\ndGVt"]) == b"system"


@pytest.mark.parametrize(
    ("function", "arguments", "found"),
    [
        (b"substr", [b"system32", b"0", b"6"], b"system"),
        (b"substr", [b"asystem", b"-6"], b"system"),
        (b"str_replace", [b"#", b"", b"s#y#stem"], b"system"),
        (b"str_replace", [(b"1", b"2"), (b"s", b"y"), b"12s"], b"sys"),
        (b"implode", [b"", (b"sys", b"tem")], b"system"),
        (b"implode", [(b"sys", b"tem")], b"system"),
        (b"explode", [b",", b"a,b"], (b"a", b"b")),
        (b"str_split", [b"abcd", b"2"], (b"ab", b"cd")),
        (b"strtr", [b"abc", b"ab", b"xy"], b"xyc"),
        (b"strtr", [b"hello", {b"hell": b"s", b"o": b"y"}], b"sy"),
        (b"chr", [b"115"], b"s"),
        (b"ord", [b"s"], b"115"),
        (b"pack", [b"H*", b"73"], b"s"),
        (b"pack", [b"C*", b"115", b"121"], b"sy"),
        (b"str_rot13", [b"flfgrz"], b"system"),
        (b"urldecode", [b"%73ys+x"], b"sys x"),
        (b"preg_replace", [b"/[0-9]+/", b"", b"s1y22s"], b"sys"),
        (b"array_reverse", [(b"a", b"b")], (b"b", b"a")),
    ],
)
def test_fold_gives_what_php_gives(function: bytes, arguments: list[Constant], found: Constant) -> None:
    """The functions by which names are put together."""
    assert fold(function, arguments) == found


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (b"str_repeat", [b"a" * 1_000, b"999999999"]),
        (b"str_replace", [b"a", b"b" * 100_000, b"a" * 100_000]),
        (b"implode", [b"x" * 100_000, (b"",) * 1_000]),
        (b"strtr", [b"a" * 100_000, {b"a": b"b" * 100_000}]),
        (b"gzinflate", [b"no deflate"]),
        (b"hex2bin", [b"zz"]),
        (b"chr", [b"no number"]),
        (b"substr", [(b"a",), b"0"]),
        (b"preg_replace", [b"/(a+)+b/", b"", b"a" * 60]),
        (b"unheard_of", [b"a"]),
        (b"implode", []),
    ],
)
def test_fold_of_what_is_too_large_or_not_understood_is_not_known(function: bytes, arguments: list[Constant]) -> None:
    """A bomb is refused before it is made, and a mistake of the script is no mistake of ours."""
    assert fold(function, arguments) is None


@given(
    st.sampled_from(sorted(FOLDINGS)), st.lists(st.one_of(texts, st.lists(texts, max_size=5).map(tuple)), max_size=4)
)
def test_fold_of_anything_raises_nothing(function: bytes, arguments: list[Constant]) -> None:
    """Whatever a stranger writes as arguments."""
    found = fold(function, arguments)

    assert found is None or not isinstance(found, bytes) or len(found) <= MAX_BYTES
