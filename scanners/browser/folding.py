"""Reckons what is constant in JavaScript by rewriting its text: decoders, pieces, tables of texts, packers."""

import re
from collections.abc import Callable

from scanners.browser.literals import NUMBER, STRING, character, from_base64, number, read, unescaped, written

MAX_ROUNDS = 8
MAX_TABLES = 6
MAX_TEXT = 600_000
"""What is written may grow by tables of texts; beyond this it is left as it is."""

_HIDES = {
    "atob": re.compile(r"\batob\b"),
    "\\x": re.compile(r"\\x[0-9a-fA-F]{2}(?:\\x[0-9a-fA-F]{2}){3}"),
    "\\u00": re.compile(r"\\u00[2-7][0-9a-fA-F](?:\\u00[2-7][0-9a-fA-F]){3}"),
    "_0x": re.compile(r"\b_0x[0-9a-f]{3}"),
    "fromCharCode": re.compile(
        r"fromCharCode(?:['\"]\])?(?:\.apply)?\s{0,9}\(\s{0,9}(?:(?:null|String)\s{0,9},\s{0,9}\[)?(?:0x)?\d[\da-f]{0,4}\s{0,9},"
        r"|\[\s{0,9}(?:\d{1,3}\s{0,4},\s{0,4}){12}"
    ),
    "parseInt": re.compile(r"['\"](?:[0-9a-fA-F]{2}){16}"),
    "unescape": re.compile(r"unescape\s{0,9}\(\s{0,9}['\"]%"),
    "decodeURI": re.compile(r"decodeURI(?:Component)?\s{0,9}\(\s{0,9}['\"]%"),
    "reverse": re.compile(r"split\(\s{0,9}['\"]['\"]\s{0,9}\)\.reverse"),
    "function": re.compile(r"function\s{0,9}\(p\s{0,9},\s{0,9}a\s{0,9},\s{0,9}c"),
    "+": re.compile(r"\+(?:\s{0,4}['\"][^'\"\n]{1,4}['\"]\s{0,4}\+){4}"),
    "Base64.decode": re.compile(r"Base64\.decode"),
}
"""Each means of hiding a text, by a word without which it cannot be there: looking for that costs next to nothing."""

_ESCAPED_STRING = re.compile(STRING)


def _outside(pattern: str) -> re.Pattern[str]:
    """Returns a pattern that also takes every text, without a group, so that nothing is found inside of one."""
    return re.compile(f"{pattern}|{STRING}")


def _rewriting(pattern: re.Pattern[str], reckon: Callable[[re.Match[str]], str]) -> Callable[[str], str]:
    """Returns a step that puts in what is reckoned, and leaves other texts as they are."""
    return lambda code: pattern.sub(lambda found: found[0] if found.lastindex is None else reckon(found), code)


_CHAIN = _outside(rf"({STRING}(?:\s{{0,20}}\+\s{{0,20}}{STRING})+)")
_CONCAT = _outside(rf"({STRING})\.concat\(\s{{0,9}}({STRING})\s{{0,9}}\)")
_FROM_CODES = _outside(
    rf"String\s{{0,9}}(?:\.\s{{0,9}}fromCharCode|\[\s{{0,9}}['\"]fromCharCode['\"]\s{{0,9}}\])(?:\.apply)?\s{{0,9}}"
    rf"\((?:\s{{0,9}}(?:null|String|this)\s{{0,9}},\s{{0,9}}\[)?((?:\s{{0,9}}{NUMBER}\s{{0,9}},?){{1,40000}})\]?\s{{0,9}}\)"
)
_DECODED = _outside(
    rf"\b(atob|unescape|decodeURIComponent|decodeURI|Base64\.decode)\s{{0,9}}\(\s{{0,9}}({STRING})\s{{0,9}}\)"
)
_WINDOWED = _outside(
    r"\b(?:window|self|globalThis|top)\s{0,9}(?:\.\s{0,9}|\[\s{0,9}['\"])(atob|unescape|eval)(?:['\"]\s{0,9}\])?"
)
_REVERSED = _outside(
    rf"({STRING})\.split\(\s{{0,9}}(?:''|\"\")\s{{0,9}}\)\.reverse\(\s{{0,9}}\)\.join\(\s{{0,9}}(?:''|\"\")\s{{0,9}}\)"
)
_SPLIT = _outside(rf"({STRING})\.split\(\s{{0,9}}({STRING})\s{{0,9}}\)\.join\(\s{{0,9}}({STRING})\s{{0,9}}\)")
_REPLACED = _outside(
    rf"({STRING})\.replace(?:All)?\(\s{{0,9}}/([\w ~!@#%&_=:;<>,-]{{1,20}})/g\s{{0,9}},\s{{0,9}}({STRING})\s{{0,9}}\)"
)
_TABLE = re.compile(
    rf"(?<![\w$])([\w$]{{1,40}})\s{{0,9}}=\s{{0,9}}\[((?:\s{{0,9}}{STRING}\s{{0,9}},?){{2,20000}})\s{{0,9}}\]"
)
_NAMED_TEXT = re.compile(rf"\b(?:var|let|const)\s{{1,9}}([\w$]{{1,40}})\s{{0,9}}=\s{{0,9}}({STRING})\s{{0,9}}[;,\n]")
_PACKED = _outside(
    rf"\}}\s{{0,9}}\(\s{{0,9}}({STRING})\s{{0,9}},\s{{0,9}}(\d{{1,3}})\s{{0,9}},\s{{0,9}}(\d{{1,6}})\s{{0,9}},\s{{0,9}}({STRING})"
    r"\.split\(\s{0,9}['\"]\|['\"]\s{0,9}\)"
)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def hides(code: str) -> bool:
    """Whether a source has any of the means by which texts are hidden."""
    return any(word in code and means.search(code) is not None for word, means in _HIDES.items())


def folded(code: str, is_late: Callable[[], bool]) -> str:
    """Returns a source with what is constant in it reckoned, the same source where nothing is.

    Args:
        code: a source; it is not run and need not be right.
        is_late: whether to stop where one is.
    """
    for _ in range(MAX_ROUNDS):
        before = code
        for step in _STEPS:
            if is_late() or len(code) > MAX_TEXT:
                return code
            code = step(code)
        if code == before:
            break
    return code


def _unescape_strings(code: str) -> str:
    return _ESCAPED_STRING.sub(lambda found: written(read(found[0])) if _is_escaped(found[0]) else found[0], code)


def _is_escaped(literal: str) -> bool:
    return "\\x" in literal or "\\u" in literal or re.search(r"\\[0-7]{2}", literal) is not None


def _join(found: re.Match[str]) -> str:
    return written("".join(read(one) for one in _ESCAPED_STRING.findall(found[0])))


def _codes(found: re.Match[str]) -> str:
    return written("".join(character(number(one)) for one in re.findall(NUMBER, found[1])))


def _decode(found: re.Match[str]) -> str:
    text = read(found[2])
    decoded = from_base64(text) if found[1] in {"atob", "Base64.decode"} else unescaped(text)
    return found[0] if decoded is None else written(decoded)


def _index_tables(code: str) -> str:
    """Puts the texts of a table where they are used by their number."""
    for found in list(_TABLE.finditer(code))[:MAX_TABLES]:
        texts = [read(one) for one in _ESCAPED_STRING.findall(found[2])]
        use = re.compile(rf"(?<![\w$.]){re.escape(found[1])}\[\s{{0,9}}({NUMBER})\s{{0,9}}\]")
        code = use.sub(lambda one, texts=texts: _indexed(one, texts), code)  # type: ignore[misc]  # a default binds it
    return code


def _indexed(found: re.Match[str], texts: list[str]) -> str:
    place = number(found[1])
    return written(texts[place]) if place < len(texts) else found[0]


def _put_names(code: str) -> str:
    """Puts texts that have a name where the name is decoded or added."""
    for found in list(_NAMED_TEXT.finditer(code))[: MAX_TABLES * 4]:
        if code.count(found[1]) > MAX_TABLES:
            continue
        use = re.compile(
            rf"(?<=[(+])(\s{{0,9}}){re.escape(found[1])}(?=\s{{0,9}}[)+])|(?<![\w$.]){re.escape(found[1])}(?=\.(?:split|replace)\()"
        )
        code = use.sub(lambda one, text=found[2]: (one[1] or "") + text, code)  # type: ignore[misc]  # a default binds it
    return code


def _unpack(found: re.Match[str]) -> str:
    """Undoes the packer of Dean Edwards; the call that was undone is no source any more, and need be none."""
    payload, radix, words = read(found[1]), int(found[2]), read(found[4]).split("|")
    if not 2 <= radix <= len(_DIGITS):  # noqa: PLR2004  # a number system has two digits at least
        return found[0]

    def word(one: re.Match[str]) -> str:
        place = 0
        for digit in one[0]:
            value = _DIGITS.find(digit)
            if value < 0 or value >= radix or place > len(words):
                return one[0]
            place = place * radix + value
        return words[place] if place < len(words) and words[place] else one[0]

    return "}(" + written(re.sub(r"\b\w{1,6}\b", word, payload)) + ",unpacked("


def _replaced(literal: str, old: str, new: str) -> str:
    text = read(literal)
    return text.replace(old, read(new)) if old else text


_STEPS: tuple[Callable[[str], str], ...] = (
    _unescape_strings,
    _rewriting(_WINDOWED, lambda found: found[1]),
    _rewriting(_FROM_CODES, _codes),
    _rewriting(_DECODED, _decode),
    _rewriting(_REVERSED, lambda found: written(read(found[1])[::-1])),
    _rewriting(_SPLIT, lambda found: written(_replaced(found[1], read(found[2]), found[3]))),
    _rewriting(_REPLACED, lambda found: written(_replaced(found[1], found[2], found[3]))),
    _rewriting(_PACKED, _unpack),
    _index_tables,
    _put_names,
    _rewriting(_CONCAT, lambda found: written(read(found[1]) + read(found[2]))),
    _rewriting(_CHAIN, _join),
)
